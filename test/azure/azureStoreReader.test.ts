import { describe, expect, it } from "vitest"
import { createAzureBackupStore } from "../../shared/store/azureBackupStore.ts"
import { createAzureStoreReader } from "../../shared/store/azureStoreReader.ts"
import { storeReaderSuite } from "../suites/storeReaderSuite.ts"
import { aStorageAccount } from "./localAzure.ts"

async function create() {
  const account = await aStorageAccount()
  return {
    ...account,
    store: createAzureBackupStore(account.options("backup")),
    reader: createAzureStoreReader(account.options("verify")),
  }
}

storeReaderSuite({ name: "createAzureStoreReader", create })

describe("createAzureStoreReader", () => {
  it("gives nothing to who may only write or list, and tells why", async () => {
    const account = await create()
    await account.store.putIfAbsent("v1/a", Buffer.from("some more"), "text/plain", {})
    const codeOf = (job: "verify" | "audit" | "backup") =>
      createAzureStoreReader(account.options(job))
        .read("v1/a")
        .then(
          () => "read",
          (error: { code: string }) => error.code,
        )
    await expect(codeOf("verify")).resolves.toBe("read")
    await expect(codeOf("audit")).resolves.toBe("ERR_STORE_FORBIDDEN")
    await expect(codeOf("backup")).resolves.toBe("ERR_STORE_FORBIDDEN")
    account.access.setFirewall({ blob: "private" })
    await expect(codeOf("verify")).resolves.toBe("ERR_STORE_FIREWALL")
    account.access.setFirewall({ blob: "open" })
    account.faults.add({ target: "blob", effect: "cut", afterBytes: 1, match: { method: "GET" } })
    await expect(codeOf("verify")).resolves.toBe("ERR_STORE_UNAVAILABLE")
    await account.stop()
    await expect(codeOf("verify")).resolves.toBe("ERR_STORE_UNAVAILABLE")
  })
})
