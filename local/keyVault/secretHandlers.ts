import { randomBytes } from "node:crypto"
import { z } from "zod"
import { certificateSecretValue } from "./certificateSecret.ts"
import {
  attributesSchema,
  deletionFrom,
  mergeAttributes,
  newAttributes,
  nowSeconds,
  tagsSchema,
} from "./objectAttributes.ts"
import { findSecret, managedByVault, pickDeleted, pickVersion, requireFreeName } from "./objectLookup.ts"
import { pageOf } from "./paging.ts"
import { deletionBody, secretBundle, type SecretFacts, secretItem } from "./secretBundle.ts"
import { badParameter, forbidden } from "./vaultError.ts"
import type { SecretVersion } from "./vaultObject.ts"
import { parseBody, type VaultAnswer, type VaultRequest } from "./vaultRequest.ts"

const maxValueBytes = 25_600
const maxContentTypeLength = 255

const changeSchema = z.object({
  contentType: z.string().max(maxContentTypeLength).nullish(),
  tags: tagsSchema,
  attributes: attributesSchema.nullish(),
})
const setSchema = changeSchema.extend({ value: z.string() })

/** 32 lower-case hexadecimal digits. */
export function newVersionId(): string {
  return randomBytes(16).toString("hex")
}

export function setSecret(request: VaultRequest): VaultAnswer {
  const { vault, name } = request
  const asked = parseBody(request, setSchema)
  if (Buffer.byteLength(asked.value) > maxValueBytes) {
    throw badParameter(`The secret value is larger than the maximum of ${maxValueBytes} bytes`)
  }
  requireFreeName(vault.state, "secret", name)
  const version: SecretVersion = {
    version: newVersionId(),
    value: asked.value,
    contentType: asked.contentType ?? undefined,
    tags: asked.tags ?? undefined,
    attributes: newAttributes(asked.attributes),
  }
  const spelled = vault.state.secrets.find(name)?.name ?? name
  vault.commit({ op: "addSecret", name: spelled, version })
  vault.raise("secret", "NewVersionCreated", spelled)
  return { status: 200, body: { value: version.value, ...secretBundle(vault, spelled, version, false) } }
}

/** Expired versions and those not yet valid are readable; disabled ones are not. */
export function getSecret(request: VaultRequest): VaultAnswer {
  const { vault, name, version } = request
  const source = findSecret(vault.state, name, version)
  if (!source.isManaged) {
    const found = pickVersion("secret", source.object, name, version)
    requireEnabled(found)
    return {
      status: 200,
      body: { value: found.value, ...secretBundle(vault, source.object.name, found, false) },
    }
  }
  const found = pickVersion("secret", source.object, name, version)
  requireEnabled(found)
  const value = certificateSecretValue(found)
  return { status: 200, body: { value, ...secretBundle(vault, source.object.name, found, true) } }
}

function requireEnabled({ attributes }: SecretFacts): void {
  if (attributes.enabled) return
  throw forbidden("SecretDisabled", "Operation get is not allowed on a disabled secret.")
}

export function updateSecret(request: VaultRequest): VaultAnswer {
  const { vault, name } = request
  const asked = parseBody(request, changeSchema)
  const source = findSecret(vault.state, name, request.version)
  if (source.isManaged) throw managedByVault("secret", "update")
  const found = pickVersion("secret", source.object, name, request.version)
  const version: SecretVersion = {
    ...found,
    attributes: mergeAttributes(found.attributes, asked.attributes),
    tags: asked.tags ?? found.tags,
    contentType: asked.contentType ?? found.contentType,
  }
  vault.commit({ op: "replaceSecret", name, version })
  return { status: 200, body: secretBundle(vault, source.object.name, version, false) }
}

export function listSecrets(request: VaultRequest): VaultAnswer {
  const { vault } = request
  const { secrets, certificates } = vault.state
  return pageOf(request, "/secrets", [secrets.names(), certificates.names()], (key) => {
    const { object, isManaged } = findSecret(vault.state, key)
    return secretItem(vault, object.name, object.current, { isManaged, withVersion: false })
  })
}

/** Ordered by version id, which is random: the service promises no order. */
export function listSecretVersions(request: VaultRequest): VaultAnswer {
  const { vault, name } = request
  const { object, isManaged } = findSecret(vault.state, name)
  const ids = [...object.versions.keys()].sort()
  return pageOf(request, `/secrets/${object.name}/versions`, [ids], (id) =>
    secretItem(vault, object.name, pickVersion<SecretFacts>("secret", object, name, id), {
      isManaged,
      withVersion: true,
    }),
  )
}

export function deleteSecret({ vault, name }: VaultRequest): VaultAnswer {
  const { isManaged, object } = findSecret(vault.state, name)
  if (isManaged) throw managedByVault("secret", "delete")
  vault.commit({ op: "delete", kind: "secret", name: object.name, ...deletionFrom(nowSeconds()) })
  return getDeletedSecret({ vault, name })
}

export function getDeletedSecret({ vault, name }: Pick<VaultRequest, "vault" | "name">): VaultAnswer {
  return { status: 200, body: deletedSecretBody(vault, name) }
}

export function listDeletedSecrets(request: VaultRequest): VaultAnswer {
  const { vault } = request
  const { secrets, certificates } = vault.state
  return pageOf(request, "/deletedsecrets", [secrets.deletedNames(), certificates.deletedNames()], (key) => {
    const { name } = secrets.findDeleted(key) ?? pickDeleted("secret", certificates.findDeleted(key), key)
    return { ...deletedSecretBody(vault, key), id: `${vault.url}/secrets/${name}` }
  })
}

export function recoverSecret({ vault, name }: VaultRequest): VaultAnswer {
  const deleted = pickDeleted("secret", vault.state.secrets.findDeleted(name), name)
  vault.commit({ op: "recover", kind: "secret", name: deleted.name })
  return { status: 200, body: secretBundle(vault, deleted.name, deleted.current, false) }
}

export function purgeSecret({ vault, name }: VaultRequest): VaultAnswer {
  const deleted = pickDeleted("secret", vault.state.secrets.findDeleted(name), name)
  vault.commit({ op: "purge", kind: "secret", name: deleted.name })
  return { status: 204 }
}

function deletedSecretBody(vault: VaultRequest["vault"], name: string): Readonly<Record<string, unknown>> {
  const own = vault.state.secrets.findDeleted(name)
  const certificate = vault.state.certificates.findDeleted(name)
  const deleted = own ?? pickDeleted("secret", certificate, name)
  return {
    ...secretBundle(vault, deleted.name, deleted.current, own === undefined),
    ...deletionBody(vault, "secrets", deleted.name, deleted),
  }
}
