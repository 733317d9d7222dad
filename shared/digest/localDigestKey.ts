import { readFileSync } from "node:fs"
import { calculateJwkThumbprint, type CryptoKey, importJWK, type JWK } from "jose"
import { z } from "zod"
import { ServiceError } from "../errors.ts"
import type { DigestAlgorithm, DigestSigner, TrustedKey, TrustedKeys } from "./digestKey.ts"

const jwkSchema = z.looseObject({
  kty: z.enum(["EC", "RSA"]),
  kid: z.string().optional(),
  crv: z.string().optional(),
})
const fileSchema = z.union([z.object({ keys: z.array(jwkSchema).min(1) }), jwkSchema])

const algorithmOfCurve: Readonly<Record<string, DigestAlgorithm>> = {
  "P-256": "ES256",
  "P-384": "ES384",
  "P-521": "ES512",
}

/** The algorithm that a key of this kind signs digests with; `undefined` for a kind that does not. */
export function digestAlgorithmOf(kty: string, crv: string | undefined): DigestAlgorithm | undefined {
  return kty.startsWith("RSA") ? "PS256" : algorithmOfCurve[crv ?? ""]
}

/** Keys of a file: the first private one signs, the public halves of all are trusted. */
export interface DigestKeyFile {
  readonly signer: DigestSigner
  readonly trusted: TrustedKeys
}

/**
 * Reads a JWK or a JWK Set. A key without `kid` has its RFC 7638 thumbprint for one.
 *
 * @throws ServiceError ERR_DIGEST_KEY for a file that cannot be read or holds a key of another kind. Quotes nothing
 * of it but the path. A file without a private key throws only when it is to sign.
 */
export async function openDigestKeyFile(path: string): Promise<DigestKeyFile> {
  const trusted = new Map<string, TrustedKey>()
  let signing: { readonly kid: string; readonly alg: DigestAlgorithm; readonly key: CryptoKey } | undefined
  for (const jwk of readKeys(path)) {
    const alg = digestAlgorithmOf(jwk.kty, jwk.crv)
    if (!alg) throw unusable(path, "holds a key of a kind that signs no digests")
    const kid = jwk.kid ?? (await calculateJwkThumbprint(jwk as JWK).catch(() => ""))
    trusted.set(kid, { alg, key: await importKey(path, publicHalf(jwk), alg) })
    if (!signing && typeof jwk["d"] === "string") {
      signing = { kid, alg, key: await importKey(path, jwk as JWK, alg) }
    }
  }
  const signingKey = () => {
    if (!signing) throw unusable(path, "holds no private key, so it proves digests and signs none")
    return signing
  }
  return {
    trusted: { find: async (kid) => trusted.get(kid) },
    signer: {
      describe: async () => {
        const { alg, kid } = signingKey()
        return { alg, kid }
      },
      sign: async (input) => {
        const { alg, key } = signingKey()
        return new Uint8Array(await crypto.subtle.sign(subtleOf(alg), key, Uint8Array.from(input)))
      },
    },
  }
}

function readKeys(path: string): readonly z.infer<typeof jwkSchema>[] {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (cause) {
    throw unusable(path, "cannot be read", cause)
  }
  try {
    const parsed = fileSchema.parse(JSON.parse(text))
    return "keys" in parsed ? (parsed.keys as z.infer<typeof jwkSchema>[]) : [parsed]
  } catch {
    throw unusable(path, "is no JWK and no JWK Set of EC and RSA keys")
  }
}

/** Only the members of a public key; whatever else stands there stays out of memory that proves. */
function publicHalf(jwk: z.infer<typeof jwkSchema>): JWK {
  const members = new Set(["kty", "crv", "x", "y", "n", "e"])
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => members.has(name))) as JWK
}

async function importKey(path: string, jwk: JWK, alg: DigestAlgorithm): Promise<CryptoKey> {
  const { key_ops: _operations, ...rest } = jwk
  const key = await importJWK(rest, alg).catch(() => {
    throw unusable(path, "holds a key that cannot be read")
  })
  if (key instanceof Uint8Array) throw unusable(path, "holds a symmetric key")
  return key
}

function subtleOf(alg: DigestAlgorithm) {
  if (alg === "PS256") return { name: "RSA-PSS", saltLength: 32 }
  return { name: "ECDSA", hash: `SHA-${alg === "ES512" ? "512" : alg.slice(2)}` }
}

function unusable(path: string, what: string, cause?: unknown): ServiceError {
  return new ServiceError("ERR_DIGEST_KEY", `The key file ${path} ${what}`, { cause })
}
