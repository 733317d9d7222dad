import { randomUUID } from "node:crypto"
import { InvocationContext } from "@azure/functions"
import { createBackupVersionHandler } from "../functions/backupVersion.ts"
import { createAzureHttpClient } from "../shared/azureHttpClient.ts"
import { createAllowList } from "../shared/change/allowList.ts"
import { systemClock } from "../shared/clock.ts"
import { createLog } from "../shared/log.ts"
import { createMemoryChangeQueue } from "../shared/queue/memoryChangeQueue.ts"
import { importRecipients } from "../shared/record/recipients.ts"
import { createAzureBackupStore } from "../shared/store/azureBackupStore.ts"
import { createTelemetry } from "../shared/telemetry/telemetry.ts"
import { createAzureVaultReader } from "../shared/vault/azureVaultReader.ts"
import { fixedCredential } from "./fixedCredential.ts"
import type { BackUpOne, PipelineTargets } from "./pipelineTargets.ts"
import { eventType, topic } from "./plainRecord.ts"

const minuteMs = 60_000

/**
 * The product: the function's handler on the parts that `compose` gives it, fed with what the Functions library makes
 * of an Event Grid event. The queues are in memory, and nothing may be sent to them.
 */
export async function createHandlerBackup(targets: PipelineTargets): Promise<BackUpOne> {
  const { vaultUrl, accountUrl, container, vaultToken, blobToken, recipient, versionUrls } = targets
  const httpClient = createAzureHttpClient()
  const clock = systemClock
  const changes = createMemoryChangeQueue()
  const quarantine = createMemoryChangeQueue()
  const recipients = await importRecipients([recipient])
  // The host takes each line and does its own with it; writing it down is not the handler's cost.
  let lastLine = ""
  const app = {
    clock,
    log: createLog((_level, line) => {
      lastLine = line
    }, clock),
    telemetry: createTelemetry({ clock, conventions: "old", queue: "keyvault-changes" }),
    allowList: createAllowList([vaultUrl]),
    changes,
    quarantine,
    retry: { firstDelayMs: 15_000, maxDelayMs: 15 * minuteMs, maxAgeMs: 24 * 60 * minuteMs },
    backup: {
      vault: createAzureVaultReader({
        credential: fixedCredential(vaultToken),
        httpClient,
        challengeCheck: false,
      }),
      store: createAzureBackupStore({
        url: accountUrl,
        container,
        credential: fixedCredential(blobToken),
        httpClient,
      }),
      recipientsOf: async () => recipients,
      clock,
      exclude: [],
    },
  }
  const handler = createBackupVersionHandler(() => app)
  return async (index) => {
    const url = versionUrls[index % versionUrls.length] ?? ""
    const event = eventOf(url)
    const context = new InvocationContext({
      functionName: "backupVersion",
      triggerMetadata: {
        // The host copies the body's top-level keys over the trigger's metadata.
        ...event,
        messageId: randomUUID(),
        enqueuedTimeUtc: event.eventTime,
        deliveryCount: 1,
        applicationProperties: { "aeg-event-type": "Notification", "aeg-delivery-count": "0" },
      },
    })
    await handler(event, context)
    if (changes.sent.length > 0 || quarantine.sent.length > 0) throw new Error(`Not stored: ${lastLine}`)
  }
}

function eventOf(versionUrl: string) {
  const [, , , , name = "", version = ""] = versionUrl.split("/")
  return {
    id: randomUUID(),
    topic,
    subject: name,
    eventType,
    eventTime: new Date().toISOString(),
    data: {
      Id: versionUrl,
      VaultName: "bench",
      ObjectType: "Secret",
      ObjectName: name,
      Version: version,
      NBF: null,
      EXP: null,
    },
    dataVersion: "1",
    metadataVersion: "1",
  }
}
