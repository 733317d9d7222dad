import { describe, expect, it } from "vitest"
import { createAzureVaultCatalog } from "../../shared/vault/azureVaultCatalog.ts"
import { vaultCatalogSuite } from "../suites/vaultCatalogSuite.ts"
import { collect } from "../support/collect.ts"
import { aKeyVault } from "./localAzure.ts"

async function create() {
  const vault = await aKeyVault()
  return { ...vault, catalog: createAzureVaultCatalog(vault.options("reconcile")) }
}

vaultCatalogSuite({ name: "createAzureVaultCatalog", create })

describe("createAzureVaultCatalog", () => {
  it("throws for a page that fails, after what was listed before", async () => {
    const vault = await create()
    for (let n = 0; n < 30; n++) await vault.set(`s-${n}`, { value: "x" })
    const seen: string[] = []
    const scan = async () => {
      for await (const { object } of vault.catalog.listSecretVersions(vault.vault)) {
        seen.push(object.name)
        if (seen.length === 10) {
          vault.faults.add({
            target: "keyvault",
            effect: "status",
            status: 429,
            code: "Throttled",
            retryAfter: 3,
          })
        }
      }
    }
    await expect(scan()).rejects.toMatchObject({ code: "ERR_VAULT_THROTTLED", retryAfterMs: 3000 })
    expect(seen).toHaveLength(10)
    await vault.stop()
  })

  it("tells why it cannot list", async () => {
    const vault = await create()
    const codeOf = (job: "reconcile" | "backup") =>
      collect(createAzureVaultCatalog(vault.options(job)).listSecretVersions(vault.vault)).then(
        () => "listed",
        (error: { code: string }) => error.code,
      )
    await expect(codeOf("reconcile")).resolves.toBe("listed")
    await expect(codeOf("backup")).resolves.toBe("ERR_VAULT_FORBIDDEN")
    vault.access.setFirewall({ keyvault: "private" })
    await expect(codeOf("reconcile")).resolves.toBe("ERR_VAULT_FIREWALL")
    await vault.stop()
    await expect(codeOf("reconcile")).resolves.toBe("ERR_VAULT_UNAVAILABLE")
  })
})
