import { flattenedVerify } from "jose"
import { z } from "zod"
import { type DigestSigner, digestAlgorithms, type TrustedKeys } from "./digestKey.ts"
import { isDay } from "./digestDay.ts"

/** Format of a digest, and `typ` of its signature. */
export const digestFormat = "keyvault-digest/1"
export const digestType = "kvb-digest+json"

const day = z.string().refine(isDay, "must be a day")
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().min(0)

/** What a digest says, for reading it and for `docs/schemas/digest.json`. */
export const digestSchema = z.object({
  format: z.literal(digestFormat),
  store: z.string(),
  day,
  previous: z.object({ day, blob: z.string(), sha256 }).optional(),
  entries: z.object({ count, sha256 }),
  lists: z.array(z.object({ blob: z.string(), count, sizeBytes: count, sha256 })),
  madeAt: z.iso.datetime({ precision: 3 }),
})

/** What is signed: which entries a day has, and which digest came before. */
export type Digest = z.infer<typeof digestSchema>

/** A digest as it is stored: JWS in flattened JSON form, for reading it and for `docs/schemas/signedDigest.json`. */
export const signedDigestSchema = z.object({
  payload: z.string(),
  protected: z.string(),
  signature: z.string(),
})

const headerSchema = z.strictObject({
  alg: z.enum(digestAlgorithms),
  kid: z.string().min(1),
  typ: z.literal(digestType),
})

/** What a stored blob is, once it was held against the trusted keys. */
export type OpenedDigest =
  | { readonly kind: "signed"; readonly digest: Digest; readonly kid: string }
  /** No digest at all, or one of a form this release does not know. */
  | { readonly kind: "malformed" }
  /** Signed by a key that nobody here trusts. */
  | { readonly kind: "untrusted"; readonly kid: string }
  /** It names a trusted key, and that key has not signed this. */
  | { readonly kind: "forged"; readonly kid: string }
  /** A trusted key has signed it, for another store or another day. */
  | { readonly kind: "misplaced"; readonly store: string; readonly day: string }

/**
 * Signs a digest: flattened JWS JSON with `alg`, `kid` and `typ` in its protected header, as bytes to be stored.
 *
 * @throws ServiceError as DigestSigner does.
 */
export async function signDigest(digest: Digest, signer: DigestSigner): Promise<Uint8Array> {
  const { alg, kid } = await signer.describe()
  const header = base64url(JSON.stringify({ alg, kid, typ: digestType }))
  const payload = base64url(JSON.stringify(digest))
  const signature = await signer.sign(Buffer.from(`${header}.${payload}`), kid)
  const jws = { payload, protected: header, signature: Buffer.from(signature).toString("base64url") }
  return Buffer.from(`${JSON.stringify(jws)}\n`)
}

/**
 * Opens a stored digest. What it says is believed only where a trusted key has signed it.
 *
 * @throws ServiceError as TrustedKeys does, when it cannot be told whether a key is trusted.
 */
export async function openDigest(bytes: Uint8Array, keys: TrustedKeys): Promise<OpenedDigest> {
  const jws = signedDigestSchema.safeParse(parseJson(Buffer.from(bytes).toString("utf8"))).data
  const header = headerSchema.safeParse(parseJson(fromBase64url(jws?.protected ?? ""))).data
  if (!jws || !header) return { kind: "malformed" }
  const { kid, alg } = header
  const trusted = await keys.find(kid)
  if (!trusted || trusted.alg !== alg) return { kind: "untrusted", kid }
  const payload = await flattenedVerify(
    { payload: jws.payload, protected: jws.protected, signature: jws.signature },
    trusted.key,
    { algorithms: [trusted.alg] },
  ).then(
    ({ payload }) => payload,
    () => undefined,
  )
  if (!payload) return { kind: "forged", kid }
  const digest = digestSchema.safeParse(parseJson(Buffer.from(payload).toString("utf8"))).data
  return digest ? { kind: "signed", digest, kid } : { kind: "malformed" }
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url")
}

function fromBase64url(text: string): string {
  return Buffer.from(text, "base64url").toString("utf8")
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
