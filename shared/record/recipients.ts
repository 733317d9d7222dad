import { type CryptoKey, importJWK } from "jose"
import { z } from "zod"
import { ServiceError } from "../errors.ts"

/** A public key that a record is sealed to. */
export interface Recipient {
  /** For a Key Vault key the full key URL with version. */
  readonly kid: string
  readonly alg: "RSA-OAEP-256" | "ECDH-ES+A256KW"
  readonly key: CryptoKey
}

/** Recipients of every vault: its own list, or the default one. */
export interface RecipientKeys {
  readonly default: readonly PublicJwk[]
  /** By vault URL (`https://host[:port]`). */
  readonly byVault: ReadonlyMap<string, readonly PublicJwk[]>
}

const kid = z
  .string()
  .regex(
    /^[\x21-\x2b\x2d-\x7e]{1,256}$/,
    "kid must be 1 to 256 printable ASCII characters without comma or space",
  )

const publicJwkSchema = z.discriminatedUnion("kty", [
  z.object({
    kty: z.literal("RSA"),
    kid,
    n: z.string().min(342, "RSA keys need 2048 bits or more"),
    e: z.string(),
  }),
  z.object({
    kty: z.literal("EC"),
    kid,
    crv: z.enum(["P-256", "P-384", "P-521"]),
    x: z.string(),
    y: z.string(),
  }),
])

/** A public JSON Web Key, RSA (2048 bits or more) or EC. */
export type PublicJwk = z.infer<typeof publicJwkSchema>

const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

/**
 * Reads the recipients setting: a JWK Set, or a map of vault URL to JWK Set with the key `default` for the rest.
 *
 * @returns the keys, or every problem in words that name the key and never quote key material.
 */
export function parseRecipientKeys(
  text: string,
): { readonly keys: RecipientKeys } | { readonly problems: readonly string[] } {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return {
      problems: ['it is not JSON; expected a JWK Set {"keys": […]}, or a map of vault URL to JWK Set'],
    }
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return { problems: ["it must be a JWK Set, or a map of vault URL to JWK Set"] }
  }
  const problems: string[] = []
  if ("keys" in json) {
    const keys = parseSet(json, "", problems)
    return problems.length > 0 ? { problems } : { keys: { default: keys, byVault: new Map() } }
  }
  const byVault = new Map<string, readonly PublicJwk[]>()
  let rest: readonly PublicJwk[] = []
  for (const [vault, set] of Object.entries(json)) {
    const keys = parseSet(set, ` of ${vault}`, problems)
    const folded = vault.toLowerCase().replace(/\/+$/, "")
    if (vault === "default") rest = keys
    else if (byVault.has(folded)) problems.push(`${folded} is named twice`)
    else byVault.set(folded, keys)
  }
  if (byVault.size === 0 && rest.length === 0 && problems.length === 0) problems.push("it names no key")
  return problems.length > 0 ? { problems } : { keys: { default: rest, byVault } }
}

function parseSet(set: unknown, where: string, problems: string[]): PublicJwk[] {
  const list: unknown = typeof set === "object" && set !== null ? Reflect.get(set, "keys") : undefined
  if (!Array.isArray(list) || list.length === 0) {
    problems.push(`the JWK Set${where} has no keys`)
    return []
  }
  const keys: PublicJwk[] = []
  for (const [index, jwk] of list.entries()) {
    const place = `key ${index + 1}${where}`
    if (typeof jwk === "object" && jwk !== null && privateMembers.some((member) => member in jwk)) {
      problems.push(
        `${place} holds a private or secret member; give the public key only, and treat that key as exposed`,
      )
      continue
    }
    const parsed = publicJwkSchema.safeParse(jwk)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      problems.push(`${place} is no usable public key: ${issue?.path.join(".") || "key"}: ${issue?.message}`)
    } else if (keys.some((other) => other.kid === parsed.data.kid)) {
      problems.push(`${place} repeats the kid of an earlier key`)
    } else {
      keys.push(parsed.data)
    }
  }
  return keys
}

/** The keys that records of `vault` are sealed to. */
export function recipientsOf(vault: string, keys: RecipientKeys): readonly PublicJwk[] {
  return keys.byVault.get(vault) ?? keys.default
}

/**
 * Imports public keys for sealing. RSA keys wrap with RSA-OAEP-256, EC keys with ECDH-ES+A256KW.
 *
 * @throws ServiceError ERR_CONFIG_INVALID for a key that looks right and is none, such as a point off its curve.
 */
export async function importRecipients(jwks: readonly PublicJwk[]): Promise<Recipient[]> {
  return Promise.all(
    jwks.map(async (jwk) => {
      const alg = jwk.kty === "RSA" ? "RSA-OAEP-256" : "ECDH-ES+A256KW"
      const key = await importJWK(jwk, alg).catch((cause: unknown) => {
        throw new ServiceError(
          "ERR_CONFIG_INVALID",
          `BACKUP_RECIPIENTS: the key ${jwk.kid} is no public key`,
          {
            cause,
          },
        )
      })
      if (key instanceof Uint8Array) throw new TypeError("A public key was expected")
      return { kid: jwk.kid, alg, key } satisfies Recipient
    }),
  )
}
