import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { exportJWK, generateKeyPair, type JWK } from "jose"
import { openDigestKeyFile } from "../../shared/digest/localDigestKey.ts"
import { proveDigests } from "../../shared/digest/proveDigests.ts"
import { parseDayRange } from "../../shared/digest/digestDay.ts"
import { writeMissingDigests } from "../../shared/digest/writeDigests.ts"
import { ServiceError } from "../../shared/errors.ts"
import type { BlobMetadata } from "../../shared/store/ledgerEntry.ts"
import type { StoreCatalog } from "../../shared/store/storeCatalog.ts"
import { fakeClock } from "./fakeClock.ts"

/** A blob that a test may change, as nobody can change one in a locked container. */
export interface TamperedBlob {
  createdAt: Date
  metadata: BlobMetadata
  body: Uint8Array
}

/** Writes a key to a file of its own and returns the path. */
export function keyFile(jwk: object): string {
  const file = join(mkdtempSync(join(tmpdir(), "digest-key-")), "key.json")
  writeFileSync(file, JSON.stringify(jwk), { mode: 0o600 })
  return file
}

/** A private key that signs digests; without `kid` where that is empty. */
export async function aDigestJwk(alg = "ES384", kid = "test-digest"): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), ...(kid === "" ? {} : { kid }) }
}

/** Its public half. */
export function publicJwk({ d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...rest }: JWK): JWK {
  return rest
}

/** A store whose blobs a test changes at will, with a clock, a key, and the two things that are done with digests. */
export async function aDigestStore({
  now = "2026-11-25T00:30:00.000Z",
  jwk,
}: { now?: string; jwk?: object } = {}) {
  const clock = fakeClock(now)
  const blobs = new Map<string, TamperedBlob>()
  const { signer, trusted: keys } = await openDigestKeyFile(keyFile(jwk ?? (await aDigestJwk())))
  const catalog: StoreCatalog = {
    async *list(prefix) {
      for (const name of [...blobs.keys()].sort()) {
        const blob = blobs.get(name)
        if (!blob || !name.startsWith(prefix)) continue
        const { createdAt, metadata, body } = blob
        yield { name, createdAt, sizeBytes: body.length, metadata }
      }
    },
  }
  const parts = {
    storeName: "https://account.blob.core.windows.net/keyvault-backups",
    catalog,
    reader: {
      read: async (name: string) => {
        const blob = blobs.get(name)
        if (!blob) throw new ServiceError("ERR_STORE_NOT_FOUND", "There is no such blob")
        return blob.body
      },
    },
    store: {
      putIfAbsent: async (name: string, body: Uint8Array, _type: string, metadata: BlobMetadata) => {
        if (blobs.has(name)) return "alreadyStored" as const
        const createdAt = new Date(Math.floor(clock.now().getTime() / 1000) * 1000)
        blobs.set(name, { body, metadata, createdAt })
        return "stored" as const
      },
    },
    signer,
    keys,
    clock,
  }
  return {
    clock,
    blobs,
    parts,
    /** Puts a record as it would have been put at `createdAt`. */
    put: (name: string, createdAt: string, metadata: BlobMetadata = { putat: createdAt, sha256: "00" }) => {
      blobs.set(name, { createdAt: new Date(createdAt), metadata, body: Buffer.from(name) })
    },
    write: (over: Partial<typeof parts> = {}) => writeMissingDigests({ ...parts, ...over }),
    prove: (range = "all", over: Partial<typeof parts> = {}) =>
      proveDigests({ ...parts, ...over }, parseDayRange(range)),
  }
}

/** Name of a record that is one of many. */
export function recordName(index: number, vault = "payments.vault.azure.net"): string {
  return `v1/${vault}/secrets/s-${String(index).padStart(4, "0")}/${index.toString(16).padStart(32, "0")}.jwe.json`
}
