import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { createAzureBackupStore } from "../../shared/store/azureBackupStore.ts"
import { backupStoreSuite } from "../suites/backupStoreSuite.ts"
import { aStorageAccount, container } from "./localAzure.ts"

const supports = { abort: true, contentType: true }
const flags = { hasLegalHold: false, hasVersionLevelImmutability: false }

backupStoreSuite({
  name: "createAzureBackupStore on a locked container",
  supports,
  protection: { ...flags, hasImmutabilityPolicy: true },
  create: async () => {
    const account = await aStorageAccount()
    return { ...account, store: createAzureBackupStore(account.options("backup")) }
  },
})

backupStoreSuite({
  name: "createAzureBackupStore on a container without a policy",
  supports,
  protection: { ...flags, hasImmutabilityPolicy: false },
  create: async () => {
    const account = await aStorageAccount({ state: "none" })
    return { ...account, store: createAzureBackupStore(account.options("backup")) }
  },
})

describe("createAzureBackupStore", () => {
  let account: Awaited<ReturnType<typeof aStorageAccount>>
  let names = 0
  beforeAll(async () => {
    account = await aStorageAccount()
  })
  afterAll(() => account.stop())
  afterEach(() => {
    account.faults.clear()
    account.access.setFirewall({ blob: "open" })
  })
  const put = (options = account.options("backup"), name = `v1/fault/${names++}`) =>
    createAzureBackupStore(options).putIfAbsent(name, Buffer.from("body"), "application/json", {
      origin: "live",
    })

  it("needs one request for everything", async () => {
    account.faults.add({ target: "blob", effect: "delay", delayMs: 0 })
    await put(undefined, "v1/one-request")
    expect(account.faults.list()[0]?.hits).toBe(1)
    await expect(account.look("v1/one-request")).resolves.toMatchObject({ metadata: { origin: "live" } })
  })

  it.each([
    { name: "BlobAlreadyExists", status: 409, code: "BlobAlreadyExists" },
    { name: "BlobImmutableDueToPolicy", status: 409, code: "BlobImmutableDueToPolicy" },
    { name: "ConditionNotMet", status: 412, code: "ConditionNotMet" },
    { name: "UnauthorizedBlobOverwrite", status: 403, code: "UnauthorizedBlobOverwrite" },
  ])("takes $status $name for alreadyStored", async ({ status, code }) => {
    account.faults.add({ target: "blob", effect: "status", status, code, match: { method: "PUT" } })
    await expect(put()).resolves.toBe("alreadyStored")
  })

  it.each([
    { name: "throttled", status: 503, code: "ServerBusy", is: "ERR_STORE_UNAVAILABLE" },
    { name: "broken", status: 500, code: "InternalError", is: "ERR_STORE_UNAVAILABLE" },
    { name: "refused by code", status: 403, code: "AuthorizationFailure", is: "ERR_STORE_FIREWALL" },
    { name: "of another conflict", status: 409, code: "LeaseIdMissing", is: "ERR_UNKNOWN" },
  ])("throws $is when the answer is $name, after one try", async ({ status, code, is }) => {
    account.faults.add({ target: "blob", effect: "status", status, code })
    await expect(put()).rejects.toMatchObject({
      code: is,
      details: { blob: expect.stringContaining("v1/fault/") },
    })
    expect(account.faults.list()[0]?.hits).toBe(1)
  })

  it("keeps what the service asked for", async () => {
    account.faults.add({ target: "blob", effect: "status", status: 503, code: "ServerBusy", retryAfter: 7 })
    await expect(put()).rejects.toMatchObject({ retryAfterMs: 7000 })
  })

  it.each([
    { name: "closed", state: "closed" },
    { name: "private", state: "private" },
  ] as const)("tells a firewall that is $name", async ({ state }) => {
    account.access.setFirewall({ blob: state })
    await expect(put()).rejects.toMatchObject({ code: "ERR_STORE_FIREWALL" })
    await expect(
      createAzureBackupStore(account.options("backup")).describeProtection(),
    ).rejects.toMatchObject({
      code: "ERR_STORE_FIREWALL",
      details: { container },
    })
  })

  it("tells a missing role", async () => {
    await expect(put(account.options("verify"))).rejects.toMatchObject({ code: "ERR_STORE_FORBIDDEN" })
  })

  it("tells a missing container", async () => {
    account.access.setRoles({ user: ["*"] })
    await expect(put(account.options("user", "no-such-container"))).rejects.toMatchObject({
      code: "ERR_STORE_NOT_FOUND",
    })
  })

  it("tells an account that is not there", async () => {
    const options = { ...account.options("backup"), url: "https://127.0.0.1:1/devstoreaccount1" }
    await expect(put(options)).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" })
  })

  it("is whole when its connection breaks once on the way: sent again, stored once", async () => {
    account.faults.add({ target: "blob", effect: "cut", count: 1 })
    expect(["stored", "alreadyStored"]).toContain(await put(undefined, "v1/cut"))
    expect(Buffer.from((await account.look("v1/cut"))?.body ?? []).toString()).toBe("body")
  })

  it("throws ERR_STORE_UNAVAILABLE when its connection keeps breaking", async () => {
    account.faults.add({ target: "blob", effect: "cut" })
    await expect(put()).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" })
  })
})
