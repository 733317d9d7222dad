import { AsyncLocalStorage } from "node:async_hooks"
import type { PipelinePolicy } from "@azure/core-rest-pipeline"
import type { SecretProperties } from "@azure/keyvault-secrets"
import { fromVaultError, nameConflictOf } from "../azureErrors.ts"
import { type ObjectVersion, parseVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import { type AzureVaultOptions, createVaultClients, type VaultClients } from "./azureVaultClients.ts"
import type { NameState, NewCertificate, VaultWriter } from "./vaultWriter.ts"

type CallOptions = { readonly abortSignal?: AbortSignal }

/**
 * Writes through the Key Vault REST API. See VaultWriter for the promise.
 *
 * @param options.httpClient - must not send a PUT a second time by itself: each makes a version.
 */
export function createAzureVaultWriter(options: AzureVaultOptions): VaultWriter {
  const importBody = new AsyncLocalStorage<string>()
  const clientsOf = createVaultClients(options, [putBody(importBody)])
  return {
    look: async (vault, name, { signal } = {}) => {
      const callOptions = signal ? { abortSignal: signal } : {}
      return lookUnder(clientsOf(vault), vault, name, callOptions)
    },
    setSecret: async (vault, name, secret, { signal } = {}) => {
      const { value, contentType, tags, enabled, notBefore, expires } = secret
      try {
        const { properties } = await clientsOf(vault).secrets.setSecret(name, value.reveal(), {
          ...(contentType === undefined ? {} : { contentType }),
          tags: { ...tags },
          enabled,
          ...(notBefore ? { notBefore } : {}),
          ...(expires ? { expiresOn: expires } : {}),
          ...(signal ? { abortSignal: signal } : {}),
        })
        return versionOf(properties.id, vault)
      } catch (thrown) {
        throw toWriteError(thrown, vault, name)
      }
    },
    importCertificate: async (vault, name, certificate, { signal } = {}) => {
      const send = async (policy: NewCertificate["policy"]) => {
        const body = JSON.stringify(bodyOf(certificate, policy))
        const callOptions = signal ? { abortSignal: signal } : {}
        const { properties } = await importBody.run(body, () =>
          clientsOf(vault).certificates.importCertificate(name, new Uint8Array(), callOptions),
        )
        return versionOf(properties.id, vault)
      }
      const { contentType } = certificate
      try {
        return { object: await send(certificate.policy), isPolicyKept: true }
      } catch (thrown) {
        // 400 made nothing. Which issuers and actions an import may name is not documented; without them it goes.
        if (statusOf(thrown) !== 400) throw toWriteError(thrown, vault, name)
      }
      try {
        return { object: await send({ secret_props: { contentType } }), isPolicyKept: false }
      } catch (thrown) {
        throw toWriteError(thrown, vault, name)
      }
    },
  }
}

/** Version 4.10.3 of the client leaves policy and attributes out of an import, so the body is made here. */
function bodyOf({ material, tags, enabled }: NewCertificate, policy: NewCertificate["policy"]) {
  return { value: material.reveal(), policy, attributes: { enabled }, tags }
}

function putBody(bodies: AsyncLocalStorage<string>): PipelinePolicy {
  return {
    name: "putImportBody",
    sendRequest: (request, next) => {
      const body = bodies.getStore()
      if (body !== undefined && request.method === "POST") request.body = body
      return next(request)
    },
  }
}

async function lookUnder(
  clients: VaultClients,
  vault: string,
  name: string,
  options: CallOptions,
): Promise<NameState> {
  const details = { vault, name }
  try {
    const { properties } = await clients.secrets.getSecret(name, options)
    return secretState(properties, vault)
  } catch (thrown) {
    const error = toWriteError(thrown, vault, name)
    if (error.code === "ERR_VAULT_VERSION_DISABLED") return disabledState(clients, vault, name, options)
    if (error.code !== "ERR_VAULT_VERSION_ABSENT") throw error
  }
  const isDeleted =
    (await exists(() => clients.secrets.getDeletedSecret(name, options), details)) ||
    (await exists(() => clients.certificates.getDeletedCertificate(name, options), details))
  return { state: isDeleted ? "deleted" : "free" }
}

function secretState(properties: SecretProperties, vault: string): NameState {
  const { managed, certificateKeyId, enabled = true, tags = {} } = properties
  const secret = versionOf(properties.id, vault)
  const isManaged = managed === true || certificateKeyId !== undefined
  return {
    state: "taken",
    current: isManaged ? { ...secret, kind: "certificate" } : secret,
    enabled,
    tags: { ...tags },
  }
}

/** The value of a disabled version cannot be had; its certificate, or the list of versions, tells the rest. */
async function disabledState(
  { secrets, certificates }: VaultClients,
  vault: string,
  name: string,
  options: CallOptions,
): Promise<NameState> {
  try {
    const { properties } = await certificates.getCertificate(name, options)
    return {
      state: "taken",
      current: versionOf(properties.id, vault),
      enabled: properties.enabled ?? true,
      tags: { ...properties.tags },
    }
  } catch (thrown) {
    const error = fromVaultError(thrown, { vault, name })
    if (error.code !== "ERR_VAULT_VERSION_ABSENT") throw error
  }
  let newest: SecretProperties | undefined
  try {
    for await (const version of secrets.listPropertiesOfSecretVersions(name, options)) {
      if (!newest || (version.createdOn ?? 0) >= (newest.createdOn ?? 0)) newest = version
    }
  } catch (thrown) {
    throw fromVaultError(thrown, { vault, name })
  }
  if (newest) return secretState({ ...newest, enabled: false }, vault)
  throw new ServiceError("ERR_VAULT_RESPONSE_INVALID", "The vault lists no version of a secret it has", {
    details: { vault, name },
  })
}

/** Who may not look at deleted objects is told of them by the write. */
async function exists(
  ask: () => Promise<unknown>,
  details: Readonly<Record<string, string>>,
): Promise<boolean> {
  try {
    await ask()
    return true
  } catch (thrown) {
    const error = fromVaultError(thrown, details)
    if (error.code === "ERR_VAULT_VERSION_ABSENT" || error.code === "ERR_VAULT_FORBIDDEN") return false
    throw error
  }
}

function versionOf(id: string | undefined, vault: string): ObjectVersion {
  const parsed = parseVersionUrl(id ?? "")
  if ("object" in parsed && parsed.object.vault === vault) return parsed.object
  throw new ServiceError("ERR_VAULT_RESPONSE_INVALID", "The vault's answer is no version of its own", {
    details: { vault },
  })
}

function statusOf(thrown: unknown): unknown {
  return typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, "statusCode") : undefined
}

const forbiddenHint =
  "Assign to yourself at the target vault what restore needs: set and get secrets, import and get certificates, list both."

/** Without the error's cause: the client's own holds the request, and its body the value. */
function toWriteError(thrown: unknown, vault: string, name: string): ServiceError {
  const { code, message, retryAfterMs } = fromVaultError(thrown, {})
  const details = { vault, name }
  const conflict = nameConflictOf(thrown)
  if (conflict === "deleted") {
    return new ServiceError("ERR_RESTORE_TARGET_DELETED", "The vault has a deleted object of that name", {
      details,
    })
  }
  if (conflict === "taken") {
    return new ServiceError("ERR_RESTORE_TARGET_EXISTS", "The vault has the name already", { details })
  }
  return new ServiceError(code, message.replace(/^\[\w+\] /, ""), {
    details,
    ...(code === "ERR_VAULT_FORBIDDEN" ? { hint: forbiddenHint } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
