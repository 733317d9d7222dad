import { app } from "@azure/functions"
import type { LogLevel } from "../shared/log.ts"
import { createBackupVersionHandler } from "./backupVersion.ts"
import { latencyPageAssets } from "./builtLatencyPage.ts"
import { compose, type Worker } from "./compose.ts"
import { openTelemetryExport } from "./exportTelemetry.ts"
import { createHealthHandler } from "./health.ts"
import { createHealthDetailsHandler } from "./healthDetails.ts"
import { createLatencyReportHandler } from "./latencyReport.ts"
import { continueSchedule, createReconcileVaultsHandler, reconcileSchedule } from "./reconcileVaults.ts"
import { createReplayDeadLettersHandler, replaySchedule } from "./replayDeadLetters.ts"
import { canarySchedule, createSendCanaryHandler } from "./sendCanary.ts"
import { createWatchBacklogHandler, watchSchedule } from "./watchBacklog.ts"
import { createWriteDigestHandler, digestSchedule } from "./writeDigest.ts"

let worker: Worker | undefined
let telemetryExport: Awaited<ReturnType<typeof openTelemetryExport>>

function started(): Worker {
  if (!worker) throw new Error("The worker has not started")
  return worker
}

function isTrue(name: string): boolean {
  return process.env[name]?.toLowerCase() === "true"
}

app.hook.appStart(async () => {
  // Before the first invocation there is no invocation context to log to; the host takes console lines.
  const write = (level: LogLevel, line: string) => {
    // oxlint-disable-next-line no-console
    console[level](line)
  }
  telemetryExport = await openTelemetryExport(process.env, write)
  const starting = compose(process.env, write, telemetryExport)
  await starting.assertMayStart()
  worker = starting
})

app.hook.appTerminate(async () => {
  // Together: the host does not wait long.
  await Promise.all([worker?.close(), telemetryExport?.close()])
})

if (!isTrue("BACKUP_PAUSED")) {
  app.serviceBusQueue("backupVersion", {
    connection: "BackupServiceBus",
    // An empty setting is one that is not set.
    queueName: process.env["BACKUP_QUEUE"]?.trim() || "keyvault-changes",
    handler: createBackupVersionHandler(started),
  })
}

if (isTrue("BACKUP_AUTO_REPLAY") && !isTrue("BACKUP_PAUSED")) {
  app.timer("replayDeadLetters", {
    schedule: replaySchedule,
    handler: createReplayDeadLettersHandler(started),
  })
}

// The vaults may be listed as reconcile, and by no other identity of the app.
if (process.env["BACKUP_RECONCILE_CLIENT_ID"]?.trim() && !isTrue("BACKUP_PAUSED")) {
  app.timer("reconcileVaults", {
    schedule: reconcileSchedule,
    handler: createReconcileVaultsHandler(started),
  })
  app.timer("continueReconcile", {
    schedule: continueSchedule,
    handler: createReconcileVaultsHandler(started, { onlyUnfinished: true }),
  })
}

// The queues may be looked into as audit, and by no other identity of the app.
if (process.env["BACKUP_AUDIT_CLIENT_ID"]?.trim()) {
  app.timer("watchBacklog", { schedule: watchSchedule, handler: createWatchBacklogHandler(started) })
}

// The ledger is signed as audit, and by no other identity of the app; without a key there is nothing to sign with.
if (process.env["BACKUP_AUDIT_CLIENT_ID"]?.trim() && process.env["BACKUP_DIGEST_KEY"]?.trim()) {
  app.timer("writeDigest", { schedule: digestSchedule, handler: createWriteDigestHandler(started) })
}

// Also when paused: a canary that grows old is what keeps a pause from being forgotten.
if (process.env["BACKUP_CANARY_SECRET"]?.trim() && process.env["BACKUP_CANARY_CLIENT_ID"]?.trim()) {
  app.timer("sendCanary", { schedule: canarySchedule, handler: createSendCanaryHandler(started) })
}

// App Service sets it where it signs people in (https://learn.microsoft.com/azure/app-service/reference-app-settings).
// Anonymous to the host then, since App Service lets no stranger through, and the function asks once more.
if (process.env["BACKUP_AUDIT_CLIENT_ID"]?.trim() && isTrue("WEBSITE_AUTH_ENABLED")) {
  app.http("latencyReport", {
    methods: ["GET"],
    authLevel: "anonymous",
    route: "latencyReport",
    handler: createLatencyReportHandler(started, latencyPageAssets),
  })
}

app.http("health", {
  methods: ["GET"],
  authLevel: "anonymous",
  route: "health",
  handler: createHealthHandler(started),
})

// A key, whatever else lets people in: it tells hosts, identities and what each may not do.
app.http("healthDetails", {
  methods: ["GET"],
  authLevel: "function",
  route: "health/details",
  handler: createHealthDetailsHandler(started),
})
