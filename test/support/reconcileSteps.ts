import { randomUUID } from "node:crypto"
import { createAzureHttpClient } from "../../shared/azureHttpClient.ts"
import { createCredential } from "../../shared/azureCredential.ts"
import { systemClock } from "../../shared/clock.ts"
import { loadSettings } from "../../shared/config.ts"
import { openAzureReconcile, reconcileSettings } from "../../shared/reconcile/azureReconcileParts.ts"
import type { VaultReconciliation } from "../../shared/reconcile/reconcileVault.ts"
import { runReconcile } from "../../shared/reconcile/runReconcile.ts"
import { createVaultLimiter } from "../../shared/vault/vaultLimiter.ts"
import type { PlannedCloud } from "./plannedCloud.ts"
import { unheard } from "./reconcileJourney.ts"
import { ok, type RoleStep } from "./roleStep.ts"

/** `kvbackup reconcile --execute`, by its own parts; versions that are not stored are not waited for. */
async function reconcile({ env, vault }: PlannedCloud): Promise<VaultReconciliation | undefined> {
  const settings = loadSettings(env, reconcileSettings)
  const httpClient = createAzureHttpClient()
  const clock = systemClock
  const parts = openAzureReconcile({
    settings,
    credential: createCredential("managedIdentity", settings.BACKUP_RECONCILE_CLIENT_ID),
    httpClient,
    limiter: createVaultLimiter({ clock }),
    clock,
  })
  try {
    const execute = { maxPerSecond: 1000, newMessageId: randomUUID }
    for await (const result of runReconcile(parts, { vaults: [vault], execute, graceMs: 0 })) return result
    return undefined
  } finally {
    await parts.close()
    await httpClient.close()
  }
}

function endOf(result: VaultReconciliation | undefined): string {
  const { incomplete } = result ?? {}
  if (incomplete?.reason === "error") return incomplete.error.code
  return incomplete?.reason ?? ok
}

/** Sending versions that nobody heard of, and going on with a run that was cut off. */
export const reconcileSteps: readonly RoleStep[] = [
  {
    name: "send a gap",
    prepare: async (cloud) => {
      // Ends what an earlier run has left.
      await reconcile(cloud)
      await unheard(cloud.journey, () => cloud.journey.set(cloud.newName("unheard"), "value"))
    },
    run: async (cloud) => endOf(await reconcile(cloud)),
  },
  {
    name: "go on with a run",
    prepare: async (cloud) => {
      await reconcile(cloud)
      const match = { method: "PUT", path: "/summary", job: "reconcile" }
      await cloud.journey.control("POST /faults", { target: "blob", match, effect: "status", status: 400 })
      await reconcile(cloud)
      await cloud.journey.control("DELETE /faults")
    },
    run: async (cloud) => {
      const result = await reconcile(cloud)
      const end = endOf(result)
      return end === ok && result?.continues === undefined ? "begun anew" : end
    },
  },
]
