import { app } from "@azure/functions"
import { createBackupVersionHandler } from "./backupVersion.ts"
import { compose, type Worker } from "./compose.ts"
import { createHealthHandler } from "./health.ts"

let worker: Worker | undefined

function started(): Worker {
  if (!worker) throw new Error("The worker has not started")
  return worker
}

app.hook.appStart(async () => {
  // Before the first invocation there is no invocation context to log to; the host takes console lines.
  const starting = compose(process.env, (level, line) => {
    // oxlint-disable-next-line no-console
    console[level](line)
  })
  await starting.assertMayStart()
  worker = starting
})

app.hook.appTerminate(async () => {
  await worker?.close()
})

if (process.env["BACKUP_PAUSED"]?.toLowerCase() !== "true") {
  app.serviceBusQueue("backupVersion", {
    connection: "BackupServiceBus",
    // An empty setting is one that is not set.
    queueName: process.env["BACKUP_QUEUE"]?.trim() || "keyvault-changes",
    handler: createBackupVersionHandler(started),
  })
}

app.http("health", {
  methods: ["GET"],
  authLevel: "anonymous",
  route: "health",
  handler: createHealthHandler(started),
})
