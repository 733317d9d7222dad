import type { ContainerClient } from "@azure/storage-blob"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { aBlobStore, type BlobFixture, outcome } from "./blobFixture.ts"

const newOnly = { conditions: { ifNoneMatch: "*" } }
const dayMs = 86_400_000

let store: BlobFixture
let clock = new Date()
const container = (name: string) => store.client("user").getContainerClient(name)
const upload = (to: ContainerClient, name: string, text = "one", options = {}) =>
  to.getBlockBlobClient(name).upload(text, text.length, options)

beforeAll(async () => {
  store = await aBlobStore({ now: () => clock })
})
afterAll(() => store.blob.stop())

describe("startBlob: container-level immutability", () => {
  it("creates, then refuses every way to change the blob", async () => {
    const worm = container("worm")
    await upload(worm, "a/b.json", "one", { ...newOnly, metadata: { kid: "k" } })
    const blob = worm.getBlockBlobClient("a/b.json")
    const source = container("plain").getBlockBlobClient("source")
    await source.upload("s", 1)
    await blob.stageBlock(btoa("id-1"), "zwei", 4)
    const results = {
      replace: await outcome(upload(worm, "a/b.json", "two")),
      replaceNewOnly: await outcome(upload(worm, "a/b.json", "two", newOnly)),
      commit: await outcome(blob.commitBlockList([btoa("id-1")])),
      copy: await outcome(blob.beginCopyFromURL(source.url)),
      syncCopy: await outcome(blob.syncCopyFromURL(source.url)),
      metadata: await outcome(blob.setMetadata({ a: "b" })),
      properties: await outcome(blob.setHTTPHeaders({ blobContentType: "text/plain" })),
      snapshot: await outcome(blob.createSnapshot()),
      delete: await outcome(blob.delete()),
    }
    expect(results).toEqual({
      replace: "409 BlobImmutableDueToPolicy",
      replaceNewOnly: "409 BlobAlreadyExists",
      commit: "409 BlobImmutableDueToPolicy",
      copy: "409 BlobImmutableDueToPolicy",
      syncCopy: "409 BlobImmutableDueToPolicy",
      metadata: "409 BlobImmutableDueToPolicy",
      properties: "409 BlobImmutableDueToPolicy",
      snapshot: "409 BlobImmutableDueToPolicy",
      delete: "409 BlobImmutableDueToPolicy",
    })
    expect((await blob.downloadToBuffer()).toString()).toBe("one")
    expect((await blob.getProperties()).metadata).toEqual({ kid: "k" })
  })

  it("refuses to append to an append blob", async () => {
    const blob = container("worm").getAppendBlobClient("log")
    await blob.create()
    expect(await outcome(blob.appendBlock("x", 1))).toBe("409 BlobImmutableDueToPolicy")
  })

  it("allows tier, tags and leases, which change neither content nor metadata", async () => {
    const worm = container("worm")
    await upload(worm, "allowed")
    const blob = worm.getBlockBlobClient("allowed")
    expect(await outcome(blob.setAccessTier("Cool"))).toBe("ok")
    expect(await outcome(blob.setTags({ a: "b" }))).toBe("ok")
    const lease = blob.getBlobLeaseClient()
    expect(await outcome(lease.acquireLease(15))).toBe("ok")
    expect(await outcome(lease.releaseLease())).toBe("ok")
  })

  it("answers a legal hold with its own code", async () => {
    const held = container("held")
    await upload(held, "x")
    expect(await outcome(upload(held, "x", "two"))).toBe("409 BlobImmutableDueToLegalHold")
    expect(await outcome(held.deleteBlob("x"))).toBe("409 BlobImmutableDueToLegalHold")
    await store.blob.setPolicy("held", { state: "none" })
    expect(await outcome(held.deleteBlob("x"))).toBe("ok")
  })

  it("counts retention from creation: then deletes, and still does not replace", async () => {
    const worm = container("worm")
    await upload(worm, "old")
    clock = new Date(Date.now() + 29 * dayMs)
    expect(await outcome(worm.deleteBlob("old"))).toBe("409 BlobImmutableDueToPolicy")
    clock = new Date(Date.now() + 31 * dayMs)
    expect(await outcome(upload(worm, "old", "two"))).toBe("409 BlobImmutableDueToPolicy")
    expect(await outcome(worm.deleteBlob("old"))).toBe("ok")
    clock = new Date()
  })

  it("protects blobs under an unlocked policy, until it is removed", async () => {
    await store.blob.setPolicy("plain", { state: "unlocked", days: 1 })
    const plain = container("plain")
    await upload(plain, "u")
    expect(await outcome(plain.deleteBlob("u"))).toBe("409 BlobImmutableDueToPolicy")
    await store.blob.setPolicy("plain", { state: "none" })
    expect(await outcome(plain.deleteBlob("u"))).toBe("ok")
  })

  it("lets exactly one of many simultaneous writers create a blob", async () => {
    const worm = container("worm")
    const results = await Promise.all(
      Array.from({ length: 24 }, (_, n) => outcome(upload(worm, "race", `w${n}`, n % 2 ? newOnly : {}))),
    )
    expect(results.filter((result) => result === "ok")).toHaveLength(1)
    expect(new Set(results)).toEqual(new Set(["ok", "409 BlobAlreadyExists", "409 BlobImmutableDueToPolicy"]))
  })

  it("shows the policy of a container as three booleans", async () => {
    const flags = async (name: string) => {
      const properties = await container(name).getProperties()
      const { hasImmutabilityPolicy, hasLegalHold, isImmutableStorageWithVersioningEnabled } = properties
      return [hasImmutabilityPolicy, hasLegalHold, isImmutableStorageWithVersioningEnabled]
    }
    await store.blob.setPolicy("held", { state: "none", legalHold: true })
    expect(await flags("worm")).toEqual([true, false, false])
    expect(await flags("held")).toEqual([false, true, false])
    expect(await flags("plain")).toEqual([false, false, false])
  })

  it("does not delete a protected container", async () => {
    const service = store.client("user")
    await service.createContainer("soon-gone")
    await store.blob.setPolicy("soon-gone", { state: "unlocked", days: 1 })
    await upload(container("soon-gone"), "x")
    expect(await outcome(service.deleteContainer("worm"))).toBe("409 ContainerImmutabilityPolicyLocked")
    expect(await outcome(service.deleteContainer("held"))).toBe("409 ContainerHasLegalHold")
    expect(await outcome(service.deleteContainer("soon-gone"))).toBe("409 ContainerImmutabilityPolicyLocked")
    await store.blob.setPolicy("soon-gone", { state: "none" })
    expect(await outcome(service.deleteContainer("soon-gone"))).toBe("ok")
  })

  it("refuses headers of version-level immutability instead of dropping them", async () => {
    const immutabilityPolicy = { expiriesOn: new Date(Date.now() + dayMs), policyMode: "Locked" as const }
    const put = upload(container("worm"), "versioned", "x", { immutabilityPolicy })
    expect(await outcome(put)).toBe("400 UnsupportedHeader")
  })

  it("refuses a time-based policy without days", async () => {
    await expect(store.blob.setPolicy("plain", { state: "locked" })).rejects.toThrow(TypeError)
  })
})
