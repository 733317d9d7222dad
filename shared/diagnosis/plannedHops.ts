import type { Settings } from "../config.ts"
import type { Hop } from "./evidence.ts"
import type { HopPlan } from "./gatherHop.ts"
import {
  deadLetterCalls,
  digestKeyCalls,
  queueCalls,
  stateCalls,
  storeCalls,
  vaultCalls,
} from "./harmlessCalls.ts"
import type { DoctorJob } from "./job.ts"

const storeAudience = "https://storage.azure.com"
const queueAudience = "https://servicebus.azure.net"
const leaseBlob = "replay.lease"

/** Every hop that a job has by these settings, and what is asked on each. What is not set is no hop. Pure. */
export function planHops(job: DoctorJob, settings: Settings): readonly HopPlan[] {
  return [...vaultHops(job, settings), ...containerHops(job, settings), ...queueHops(job, settings)]
}

function vaultHops(job: DoctorJob, settings: Settings): readonly HopPlan[] {
  const vaults = (settings.BACKUP_VAULTS ?? []).map((vault) => ({
    hop: toHop("vault", job, vault),
    calls: vaultCalls(job, vault, settings.BACKUP_CANARY_SECRET),
  }))
  const keys = (job === "audit" ? (settings.BACKUP_DIGEST_KEY ?? []) : []).flatMap((source) => {
    if (source.kind !== "keyVault") return []
    const url = [source.vault, "keys", source.name, ...(source.version ? [source.version] : [])].join("/")
    return [{ hop: toHop("digestKey", job, url), calls: digestKeyCalls(url) }]
  })
  const audience = settings.BACKUP_VAULT_AUDIENCE
  return [...vaults, ...keys]
    .filter(({ calls }) => calls.length > 0)
    .map((plan) => ({
      ...plan,
      queueCalls: [],
      defaultAudience: vaultAudienceOf(plan.hop.host),
      ...(audience === undefined ? {} : { audience }),
    }))
}

function containerHops(job: DoctorJob, settings: Settings): readonly HopPlan[] {
  const { BACKUP_STORE_URL: store, BACKUP_DEADLETTER_URL: deadLetters } = settings
  const plan = (
    kind: Hop["kind"],
    account: string,
    container: string,
    callsOf: (url: string) => HopPlan["calls"],
  ) => {
    const url = `${account.replace(/\/+$/, "")}/${container}`
    return { hop: toHop(kind, job, url), defaultAudience: storeAudience, calls: callsOf(url), queueCalls: [] }
  }
  const isReplay = job === "replay"
  return [
    ...(store === undefined
      ? []
      : [plan("store", store, settings.BACKUP_STORE_CONTAINER, (url) => storeCalls(job, url))]),
    ...(store === undefined || !isReplay
      ? []
      : [plan("state", store, settings.BACKUP_STATE_CONTAINER, (url) => stateCalls(url, leaseBlob))]),
    ...(deadLetters === undefined || !isReplay
      ? []
      : [plan("deadLetter", deadLetters, settings.BACKUP_DEADLETTER_CONTAINER, deadLetterCalls)]),
  ]
}

function queueHops(job: DoctorJob, settings: Settings): readonly HopPlan[] {
  const namespace = settings.BackupServiceBus__fullyQualifiedNamespace
  const calls = queueCalls(job, settings.BACKUP_QUEUE, settings.BACKUP_QUARANTINE_QUEUE)
  if (namespace === undefined || calls.length === 0) return []
  const [host = namespace, port] = namespace.split(":")
  return [
    {
      hop: { kind: "queue", job, target: namespace, host, port: port === undefined ? 5671 : Number(port) },
      defaultAudience: queueAudience,
      calls: [],
      queueCalls: calls,
    },
  ]
}

function toHop(kind: Hop["kind"], job: DoctorJob, target: string): Hop {
  const { hostname, port } = new URL(target)
  return { kind, job, target, host: hostname, port: port === "" ? 443 : Number(port) }
}

/** The resource of a vault's tokens follows its cloud: `payments.vault.azure.cn` wants `https://vault.azure.cn`. */
function vaultAudienceOf(host: string): string {
  const suffix = /\.(vault\.[a-z.]+)$/.exec(host)?.[1]
  return `https://${suffix ?? "vault.azure.net"}`
}
