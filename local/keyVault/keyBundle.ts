import { createPublicKey } from "node:crypto"
import { privateKeyOf } from "./certificateSecret.ts"
import { attributesBody } from "./objectAttributes.ts"
import type { ObjectVersion } from "./vaultObject.ts"
import type { VaultContext } from "./vaultRequest.ts"

/** What an answer about a key needs; also a certificate version has it, as the key it stands for. */
export type KeyFactsOfVersion = ObjectVersion & {
  readonly privateKey: string
  readonly operations?: readonly string[]
}

const rsaOperations = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"] as const
const ecOperations = ["sign", "verify"] as const

/** What a key may be used for; absent a choice, everything its kind can do. */
export function operationsOf(version: KeyFactsOfVersion): readonly string[] {
  return (
    version.operations ?? (privateKeyOf(version).asymmetricKeyType === "rsa" ? rsaOperations : ecOperations)
  )
}

/** A key version with its public half as a JWK; the private half never leaves. */
export function keyBundle(
  vault: VaultContext,
  name: string,
  version: KeyFactsOfVersion,
  isManaged: boolean,
): Readonly<Record<string, unknown>> {
  const kid = `${vault.url}/keys/${name}/${version.version}`
  const jwk = createPublicKey(privateKeyOf(version)).export({ format: "jwk" })
  return {
    key: {
      kid,
      kty: jwk.kty,
      key_ops: operationsOf(version),
      n: jwk.n,
      e: jwk.e,
      crv: jwk.crv,
      x: jwk.x,
      y: jwk.y,
    },
    attributes: attributesBody(version),
    tags: version.tags,
    ...(isManaged && { managed: true }),
  }
}

/** A list item; in the list of keys its id has no version. */
export function keyItem(
  vault: VaultContext,
  name: string,
  version: KeyFactsOfVersion,
  init: { readonly isManaged: boolean; readonly withVersion: boolean },
): Readonly<Record<string, unknown>> {
  return {
    kid: `${vault.url}/keys/${name}${init.withVersion ? `/${version.version}` : ""}`,
    attributes: attributesBody(version),
    tags: version.tags,
    ...(init.isManaged && { managed: true }),
  }
}
