import type { Job } from "../access/job.ts"
import { vaultActions } from "../keyVault/routes.ts"

const secrets = "Microsoft.KeyVault/vaults/secrets"
const certificates = "Microsoft.KeyVault/vaults/certificates"
const keys = "Microsoft.KeyVault/vaults/keys"
const containers = "Microsoft.Storage/storageAccounts/blobServices/containers"
const blobs = `${containers}/blobs`
const messages = "Microsoft.ServiceBus/namespaces/messages"

/** The secret that the canary sets, in the first vault of a cloud. */
export const canarySecretName = "kvbackup-canary"

/** Names of the containers and queues that the grants hold for. */
export interface RoleScopes {
  readonly container: string
  readonly stateContainer: string
  readonly deadLetterContainer: string
  readonly queue: string
  readonly quarantineQueue: string
  /** `vault/secrets/name` of the one secret that the canary sets. Absent, it may set none. */
  readonly canarySecret?: string
}

/**
 * What each job may do by default: exactly the table of identities of the design, one custom role an identity. A
 * grant that reads or adds only below some prefixes stands for a role condition; `list` shows names and metadata alone.
 */
export function defaultRoles(scopes: RoleScopes): Readonly<Record<Job, readonly string[]>> {
  const { container, stateContainer, deadLetterContainer, queue, quarantineQueue, canarySecret } = scopes
  const list = `list on ${container}/`
  const addBelow = (...prefixes: readonly string[]) =>
    prefixes.map((prefix) => `${blobs}/add/action on ${container}/${prefix}/`)
  const readBelow = (...prefixes: readonly string[]) =>
    prefixes.map((prefix) => `${blobs}/read on ${container}/${prefix}/`)
  const send = (name: string) => `${messages}/send/action on ${name}`
  const receive = (name: string) => `${messages}/receive/action on ${name}`
  const readSecret = `${secrets}/getSecret/action`
  const listSecrets = `${secrets}/readMetadata/action`
  const readCertificates = `${certificates}/read`
  const unwrap = `${keys}/unwrap/action`
  return {
    backup: [
      readSecret,
      readCertificates,
      ...addBelow("v1", "gaps", "probe"),
      `${containers}/read on ${container}/`,
      receive(queue),
      send(queue),
      send(quarantineQueue),
    ],
    reconcile: [
      listSecrets,
      readCertificates,
      list,
      ...readBelow("reconcile"),
      ...addBelow("gaps", "reconcile"),
      send(queue),
    ],
    audit: [
      list,
      ...readBelow("digest", "reconcile", "journal", "drill"),
      ...addBelow("digest"),
      receive(queue),
      receive(quarantineQueue),
      `${keys}/read`,
      `${keys}/sign/action`,
    ],
    replay: [
      list,
      ...readBelow("journal"),
      ...addBelow("journal"),
      receive(queue),
      receive(quarantineQueue),
      send(queue),
      send(quarantineQueue),
      `${blobs}/read on ${deadLetterContainer}/`,
      `${blobs}/read on ${stateContainer}/replay.lease`,
      `${blobs}/write on ${stateContainer}/replay.lease`,
    ],
    canary: [...(canarySecret === undefined ? [] : [`${secrets}/setSecret/action on ${canarySecret}`]), list],
    verify: [readSecret, listSecrets, readCertificates, `${blobs}/read on ${container}/`, unwrap],
    restore: [
      readSecret,
      listSecrets,
      `${secrets}/setSecret/action`,
      readCertificates,
      `${certificates}/import/action`,
      `${blobs}/read on ${container}/`,
      unwrap,
    ],
    // The person at the keyboard: every vault action, list and read blobs, send and receive.
    user: [
      ...vaultActions,
      `${blobs}/read`,
      `${containers}/read`,
      `${messages}/send/action`,
      `${messages}/receive/action`,
    ],
    eventgrid: [
      send(queue),
      `${blobs}/add/action on ${deadLetterContainer}/`,
      `${blobs}/write on ${deadLetterContainer}/`,
    ],
  }
}
