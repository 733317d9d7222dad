// A run of its own process that dies right after a step it is told: `node reconcileRunner.ts STEP:N`, STEP being send or write.
import { randomUUID } from "node:crypto"
import { readLocalCloud } from "../../cli/localCloud.ts"
import { createCredential } from "../../shared/azureCredential.ts"
import { createAzureHttpClient } from "../../shared/azureHttpClient.ts"
import { systemClock } from "../../shared/clock.ts"
import { loadSettings } from "../../shared/config.ts"
import { openAzureReconcile, reconcileSettings } from "../../shared/reconcile/azureReconcileParts.ts"
import { runReconcile } from "../../shared/reconcile/runReconcile.ts"
import { createVaultLimiter } from "../../shared/vault/vaultLimiter.ts"

const [step, nth] = (process.argv[2] ?? "never:0").split(":")
let left = Number(nth)

async function dieAfter<T>(name: string, work: () => Promise<T>): Promise<T> {
  const result = await work()
  if (name === step && --left === 0) process.kill(process.pid, "SIGKILL")
  return result
}

const settings = loadSettings(readLocalCloud(process.cwd()).env, reconcileSettings)
const httpClient = createAzureHttpClient()
const clock = systemClock
const parts = openAzureReconcile({
  settings,
  credential: createCredential("managedIdentity", settings.BACKUP_RECONCILE_CLIENT_ID),
  httpClient,
  limiter: createVaultLimiter({ clock }),
  clock,
})
const { sender, ledger } = parts
const results = runReconcile(
  {
    ...parts,
    sender: { send: (...parameters) => dieAfter("send", () => sender.send(...parameters)) },
    ledger: { ...ledger, write: (...parameters) => dieAfter("write", () => ledger.write(...parameters)) },
  },
  {
    vaults: settings.BACKUP_VAULTS,
    execute: { maxPerSecond: 100_000, newMessageId: randomUUID, pageGaps: 10 },
    graceMs: 0,
  },
)
for await (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`)
await parts.close()
await httpClient.close()
