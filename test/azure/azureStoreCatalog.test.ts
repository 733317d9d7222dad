import { describe, expect, it } from "vitest"
import { createAzureBackupStore } from "../../shared/store/azureBackupStore.ts"
import { createAzureStoreCatalog } from "../../shared/store/azureStoreCatalog.ts"
import { storeCatalogSuite } from "../suites/storeCatalogSuite.ts"
import { collect } from "../support/collect.ts"
import { aStorageAccount } from "./localAzure.ts"

async function create() {
  const account = await aStorageAccount()
  return {
    ...account,
    store: createAzureBackupStore(account.options("backup")),
    catalog: createAzureStoreCatalog(account.options("audit")),
  }
}

storeCatalogSuite({ name: "createAzureStoreCatalog", create })

describe("createAzureStoreCatalog", () => {
  it("tells why it cannot list", async () => {
    const account = await create()
    const codeOf = (job: "audit" | "canary" | "backup" | "user", of?: string) =>
      collect(createAzureStoreCatalog(account.options(job, of)).list("v1/")).then(
        () => "listed",
        (error: { code: string }) => error.code,
      )
    await expect(codeOf("audit")).resolves.toBe("listed")
    await expect(codeOf("canary")).resolves.toBe("listed")
    await expect(codeOf("backup")).resolves.toBe("ERR_STORE_FORBIDDEN")
    await expect(codeOf("user", "no-such-container")).resolves.toBe("ERR_STORE_NOT_FOUND")
    account.access.setFirewall({ blob: "closed" })
    await expect(codeOf("audit")).resolves.toBe("ERR_STORE_FIREWALL")
    await account.stop()
    await expect(codeOf("audit")).resolves.toBe("ERR_STORE_UNAVAILABLE")
  })
})
