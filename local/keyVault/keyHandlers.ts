import { z } from "zod"
import { privateKeyOf } from "./certificateSecret.ts"
import { type KeyFactsOfVersion, keyBundle, keyItem, operationsOf } from "./keyBundle.ts"
import { describeKey, generatePrivateKey, keyFactsSchema } from "./keyFacts.ts"
import { signDigest, unwrapKey, verifyDigest, wrapKey } from "./keyOperations.ts"
import { attributesSchema, mergeAttributes, newAttributes, tagsSchema } from "./objectAttributes.ts"
import { findKey, managedByVault, pickVersion, requireFreeName } from "./objectLookup.ts"
import { pageOf } from "./paging.ts"
import { newVersionId } from "./secretHandlers.ts"
import { forbidden } from "./vaultError.ts"
import type { KeyVersion } from "./vaultObject.ts"
import { parseBody, type VaultAnswer, type VaultRequest } from "./vaultRequest.ts"

const base64url = z.string().regex(/^[A-Za-z0-9_-]*=*$/)
const operationsSchema = z.array(z.string().max(32)).nullish()
const changeSchema = z.object({
  key_ops: operationsSchema,
  tags: tagsSchema,
  attributes: attributesSchema.nullish(),
})
const createSchema = keyFactsSchema.extend(changeSchema.shape)
const operationSchema = z.object({ alg: z.string(), value: base64url })
const verifySchema = z.object({ alg: z.string(), digest: base64url, value: base64url })

export async function createKey(request: VaultRequest): Promise<VaultAnswer> {
  const { vault, name } = request
  const asked = parseBody(request, createSchema)
  requireFreeName(vault.state, "key", name)
  const privateKey = await generatePrivateKey(describeKey(asked))
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
  const draft = { privateKey: pem, version: newVersionId(), attributes: newAttributes(asked.attributes) }
  const version: KeyVersion = {
    ...draft,
    operations: asked.key_ops ?? operationsOf(draft),
    tags: asked.tags ?? undefined,
  }
  requireFreeName(vault.state, "key", name)
  const spelled = vault.state.keys.find(name)?.name ?? name
  vault.commit({ op: "addKey", name: spelled, version })
  vault.raise("key", "NewVersionCreated", spelled)
  return { status: 200, body: keyBundle(vault, spelled, version, false) }
}

export function getKey({ vault, name, version }: VaultRequest): VaultAnswer {
  const { object, isManaged } = findKey(vault.state, name, version)
  const found = pickVersion<KeyFactsOfVersion>("key", object, name, version)
  return { status: 200, body: keyBundle(vault, object.name, found, isManaged) }
}

export function updateKey(request: VaultRequest): VaultAnswer {
  const { vault, name } = request
  const asked = parseBody(request, changeSchema)
  const source = findKey(vault.state, name, request.version)
  if (source.isManaged) throw managedByVault("key", "update")
  const found = pickVersion("key", source.object, name, request.version)
  const version: KeyVersion = {
    ...found,
    attributes: mergeAttributes(found.attributes, asked.attributes),
    tags: asked.tags ?? found.tags,
    operations: asked.key_ops ?? found.operations,
  }
  vault.commit({ op: "replaceKey", name, version })
  return { status: 200, body: keyBundle(vault, source.object.name, version, false) }
}

export function listKeys(request: VaultRequest): VaultAnswer {
  const { vault } = request
  const { keys, certificates } = vault.state
  return pageOf(request, "/keys", [keys.names(), certificates.names()], (key) => {
    const { object, isManaged } = findKey(vault.state, key)
    return keyItem(vault, object.name, object.current, { isManaged, withVersion: false })
  })
}

/** Ordered by version id, which is random: the service promises no order. */
export function listKeyVersions(request: VaultRequest): VaultAnswer {
  const { vault, name } = request
  const { object, isManaged } = findKey(vault.state, name)
  const ids = [...object.versions.keys()].sort()
  return pageOf(request, `/keys/${object.name}/versions`, [ids], (id) =>
    keyItem(vault, object.name, pickVersion<KeyFactsOfVersion>("key", object, name, id), {
      isManaged,
      withVersion: true,
    }),
  )
}

export function wrapWithKey(request: VaultRequest): VaultAnswer {
  const { alg, value } = parseBody(request, operationSchema)
  const { kid, key } = usableKey(request, "wrapKey")
  return result(kid, wrapKey(key, alg, Buffer.from(value, "base64url")))
}

export function unwrapWithKey(request: VaultRequest): VaultAnswer {
  const { alg, value } = parseBody(request, operationSchema)
  const { kid, key } = usableKey(request, "unwrapKey")
  return result(kid, unwrapKey(key, alg, Buffer.from(value, "base64url")))
}

export function signWithKey(request: VaultRequest): VaultAnswer {
  const { alg, value } = parseBody(request, operationSchema)
  const { kid, key } = usableKey(request, "sign")
  return result(kid, signDigest(key, alg, Buffer.from(value, "base64url")))
}

export function verifyWithKey(request: VaultRequest): VaultAnswer {
  const { alg, digest, value } = parseBody(request, verifySchema)
  const { key } = usableKey(request, "verify")
  const isValid = verifyDigest(key, alg, Buffer.from(digest, "base64url"), Buffer.from(value, "base64url"))
  return { status: 200, body: { value: isValid } }
}

/** A key that is enabled, within its time, and meant for `operation`: using a key is stricter than reading a secret. */
function usableKey({ vault, name, version }: VaultRequest, operation: string) {
  const { object } = findKey(vault.state, name, version)
  const found = pickVersion<KeyFactsOfVersion>("key", object, name, version)
  if (!found.attributes.enabled) {
    throw forbidden("KeyDisabled", `Operation ${operation} is not allowed on a disabled key.`)
  }
  const { notBefore = 0, expires = Number.POSITIVE_INFINITY } = found.attributes
  const now = Date.now() / 1000
  if (now < notBefore)
    throw forbidden("KeyNotYetValid", `Operation ${operation} is not allowed on a key that is not yet valid.`)
  // Decrypting and verifying go on after expiry: https://learn.microsoft.com/azure/key-vault/keys/about-keys-details
  if (now >= expires && operation !== "unwrapKey" && operation !== "verify") {
    throw forbidden("KeyExpired", `Operation ${operation} is not allowed on an expired key.`)
  }
  if (!operationsOf(found).includes(operation)) {
    throw forbidden("KeyOperationForbidden", `Operation ${operation} is not permitted on this key.`)
  }
  return { kid: `${vault.url}/keys/${object.name}/${found.version}`, key: privateKeyOf(found) }
}

function result(kid: string, value: Buffer): VaultAnswer {
  return { status: 200, body: { kid, value: value.toString("base64url") } }
}
