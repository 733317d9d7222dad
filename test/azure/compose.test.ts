import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { compose } from "../../functions/compose.ts"
import { recipientPair } from "../support/recipientPair.ts"
import { anIdentityEndpoint, aStorageAccount, container } from "./localAzure.ts"

const { publicJwk } = await recipientPair("EC", "recovery-1")
let account: Awaited<ReturnType<typeof aStorageAccount>>
let identity: Awaited<ReturnType<typeof anIdentityEndpoint>>
const workers: ReturnType<typeof compose>[] = []
const lines: string[] = []

beforeAll(async () => {
  account = await aStorageAccount()
  identity = await anIdentityEndpoint()
})
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.close()
  account.faults.clear()
  account.access.setFirewall({ blob: "open" })
  await account.blob.setPolicy(container, { state: "locked", days: 30 })
  lines.length = 0
})
afterAll(async () => {
  await identity.stop()
  await account.stop()
})

/** A worker with the deployed identity, against the local store. */
function aWorker(mode: "production" | "development") {
  const worker = compose(
    {
      BACKUP_MODE: mode,
      BACKUP_VAULTS: "https://kv-a.vault.azure.net",
      BACKUP_STORE_URL: account.blob.url,
      BACKUP_STORE_CONTAINER: container,
      BACKUP_RECIPIENTS: JSON.stringify({ keys: [publicJwk] }),
      BACKUP_BACKUP_CLIENT_ID: identity.clientIdOf("backup"),
      BackupServiceBus__fullyQualifiedNamespace: "127.0.0.1:1",
    },
    (_level, line) => lines.push(line),
  )
  workers.push(worker)
  return worker
}

const put = (worker: ReturnType<typeof compose>, name: string) =>
  worker.backup.store.putIfAbsent(name, Buffer.from("x"), "text/plain", {})

describe("compose, in production", () => {
  it("starts, writes and is healthy where the container has a policy", async () => {
    const worker = aWorker("production")
    await expect(worker.assertMayStart()).resolves.toBeUndefined()
    await expect(put(worker, "v1/policy")).resolves.toBe("stored")
    await expect(worker.checkHealth()).resolves.toBeUndefined()
  })

  it("refuses to start and writes nothing where it has none", async () => {
    await account.blob.setPolicy(container, { state: "none" })
    const worker = aWorker("production")
    await expect(worker.assertMayStart()).rejects.toMatchObject({ code: "ERR_STORE_NOT_IMMUTABLE" })
    await expect(put(worker, "v1/none")).rejects.toMatchObject({ code: "ERR_STORE_NOT_IMMUTABLE" })
    await expect(account.look("v1/none")).resolves.toBeUndefined()
  })

  it("starts although the store cannot be asked, says so, and writes once it can", async () => {
    account.access.setFirewall({ blob: "closed" })
    const worker = aWorker("production")
    await expect(worker.assertMayStart()).resolves.toBeUndefined()
    expect(lines.join()).toContain("start.storeNotChecked")
    expect(lines.join()).toContain("ERR_STORE_FIREWALL")
    await expect(put(worker, "v1/closed")).rejects.toMatchObject({ code: "ERR_STORE_FIREWALL" })
    account.access.setFirewall({ blob: "open" })
    await expect(put(worker, "v1/closed")).resolves.toBe("stored")
  })

  it("starts within the time that the host gives, although the store never answers", async () => {
    account.faults.add({ target: "blob", effect: "hang" })
    const worker = aWorker("production")
    const startedAt = Date.now()
    await expect(worker.assertMayStart()).resolves.toBeUndefined()
    expect(Date.now() - startedAt).toBeLessThan(9000)
    expect(lines.join()).toContain("start.storeNotChecked")
    account.faults.clear()
    await account.blob.setPolicy(container, { state: "none" })
    await expect(put(worker, "v1/late")).rejects.toMatchObject({ code: "ERR_STORE_NOT_IMMUTABLE" })
  })

  it("is not healthy any more when the policy is gone, or the store", async () => {
    const worker = aWorker("production")
    await worker.checkHealth()
    await account.blob.setPolicy(container, { state: "none" })
    await expect(worker.checkHealth()).rejects.toMatchObject({ code: "ERR_STORE_NOT_IMMUTABLE" })
    account.access.setFirewall({ blob: "closed" })
    await expect(worker.checkHealth()).rejects.toMatchObject({ code: "ERR_STORE_FIREWALL" })
    expect(lines.filter((line) => line.includes("health.notOk"))).toHaveLength(2)
  })
})

describe("compose, in development", () => {
  it("starts, writes and is healthy without a policy", async () => {
    await account.blob.setPolicy(container, { state: "none" })
    const worker = aWorker("development")
    await expect(worker.assertMayStart()).resolves.toBeUndefined()
    await expect(put(worker, "v1/development")).resolves.toBe("stored")
    await expect(worker.checkHealth()).resolves.toBeUndefined()
  })
})
