import { randomUUID } from "node:crypto"
import { setTimeout as delay } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readLocalCloud } from "../../cli/localCloud.ts"
import { createCredential } from "../../shared/azureCredential.ts"
import { createAzureHttpClient } from "../../shared/azureHttpClient.ts"
import { systemClock } from "../../shared/clock.ts"
import { loadSettings } from "../../shared/config.ts"
import { openAzureReconcile, reconcileSettings } from "../../shared/reconcile/azureReconcileParts.ts"
import type { VaultReconciliation } from "../../shared/reconcile/reconcileVault.ts"
import { runReconcile, type RunReconcileOptions } from "../../shared/reconcile/runReconcile.ts"
import { createVaultLimiter } from "../../shared/vault/vaultLimiter.ts"
import { namesIn, reconcile, unheard } from "../support/reconcileJourney.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

const isSlow = process.env["SLOW"] === "1"
/** Half of them under one name. */
const versions = isSlow ? 20_000 : 1000
const atOnce = 16

let journey: Journey
const ids: string[] = []

beforeAll(async () => {
  journey = await startJourney({ runsTimers: false })
  await unheard(journey, async () => {
    const left = Array.from({ length: versions }, (_, index) => (index % 2 === 0 ? "deep" : `flat-${index}`))
    const set = async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        try {
          ids.push(await journey.set(name, "value"))
        } catch (error) {
          // The vault takes 4,000 calls in ten seconds and no more.
          if ((error as { statusCode?: number }).statusCode !== 429) throw error
          left.push(name)
          await delay(500)
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, set))
  })
}, 300_000)
afterAll(() => journey.stop())

/** One run as the timer does it, with its identity, but faster. */
async function run(more: Partial<RunReconcileOptions> = {}): Promise<VaultReconciliation> {
  const settings = loadSettings(readLocalCloud(journey.directory).env, reconcileSettings)
  const httpClient = createAzureHttpClient()
  const parts = openAzureReconcile({
    settings,
    credential: createCredential("managedIdentity", settings.BACKUP_RECONCILE_CLIENT_ID),
    httpClient,
    limiter: createVaultLimiter({ clock: systemClock }),
    clock: systemClock,
  })
  try {
    const results: VaultReconciliation[] = []
    for await (const result of runReconcile(parts, {
      vaults: settings.BACKUP_VAULTS,
      execute: { maxPerSecond: 100_000, newMessageId: randomUUID },
      graceMs: 0,
      ...more,
    })) {
      results.push(result)
    }
    const [result] = results
    if (!result) throw new Error("There is no result")
    return result
  } finally {
    await parts.close()
    await httpClient.close()
  }
}

describe(`the first run over a vault with ${versions} versions that are older than the subscription (C32)`, () => {
  it("backs up every one, in several runs of a small budget", async () => {
    const runs: VaultReconciliation[] = []
    do runs.push(await run({ budget: { maxCalls: Math.ceil(versions / 4) } }))
    while (runs.at(-1)?.incomplete?.reason === "budget" && runs.length < 20)
    expect(runs.at(-1)?.incomplete).toBeUndefined()
    expect(runs.length).toBeGreaterThan(1)
    expect(runs.at(-1)?.counts).toMatchObject({ versions, gaps: { missing: versions }, sent: versions })
    await journey.settled(isSlow ? 600_000 : 60_000)
    expect(namesIn(journey, "v1/")).toHaveLength(versions)
    expect(await journey.metadata(ids[0] ?? "")).toMatchObject({ origin: "reconcile", attempt: "1" })
    const { exitCode, counts } = await reconcile(journey)
    expect({ exitCode, ...counts }).toMatchObject({ exitCode: 0, versions, stored: versions })
  }, 900_000)
})
