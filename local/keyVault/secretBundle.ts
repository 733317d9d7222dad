import { attributesBody } from "./objectAttributes.ts"
import type { Deletion, ObjectVersion } from "./vaultObject.ts"
import type { VaultContext } from "./vaultRequest.ts"

/** What an answer about a secret needs; also a certificate version has it, as the secret it stands behind. */
export type SecretFacts = ObjectVersion & { readonly contentType?: string | undefined }

/** The secret without its value: the answer to everything but get and set. */
export function secretBundle(
  vault: VaultContext,
  name: string,
  facts: SecretFacts,
  isManaged: boolean,
): Readonly<Record<string, unknown>> {
  const id = `${vault.url}/secrets/${name}/${facts.version}`
  return {
    contentType: facts.contentType,
    id,
    ...(isManaged && { managed: true, kid: `${vault.url}/keys/${name}/${facts.version}` }),
    attributes: attributesBody(facts),
    tags: facts.tags,
  }
}

/** A list item; in the list of secrets its id has no version. */
export function secretItem(
  vault: VaultContext,
  name: string,
  facts: SecretFacts,
  init: { readonly isManaged: boolean; readonly withVersion: boolean },
): Readonly<Record<string, unknown>> {
  const id = `${vault.url}/secrets/${name}${init.withVersion ? `/${facts.version}` : ""}`
  return {
    contentType: facts.contentType,
    id,
    ...(init.isManaged && { managed: true }),
    attributes: attributesBody(facts),
    tags: facts.tags,
  }
}

/** What an answer about a deleted object says beside the object itself. */
export function deletionBody(
  vault: VaultContext,
  collection: string,
  name: string,
  { deletedAt, purgeAt }: Deletion,
): Readonly<Record<string, unknown>> {
  return {
    recoveryId: `${vault.url}/deleted${collection}/${name}`,
    deletedDate: deletedAt,
    scheduledPurgeDate: purgeAt,
  }
}
