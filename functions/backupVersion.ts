import type { InvocationContext, ServiceBusQueueHandler } from "@azure/functions"
import { backUpVersion, type BackUpVersionDependencies } from "../shared/backup/backUpVersion.ts"
import type { Outcome } from "../shared/backup/outcome.ts"
import type { AllowList } from "../shared/change/allowList.ts"
import type { Change } from "../shared/change/change.ts"
import { formatVersionUrl } from "../shared/change/objectVersion.ts"
import { type ParsedItem, parseChanges } from "../shared/change/parseChanges.ts"
import { errorFields } from "../shared/log.ts"
import type { MessageTrace } from "../shared/telemetry/messageTrace.ts"
import type { Telemetry } from "../shared/telemetry/telemetry.ts"
import { parseTraceparent } from "../shared/telemetry/traceparent.ts"
import { settle, type SettledItem, type SettleDependencies } from "./settle.ts"
import { readTriggerMessage, type TriggerMessage } from "./triggerMessage.ts"

/** What the worker needs to handle messages. */
export interface BackupVersionApp extends SettleDependencies {
  readonly allowList: AllowList
  readonly backup: BackUpVersionDependencies
  readonly telemetry: Telemetry
  /** URL of the canary's secret (`https://host/secrets/name`), whose changes have an origin of their own. */
  readonly canarySecret?: string
}

/**
 * The handler of the queue of changes: parse, back up, settle. One message at a time; its outcome is decided by
 * the store and the queues alone, so that every delivery may be repeated.
 */
export function createBackupVersionHandler(app: () => BackupVersionApp): ServiceBusQueueHandler {
  return (body: unknown, context: InvocationContext) => handle(body, context, app())
}

async function handle(body: unknown, context: InvocationContext, app: BackupVersionApp): Promise<void> {
  const message = readTriggerMessage(body, context.triggerMetadata, app.clock.now())
  const host = parseTraceparent(context.traceContext?.traceParent)
  const trace = app.telemetry.startMessage({ ...message, ...(host ? { host } : {}) })
  try {
    const items: SettledItem[] = []
    for (const parsed of parseChanges(body, app.allowList)) {
      const item = await handleItem(parsed, message, app, trace)
      items.push(item)
      report(item, parsed, message, app)
    }
    await settle(message, items, app, trace.traceparent)
    trace.end()
  } catch (thrown) {
    trace.end(thrown)
    throw thrown
  }
}

async function handleItem(
  parsed: ParsedItem,
  message: TriggerMessage,
  app: BackupVersionApp,
  trace: MessageTrace,
): Promise<SettledItem> {
  if (parsed.kind !== "change") {
    const outcome: Outcome =
      parsed.kind === "poison"
        ? { outcome: "poison", error: parsed.error }
        : { outcome: "skipped", reason: parsed.reason }
    trace.countItem(outcome)
    return { outcome }
  }
  const change = { ...parsed.change, origin: originOf(parsed.change, message, app) }
  const enqueuedAt = message.lineage.firstEnqueuedAt ?? message.enqueuedAt
  const delivery = {
    ...(enqueuedAt ? { enqueuedAt } : {}),
    receivedAt: message.receivedAt,
    failedAttempts: message.lineage.attempt,
    replays: message.lineage.replays,
  }
  const observed = trace.startChange(change)
  const outcome = await backUpVersion(change, delivery, app.backup, observed)
  observed.end(outcome)
  return { change, outcome }
}

function originOf(change: Change, { lineage }: TriggerMessage, { canarySecret }: BackupVersionApp) {
  const origin = lineage.origin ?? change.origin
  const isCanary =
    canarySecret !== undefined && formatVersionUrl(change.object).startsWith(`${canarySecret}/`)
  return origin === "live" && isCanary ? "canary" : origin
}

const levelOf: Readonly<Record<Outcome["outcome"], "info" | "warn" | "error">> = {
  stored: "info",
  alreadyStored: "info",
  skipped: "info",
  deferred: "info",
  unreadable: "error",
  gone: "error",
  poison: "error",
}

function report(item: SettledItem, parsed: ParsedItem, message: TriggerMessage, app: BackupVersionApp): void {
  const { change, outcome } = item
  const isPublicOnly = "privateKey" in outcome && outcome.privateKey === "absentByPolicy"
  const isWarning = isPublicOnly || (parsed.kind === "skipped" && parsed.warn === true)
  app.log[isWarning ? "warn" : levelOf[outcome.outcome]]("backup.outcome", {
    outcome: outcome.outcome,
    ...(change
      ? {
          host: change.object.host,
          kind: change.object.kind,
          name: change.object.name,
          version: change.object.version,
          origin: change.origin,
          attempt: 1 + message.lineage.attempt,
        }
      : {}),
    ...(parsed.kind === "skipped" ? { eventType: parsed.eventType, advice: parsed.advice } : {}),
    ...("blob" in outcome ? { blob: outcome.blob } : {}),
    ...(isPublicOnly ? { privateKey: "absentByPolicy" } : {}),
    ...("reason" in outcome ? { reason: outcome.reason } : {}),
    ...("error" in outcome ? errorFields(outcome.error) : {}),
    tookMs: app.clock.now().getTime() - message.receivedAt.getTime(),
    messageId: message.messageId,
  })
}
