import type { Job } from "../access/job.ts"
import type { TokenAuthority } from "../access/tokenAuthority.ts"
import { canarySecretName, type RoleScopes } from "./defaultRoles.ts"

export interface WorkerSettingsOptions {
  readonly authority: TokenAuthority
  readonly identity: { readonly url: string; readonly header: string }
  readonly blobUrl: string
  readonly vaultUrls: readonly string[]
  readonly fullyQualifiedNamespace: string
  /** Public JWK Set. */
  readonly recipients: string
  /** File with the private key that signs digests. */
  readonly digestKeyFile: string
  readonly scopes: RoleScopes
  /** Replace or join the rest; an empty value takes one away. */
  readonly overrides: Readonly<Record<string, string>>
}

/**
 * App settings of the local functions host: those that a deployment has, with local addresses. Development mode for one
 * reason only: a vault at 127.0.0.1 cannot pass the check of the challenge's resource.
 */
export function workerSettings(options: WorkerSettingsOptions): Record<string, string> {
  const { authority, identity, scopes } = options
  const clientIdOf = (job: Job) => authority.callers.get(job)?.clientId ?? ""
  const clientId = clientIdOf("backup")
  const settings: Record<string, string> = {
    BACKUP_MODE: "development",
    BACKUP_VAULTS: options.vaultUrls.join(","),
    BACKUP_VAULT_CHALLENGE_CHECK: "off",
    BACKUP_STORE_URL: options.blobUrl,
    BACKUP_STORE_CONTAINER: scopes.container,
    BACKUP_STATE_CONTAINER: scopes.stateContainer,
    BACKUP_QUEUE: scopes.queue,
    BACKUP_QUARANTINE_QUEUE: scopes.quarantineQueue,
    BACKUP_RECIPIENTS: options.recipients,
    BACKUP_DEADLETTER_URL: options.blobUrl,
    BACKUP_DEADLETTER_CONTAINER: scopes.deadLetterContainer,
    BACKUP_BACKUP_CLIENT_ID: clientId,
    BACKUP_REPLAY_CLIENT_ID: clientIdOf("replay"),
    BACKUP_AUDIT_CLIENT_ID: clientIdOf("audit"),
    BACKUP_RECONCILE_CLIENT_ID: clientIdOf("reconcile"),
    BACKUP_DIGEST_KEY: options.digestKeyFile,
    BACKUP_CANARY_CLIENT_ID: clientIdOf("canary"),
    BACKUP_CANARY_SECRET: `${options.vaultUrls[0]}/secrets/${canarySecretName}`,
    BackupServiceBus__fullyQualifiedNamespace: options.fullyQualifiedNamespace,
    BackupServiceBus__credential: "managedidentity",
    BackupServiceBus__clientId: clientId,
    // What App Service sets where it signs people in; startLatencyPage plays that part.
    WEBSITE_AUTH_ENABLED: "True",
    IDENTITY_ENDPOINT: identity.url,
    IDENTITY_HEADER: identity.header,
    ...options.overrides,
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ""))
}
