import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { BlobServiceClient } from "@azure/storage-blob"
import { createAzureRunnerLease, leaseBlob } from "../../shared/deadLetter/azureRunnerLease.ts"
import { systemClock } from "../../shared/clock.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { aStorageAccount, credentialOf, stateContainer } from "./localAzure.ts"

let account: Awaited<ReturnType<typeof aStorageAccount>>
beforeAll(async () => {
  account = await aStorageAccount()
})
afterAll(() => account.stop())

const holder = (run: string) => ({ run, host: "jump host", since: new Date("2026-03-01T12:00:00.000Z") })
const lease = (job: "replay" | "audit" = "replay", clock = systemClock) =>
  createAzureRunnerLease(account.options(job, stateContainer), clock)

describe("createAzureRunnerLease", () => {
  it("gives the lease to one, names the holder to others, and gives it again when it is released", async () => {
    const held = await lease().acquire(holder("one"))
    await expect(lease().acquire(holder("two"))).rejects.toMatchObject({
      code: "ERR_REPLAY_LEASE_HELD",
      details: { run: "one", host: "jump_host", since: "2026-03-01T12:00:00.000Z" },
    })
    expect(held.signal.aborted).toBe(false)
    await held.release()
    await held.release()
    const next = await lease().acquire(holder("two"))
    await next.release()
  })

  it("says when it could not keep the lease", async () => {
    // The clock does not wait: the lease is renewed over and over.
    const held = await lease("replay", fakeClock()).acquire(holder("three"))
    const blobs = new BlobServiceClient(account.blob.url, credentialOf("replay", "blob"))
    const blob = blobs.getContainerClient(stateContainer).getBlobClient(leaseBlob)
    await blob.getBlobLeaseClient().breakLease(0)
    await expect.poll(() => held.signal.aborted, { timeout: 5000 }).toBe(true)
    expect(held.signal.reason).toMatchObject({
      code: "ERR_REPLAY_LEASE_HELD",
      message: expect.stringContaining("kept"),
    })
    await held.release()
  })

  it("tells a missing role and a closed firewall", async () => {
    await expect(lease("audit").acquire(holder("four"))).rejects.toMatchObject({
      code: "ERR_STORE_FORBIDDEN",
    })
    account.access.setFirewall({ blob: "closed" })
    await expect(lease().acquire(holder("four"))).rejects.toMatchObject({ code: "ERR_STORE_FIREWALL" })
    account.access.setFirewall({ blob: "open" })
  })
})
