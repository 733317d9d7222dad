import { createHash, timingSafeEqual } from "node:crypto"
import {
  type CryptoKey,
  errors,
  flattenedDecrypt,
  type GeneralJWE,
  generalDecrypt,
  importJWK,
  type JWK,
} from "jose"
import { z } from "zod"
import { ServiceError } from "../errors.ts"
import { sealNameOf } from "../store/blobName.ts"
import type { KeyUnwrapper } from "./keyUnwrapper.ts"

/** A private key at hand. */
export interface LocalOpeningKey {
  readonly kid: string
  readonly key: CryptoKey
}

/** A private key that can open records: one at hand, or one in a vault that unwraps for us. */
export type OpeningKey = LocalOpeningKey | KeyUnwrapper

/** What a sealed record is, for reading it and for `docs/schemas/sealedRecord.json`. */
export const sealedSchema = z.object({
  protected: z.string(),
  iv: z.string(),
  ciphertext: z.string(),
  tag: z.string(),
  recipients: z
    .array(
      z.object({
        header: z.looseObject({ alg: z.string().optional(), kid: z.string() }),
        encrypted_key: z.string().optional(),
      }),
    )
    .min(1),
})

const headerSchema = z.strictObject({
  enc: z.literal("A256GCM"),
  kvb: z.string(),
  epk: z.looseObject({}).optional(),
})

/**
 * Imports private JWKs for opening.
 *
 * @throws ServiceError ERR_CONFIG_INVALID for a key without `kid` and for what is no private RSA or EC key. Quotes
 * nothing of it but the kid.
 */
export async function importOpeningKeys(set: { readonly keys: readonly JWK[] }): Promise<LocalOpeningKey[]> {
  return Promise.all(
    set.keys.map(async (jwk) => {
      const { kid } = jwk
      if (!kid) throw unusable("A recovery key has no kid; add the one its public key has")
      const key = await importJWK(jwk, jwk.kty === "RSA" ? "RSA-OAEP-256" : "ECDH-ES+A256KW").catch(() => {
        throw unusable(`The recovery key ${kid} cannot be read`)
      })
      if (key instanceof Uint8Array) throw unusable("A recovery key is symmetric; RSA or EC is needed")
      if (key.type !== "private") throw unusable(`The recovery key ${kid} is a public key; it opens nothing`)
      return { kid, key }
    }),
  )
}

function unusable(what: string): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", what)
}

/**
 * Opens a sealed record and returns its bytes. Keys that are among its recipients are tried in their order: where one
 * cannot be used, because it is disabled or its vault is away, the next one opens the record as well.
 *
 * @param blobName - where it was found; a record that was sealed for another name is refused.
 * @param sha256 - hex digest from the ledger, compared first when given.
 * @throws ServiceError ERR_SEAL_INTEGRITY (digest, name, header, tag), ERR_SEAL_NO_KEY; with a key in a vault also what
 * its `unwrap` throws.
 */
export async function unsealRecord(
  sealed: Uint8Array,
  blobName: string,
  keys: readonly OpeningKey[],
  sha256?: string,
): Promise<Uint8Array> {
  const details = { blob: blobName }
  const broken = (what: string, cause?: unknown) =>
    new ServiceError("ERR_SEAL_INTEGRITY", what, { details, cause })
  if (sha256 !== undefined && !isSameDigest(sealed, sha256)) {
    throw broken("The stored bytes do not have the digest that the ledger names")
  }
  const jwe = parseSealed(sealed)
  if (!jwe) throw broken("The blob is no general JWE")
  const header = parseHeader(jwe.protected)
  if (!header) throw broken("The protected header is not exactly enc and kvb")
  if (header.kvb !== sealNameOf(blobName)) throw broken("The record was sealed for another blob name")
  const usable = keys.filter(({ kid }) => jwe.recipients.some((recipient) => recipient.header.kid === kid))
  let first: ServiceError | undefined
  for (const key of usable) {
    try {
      return "unwrap" in key ? await openRemotely(jwe, key) : await openLocally(jwe, key)
    } catch (error) {
      if (error instanceof errors.JOSEError)
        throw broken("The record does not open: its tag does not fit", error)
      if (!(error instanceof ServiceError)) throw broken("The record does not open with this key", error)
      if (error.code === "ERR_SEAL_INTEGRITY") throw error
      first ??= error
    }
  }
  throw (
    first ?? new ServiceError("ERR_SEAL_NO_KEY", "No key at hand is a recipient of the record", { details })
  )
}

type Sealed = z.infer<typeof sealedSchema>

async function openLocally(jwe: Sealed, { kid, key }: LocalOpeningKey): Promise<Uint8Array> {
  const recipients = jwe.recipients.filter(({ header }) => header.kid === kid)
  const { plaintext } = await generalDecrypt({ ...jwe, recipients } as GeneralJWE, key, {
    contentEncryptionAlgorithms: ["A256GCM"],
    keyManagementAlgorithms: ["RSA-OAEP-256", "ECDH-ES+A256KW"],
  })
  return plaintext
}

/** With the content key in hand the body opens as a JWE with direct encryption. The protected header stays as it was. */
async function openRemotely(jwe: Sealed, unwrapper: KeyUnwrapper): Promise<Uint8Array> {
  const { header, encrypted_key: wrapped } =
    jwe.recipients.find((recipient) => recipient.header.kid === unwrapper.kid) ?? {}
  if (header?.alg !== "RSA-OAEP-256" || wrapped === undefined) {
    throw new TypeError("The content key was not wrapped with RSA-OAEP-256")
  }
  const contentKey = await unwrapper.unwrap(Buffer.from(wrapped, "base64url"))
  const { protected: protectedHeader, iv, ciphertext, tag } = jwe
  const { plaintext } = await flattenedDecrypt(
    { protected: protectedHeader, header: { alg: "dir" }, iv, ciphertext, tag },
    contentKey,
    { contentEncryptionAlgorithms: ["A256GCM"], keyManagementAlgorithms: ["dir"] },
  )
  return plaintext
}

function isSameDigest(bytes: Uint8Array, sha256: string): boolean {
  const actual = createHash("sha256").update(bytes).digest()
  const expected = Buffer.from(sha256, "hex")
  return expected.length === actual.length && timingSafeEqual(actual, expected)
}

function parseSealed(sealed: Uint8Array): z.infer<typeof sealedSchema> | undefined {
  try {
    return sealedSchema.parse(JSON.parse(Buffer.from(sealed).toString("utf8")))
  } catch {
    return undefined
  }
}

function parseHeader(text: string): z.infer<typeof headerSchema> | undefined {
  try {
    return headerSchema.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")))
  } catch {
    return undefined
  }
}
