import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { aBlobStore, type BlobFixture, outcome } from "./blobFixture.ts"

let store: BlobFixture
const blobOf = (name: string) => store.client("user").getContainerClient("plain").getBlockBlobClient(name)

beforeAll(async () => {
  store = await aBlobStore()
})
afterAll(() => store.blob.stop())
afterEach(() => {
  store.faults.clear()
  store.access.setFirewall({ blob: "open" })
})

describe("startBlob: firewall", () => {
  it.each(["closed", "private"] as const)(
    "answers AuthorizationFailure while %s, whatever the role",
    async (state) => {
      store.access.setFirewall({ blob: state })
      expect(await outcome(blobOf("x").upload("x", 1))).toBe("403 AuthorizationFailure")
      store.access.setFirewall({ blob: "open" })
      expect(await outcome(blobOf("x").upload("x", 1))).toBe("ok")
    },
  )

  it("belongs to one account only", async () => {
    const second = await aBlobStore({ firewallTarget: "deadletter", account: "deadletters" })
    const blob = second.client("user").getContainerClient("plain").getBlockBlobClient("x")
    second.access.setFirewall({ blob: "closed" })
    expect(await outcome(blob.upload("x", 1))).toBe("ok")
    second.access.setFirewall({ deadletter: "closed" })
    expect(await outcome(blob.upload("x", 1))).toBe("403 AuthorizationFailure")
    await second.blob.stop()
  })
})

describe("startBlob: faults", () => {
  it("answers a planned status with storage's body, as often as planned", async () => {
    store.faults.add({
      target: "blob",
      match: { method: "PUT", path: "/plain/hit" },
      effect: "status",
      status: 503,
      code: "ServerBusy",
      retryAfter: 7,
      count: 1,
    })
    expect(await outcome(blobOf("miss").upload("x", 1))).toBe("ok")
    const error = await blobOf("hit")
      .upload("x", 1)
      .catch((thrown: unknown) => thrown as { code: string; response: { headers: Headers } })
    expect(error).toMatchObject({ code: "ServerBusy", statusCode: 503 })
    expect((error as { response: { headers: Headers } }).response.headers.get("retry-after")).toBe("7")
    expect(await outcome(blobOf("hit").upload("x", 1))).toBe("ok")
  })

  it("tells callers apart", async () => {
    store.faults.add({ target: "blob", match: { job: "audit" }, effect: "status", status: 403 })
    store.access.setRoles({ audit: ["*"] })
    const audit = store.client("audit").getContainerClient("plain")
    expect(await outcome(audit.getBlockBlobClient("y").upload("x", 1))).toBe("403 AuthorizationFailure")
    expect(await outcome(blobOf("y").upload("x", 1))).toBe("ok")
  })

  it("cuts the connection before anything is stored", async () => {
    store.faults.add({ target: "blob", effect: "cut", count: 1 })
    expect(await outcome(blobOf("cut").upload("x", 1))).not.toBe("ok")
    expect(store.blob.backdoor.names("plain", "cut")).toEqual([])
  })

  it("stores, then cuts the answer, and tells no listener", async () => {
    const told: string[] = []
    const unsubscribe = store.blob.onPut(({ name }) => told.push(name))
    store.faults.add({ target: "blob", effect: "cut", afterBytes: 0, count: 1 })
    expect(await outcome(blobOf("unsure").upload("x", 1))).not.toBe("ok")
    expect(store.blob.backdoor.names("plain", "unsure")).toEqual(["unsure"])
    unsubscribe()
    expect(told).toEqual([])
  })

  it("delays an answer", async () => {
    store.faults.add({ target: "blob", effect: "delay", delayMs: 300, count: 1 })
    const startedAt = performance.now()
    expect(await outcome(blobOf("slow").upload("x", 1))).toBe("ok")
    expect(performance.now() - startedAt).toBeGreaterThan(290)
  })

  it("hangs until the caller gives up, and stops at once all the same", async () => {
    const other = await aBlobStore()
    other.faults.add({ target: "blob", effect: "hang" })
    const client = other.client("user").getContainerClient("plain").getBlockBlobClient("hang")
    const hanging = outcome(client.upload("x", 1))
    expect(await Promise.race([hanging, sleep(300, "still waiting")])).toBe("still waiting")
    const startedAt = performance.now()
    await other.blob.stop()
    await other.blob.stop()
    expect(performance.now() - startedAt).toBeLessThan(500)
    expect(await hanging).not.toBe("ok")
  })
})
