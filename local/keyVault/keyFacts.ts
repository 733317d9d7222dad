import { generateKeyPair, KeyObject } from "node:crypto"
import { promisify } from "node:util"
import { z } from "zod"
import { badParameter } from "./vaultError.ts"

const curves = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" } as const
const rsaSizes: ReadonlySet<number> = new Set([2048, 3072, 4096])

type CurveName = keyof typeof curves

/** How a request says what kind of key it wants. */
export const keyFactsSchema = z.object({
  kty: z.enum(["RSA", "EC", "RSA-HSM", "EC-HSM"]).nullish(),
  key_size: z.int().nullish(),
  crv: z.enum(["P-256", "P-384", "P-521"]).nullish(),
})

export type KeyFactsRequest = z.infer<typeof keyFactsSchema>

/** What kind of key one is; `key_size` in bits. */
export type KeyFacts =
  | { readonly kty: "RSA"; readonly key_size: number }
  | { readonly kty: "EC"; readonly crv: CurveName; readonly key_size: number }

/**
 * What kind a key is, or what kind is asked for where things are left open: RSA of 2048 bits, curve P-256.
 *
 * @throws VaultError 400 BadParameter for a size or kind the vault does not make.
 */
export function describeKey(key: KeyObject | KeyFactsRequest): KeyFacts {
  if (key instanceof KeyObject) {
    const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
    if (key.asymmetricKeyType === "rsa" && modulusLength !== undefined) return rsaFacts(modulusLength)
    for (const crv of ["P-256", "P-384", "P-521"] as const)
      if (curves[crv] === namedCurve) return ecFacts(crv)
    throw badParameter("The key is neither RSA nor on one of the curves P-256, P-384 and P-521")
  }
  if (key.kty?.endsWith("-HSM")) throw badParameter("This vault has no HSM keys")
  if (key.kty === "EC" || (!key.kty && key.crv)) return ecFacts(key.crv ?? "P-256")
  return rsaFacts(key.key_size ?? 2048)
}

/** Makes a key and gives its private half. RSA takes up to some seconds, off the main thread. */
export async function generatePrivateKey(facts: KeyFacts): Promise<KeyObject> {
  const generate = promisify(generateKeyPair)
  const { privateKey } =
    facts.kty === "EC"
      ? await generate("ec", { namedCurve: curves[facts.crv] })
      : await generate("rsa", { modulusLength: facts.key_size })
  return privateKey
}

function rsaFacts(bits: number): KeyFacts {
  if (!rsaSizes.has(bits)) throw badParameter("RSA keys have 2048, 3072 or 4096 bits")
  return { kty: "RSA", key_size: bits }
}

function ecFacts(crv: CurveName): KeyFacts {
  return { kty: "EC", crv, key_size: Number(crv.slice(2)) }
}
