import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SecretClient, SetSecretOptions } from "@azure/keyvault-secrets"
import { ServiceBusClient, type ServiceBusReceivedMessage } from "@azure/service-bus"
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob"
import type { JWK } from "jose"
import { vi } from "vitest"
import type { Job } from "../../local/access/job.ts"
import type { Activity, OutcomeReported } from "../../local/cloud/activity.ts"
import { type Cloud, type CloudOptions, startCloud } from "../../local/cloud/startCloud.ts"
import { createUserSecretClient } from "../../local/run/vaultUser.ts"
import { parseVersionUrl } from "../../shared/change/objectVersion.ts"
import { type BackupRecord, parseRecord } from "../../shared/record/record.ts"
import { importOpeningKeys, unsealRecord } from "../../shared/record/unsealRecord.ts"
import { formatRecordName } from "../../shared/store/blobName.ts"

/** A whole local cloud in a folder of its own, watched from outside as its user can. */
export interface Journey {
  readonly cloud: Cloud
  readonly directory: string
  /** `source: line` of everything that a server or the worker printed. */
  readonly lines: readonly string[]
  readonly activities: readonly Activity[]
  readonly secrets: SecretClient
  /** A client of the queues with the rights of the person at the keyboard. */
  readonly serviceBus: ServiceBusClient
  /** All messages of a queue, scheduled ones too, or its dead letters. Bodies are bytes. */
  readonly peek: (
    queue: "changes" | "quarantine",
    subQueue?: "deadLetter",
  ) => Promise<readonly ServiceBusReceivedMessage[]>
  /** The container of backups, as `job` sees it; nothing is retried. */
  readonly store: (job: Job) => ContainerClient
  /** Outcomes that the worker reported, of one version or of all messages. */
  readonly outcomes: (id?: string) => readonly OutcomeReported[]
  /** Sets a secret and returns the id of its version as the product writes it. */
  readonly set: (name: string, value: string, options?: SetSecretOptions) => Promise<string>
  /** Waits until no event is under way, no message waits, is in hand or is scheduled, and all was heard of them. */
  readonly settled: (timeoutMs?: number) => Promise<void>
  /** The stored record of a version, opened with the recovery key of the cloud. */
  readonly open: (id: string) => Promise<BackupRecord>
  /** Metadata of the stored record of a version. */
  readonly metadata: (id: string) => Promise<Readonly<Record<string, string>>>
  /** Calls the control endpoint; resolves with the JSON of its answer. */
  readonly control: (call: string, body?: unknown) => Promise<unknown>
  readonly stop: () => Promise<void>
}

/** Starts a cloud below a fresh temporary folder, which `stop` removes. */
export async function startJourney(options: Omit<CloudOptions, "directory"> = {}): Promise<Journey> {
  const directory = await mkdtemp(join(tmpdir(), "journey-"))
  const lines: string[] = []
  const cloud = await startCloud({
    ...options,
    directory,
    onLine: (source, line) => {
      lines.push(`${source}: ${line}`)
      options.onLine?.(source, line)
    },
  })
  const { file } = cloud
  const activities: Activity[] = []
  cloud.feed.subscribe((activity) => activities.push(activity))
  const secrets = createUserSecretClient(cloud)
  const serviceBus = openQueues(cloud)
  const read = async (id: string) => {
    const blob = await cloud.blob.backdoor.read({ container: file.blob.container, name: recordNameOf(id) })
    if (!blob) throw new Error(`There is no record of ${id}`)
    return blob
  }
  return {
    cloud,
    directory,
    lines,
    activities,
    secrets,
    serviceBus,
    peek: (queue, subQueue) => peekAll(cloud, queue, subQueue),
    store: (job) =>
      new BlobServiceClient(file.blob.url, credentialOf(cloud, job, "blob"), {
        retryOptions: { maxTries: 1 },
      }).getContainerClient(file.blob.container),
    outcomes: (id) =>
      activities.filter(
        (activity): activity is OutcomeReported =>
          activity.kind === "outcome" && (id === undefined || activity.id === id),
      ),
    set: async (name, value, setOptions) => {
      const { properties } = await secrets.setSecret(name, value, setOptions)
      return (properties.id ?? "").toLowerCase()
    },
    settled: async (timeoutMs = 15_000) => {
      await vi.waitFor(() => assertSettled(cloud), { timeout: timeoutMs, interval: 20 })
      // What the worker said arrives on its way in order; the answer to this question comes last.
      await cloud.host.runTimer("thereIsNone").catch(() => {})
    },
    open: async (id) => {
      const { body, metadata } = await read(id)
      const keys = JSON.parse(await readFile(file.recoveryKeyFile, "utf8")) as { keys: JWK[] }
      const opened = await unsealRecord(
        body,
        recordNameOf(id),
        await importOpeningKeys(keys),
        metadata["sha256"],
      )
      return parseRecord(opened)
    },
    metadata: async (id) => (await read(id)).metadata,
    control: (call, body) => callControl(file.control, call, body),
    stop: async () => {
      await serviceBus.close()
      await cloud.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Name of the blob that holds the record of the version `id`. */
export function recordNameOf(id: string): string {
  const parsed = parseVersionUrl(id)
  if (!("object" in parsed)) throw new TypeError(`${id} is no version URL`)
  return formatRecordName(parsed.object)
}

function openQueues(cloud: Cloud): ServiceBusClient {
  const credential = credentialOf(cloud, "user", "serviceBus")
  return new ServiceBusClient(cloud.file.serviceBus.fullyQualifiedNamespace, credential, {
    retryOptions: { maxRetries: 0 },
  })
}

/** With a client of its own: one client goes on after the last message that any of its receivers has peeked at. */
async function peekAll(
  cloud: Cloud,
  queue: "changes" | "quarantine",
  subQueue: "deadLetter" | undefined,
): Promise<ServiceBusReceivedMessage[]> {
  const { queue: changes, quarantineQueue } = cloud.file.serviceBus
  const client = openQueues(cloud)
  try {
    const receiver = client.createReceiver(queue === "changes" ? changes : quarantineQueue, {
      skipParsingBodyAsJson: true,
      ...(subQueue ? { subQueueType: subQueue } : {}),
    })
    return await receiver.peekMessages(1000)
  } finally {
    await client.close()
  }
}

function credentialOf({ file }: Cloud, job: Job, audience: "blob" | "serviceBus") {
  const token = file.identities[job]?.tokens[audience] ?? ""
  return { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) }
}

function assertSettled({ serviceBus, eventGrid, file }: Cloud): void {
  const { active, locked, scheduled } = serviceBus.counts()[file.serviceBus.queue] ?? {}
  const state = JSON.stringify({ events: eventGrid.pending(), active, locked, scheduled })
  if (state !== '{"events":0,"active":0,"locked":0,"scheduled":0}') throw new Error(`Not settled: ${state}`)
}

async function callControl(
  { url, token }: Cloud["file"]["control"],
  call: string,
  body: unknown,
): Promise<unknown> {
  const [method = "", path = ""] = call.split(" ")
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${call}: ${response.status} ${text}`)
  return text === "" ? undefined : (JSON.parse(text) as unknown)
}
