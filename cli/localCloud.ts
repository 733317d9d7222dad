import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import tls from "node:tls"
import { z } from "zod"
import { ServiceError } from "../shared/errors.ts"

const identity = z.object({ clientId: z.string() })

/** What a command needs of `.local/cloud.json`; the file says more, for people and other tools. */
const cloudSchema = z.object({
  format: z.literal("kvbackup-local/1"),
  pid: z.number().int(),
  caFile: z.string(),
  vaults: z.array(z.object({ url: z.string(), name: z.string() })).min(1),
  blob: z.object({
    url: z.string(),
    container: z.string(),
    stateContainer: z.string(),
    deadLetterContainer: z.string(),
  }),
  serviceBus: z.object({
    fullyQualifiedNamespace: z.string(),
    queue: z.string(),
    quarantineQueue: z.string(),
  }),
  identities: z.record(z.string(), identity),
  identityEndpoint: z.object({ url: z.string(), header: z.string() }),
  arm: z.object({ url: z.string() }),
  recoveryKeyFile: z.string(),
  digestKeyFile: z.string(),
})

/** Settings of a running local cloud, as the environment of a deployed app would carry them. */
export interface LocalCloud {
  readonly env: Readonly<Record<string, string>>
  readonly recoveryKeyFile: string
  readonly managementUrl: string
}

const jobs = ["backup", "reconcile", "audit", "replay", "canary", "verify", "restore"]

/**
 * Reads `.local/cloud.json` below `directory` and makes this process trust the cloud's certificate authority and ask
 * its identity endpoint, as an app in Azure asks its own.
 *
 * @throws ServiceError ERR_CONFIG_INVALID when no local cloud runs here.
 */
export function readLocalCloud(directory: string): LocalCloud {
  const file = join(directory, ".local", "cloud.json")
  if (!existsSync(file)) throw notRunning("There is no .local/cloud.json here")
  const parsed = cloudSchema.safeParse(parseJson(readFileSync(file, "utf8")))
  if (!parsed.success) throw notRunning(".local/cloud.json is not what this release writes")
  const { data: cloud } = parsed
  if (!isAlive(cloud.pid)) throw notRunning("The local cloud that wrote .local/cloud.json has ended")
  if (!existsSync(cloud.caFile)) throw notRunning("The certificate of the local cloud is gone")
  trust(readFileSync(cloud.caFile, "utf8"))
  process.env["IDENTITY_ENDPOINT"] = cloud.identityEndpoint.url
  process.env["IDENTITY_HEADER"] = cloud.identityEndpoint.header
  return {
    recoveryKeyFile: cloud.recoveryKeyFile,
    managementUrl: cloud.arm.url,
    env: {
      BACKUP_MODE: "development",
      BACKUP_CREDENTIAL: "managedIdentity",
      BACKUP_VAULTS: cloud.vaults.map(({ url }) => url).join(","),
      BACKUP_VAULT_CHALLENGE_CHECK: "off",
      BACKUP_STORE_URL: cloud.blob.url,
      BACKUP_STORE_CONTAINER: cloud.blob.container,
      BACKUP_STATE_CONTAINER: cloud.blob.stateContainer,
      BACKUP_DEADLETTER_URL: cloud.blob.url,
      BACKUP_DEADLETTER_CONTAINER: cloud.blob.deadLetterContainer,
      BACKUP_DIGEST_KEY: cloud.digestKeyFile,
      BACKUP_QUEUE: cloud.serviceBus.queue,
      BACKUP_QUARANTINE_QUEUE: cloud.serviceBus.quarantineQueue,
      BackupServiceBus__fullyQualifiedNamespace: cloud.serviceBus.fullyQualifiedNamespace,
      BackupServiceBus__credential: "managedidentity",
      BackupServiceBus__clientId: cloud.identities["backup"]?.clientId ?? "",
      ...Object.fromEntries(
        jobs.flatMap((job) => {
          const clientId = cloud.identities[job]?.clientId
          return clientId === undefined ? [] : [[`BACKUP_${job.toUpperCase()}_CLIENT_ID`, clientId]]
        }),
      ),
    },
  }
}

function notRunning(what: string): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", what, {
    hint: "Start a local cloud with `npm start`, in this folder.",
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function trust(caPem: string): void {
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), caPem])
}
