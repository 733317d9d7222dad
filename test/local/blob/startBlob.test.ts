import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob"
import type { AcknowledgedPut } from "../../../local/blob/blobGate.ts"
import { aBlobStore, type BlobFixture, outcome } from "./blobFixture.ts"

let store: BlobFixture
const blobOf = (name: string, container = "plain") =>
  store.client("user").getContainerClient(container).getBlockBlobClient(name)

beforeAll(async () => {
  store = await aBlobStore()
})
afterAll(() => store.blob.stop())

describe("startBlob", () => {
  it("stores body and metadata as sent, under names of any kind", async () => {
    const name = "v1/host_8443/secrets/ä b/%2f.json"
    await blobOf(name).upload("body", 4, { metadata: { eventAt: "2026-01-01T00:00:00.000Z" } })
    const download = await blobOf(name).downloadToBuffer()
    expect(download.toString()).toBe("body")
    expect((await blobOf(name).getProperties()).metadata).toEqual({ eventat: "2026-01-01T00:00:00.000Z" })
  })

  it("lists with metadata, by pages and by prefix", async () => {
    for (let n = 0; n < 7; n += 1) await blobOf(`list/${n}`).upload("x", 1, { metadata: { n: `${n}` } })
    const container = store.client("user").getContainerClient("plain")
    const pages = container
      .listBlobsFlat({ prefix: "list/", includeMetadata: true })
      .byPage({ maxPageSize: 3 })
    const seen: (string | undefined)[] = []
    for await (const page of pages)
      seen.push(...page.segment.blobItems.map(({ metadata }) => metadata?.["n"]))
    expect(seen).toEqual(["0", "1", "2", "3", "4", "5", "6"])
  })

  it("tells its listeners about each acknowledged PUT, and only those", async () => {
    const puts: AcknowledgedPut[] = []
    const unsubscribe = store.blob.onPut((put) => puts.push(put))
    await blobOf("told").upload("x", 1, { conditions: { ifNoneMatch: "*" } })
    await outcome(blobOf("told").upload("x", 1, { conditions: { ifNoneMatch: "*" } }))
    await blobOf("told").setMetadata({ a: "b" })
    unsubscribe()
    await blobOf("untold").upload("x", 1)
    expect(puts).toEqual([{ container: "plain", name: "told", at: expect.any(Date), job: "user" }])
  })

  it("counts the blobs of each container", async () => {
    const before = store.blob.counts()["plain"] ?? 0
    await blobOf("counted").upload("x", 1)
    expect(store.blob.counts()).toMatchObject({ plain: before + 1, worm: 0, held: 0 })
  })

  it("reaches past the policy through its backdoor", async () => {
    const key = { container: "worm", name: "tampered" }
    await blobOf("tampered", "worm").upload("true", 4, { metadata: { sha256: "1" } })
    expect(await store.blob.backdoor.alter(key, { body: Buffer.from("false") })).toBe(true)
    expect((await blobOf("tampered", "worm").downloadToBuffer()).toString()).toBe("false")
    expect((await blobOf("tampered", "worm").getProperties()).metadata).toEqual({ sha256: "1" })
    expect(await store.blob.backdoor.alter(key, { metadata: { sha256: "2" } })).toBe(true)
    expect((await blobOf("tampered", "worm").getProperties()).metadata).toEqual({ sha256: "2" })
    expect(store.blob.backdoor.names("worm")).toEqual(["tampered"])
    expect(await store.blob.backdoor.remove(key)).toBe(true)
    expect(await store.blob.backdoor.remove(key)).toBe(false)
    expect(await blobOf("tampered", "worm").exists()).toBe(false)
  })

  it("alters a blob that was uploaded in blocks", async () => {
    const blob = blobOf("blocks")
    await blob.stageBlock(btoa("a"), "one", 3)
    await blob.commitBlockList([btoa("a")])
    const key = { container: "plain", name: "blocks" }
    expect((await store.blob.backdoor.read(key))?.body.toString()).toBe("one")
    await store.blob.backdoor.alter(key, { body: Buffer.from("other") })
    expect((await blob.downloadToBuffer()).toString()).toBe("other")
  })
})

describe("startBlob: authentication", () => {
  it("answers a request without a token with 401 and a challenge", async () => {
    const response = await fetch(`${store.blob.url}/plain/x`)
    expect(response.status).toBe(401)
    expect(response.headers.get("x-ms-error-code")).toBe("NoAuthenticationInformation")
    expect(response.headers.get("www-authenticate")).toMatch(
      /^Bearer authorization_uri=https:\/\/\S+ resource_id=https:\/\/storage\.azure\.com$/,
    )
    expect(await response.text()).toMatch(
      /^<\?xml version="1.0" encoding="utf-8"\?><Error><Code>NoAuthenticationInformation<\/Code><Message>Server failed/,
    )
  })

  it("refuses a token of another audience, a foreign token, shared keys and signatures", async () => {
    const anyBlob = (client: BlobServiceClient) => client.getContainerClient("plain").getBlobClient("told")
    const wrongAudience = store.client("user", "vault")
    expect(await outcome(anyBlob(wrongAudience).getProperties())).toBe("403 AuthenticationFailed")
    const [header, payload] = (await store.token("user")).split(".")
    const forged = await fetch(`${store.blob.url}/plain/told`, {
      headers: { authorization: `Bearer ${header}.${payload}.AAAA` },
    })
    expect([forged.status, forged.headers.get("x-ms-error-code")]).toEqual([403, "AuthenticationFailed"])
    const garbage = await fetch(`${store.blob.url}/plain/told`, { headers: { authorization: "Bearer x" } })
    expect([garbage.status, garbage.headers.get("x-ms-error-code")]).toEqual([
      401,
      "InvalidAuthenticationInfo",
    ])
    const key = new StorageSharedKeyCredential("localbackups", btoa("any key"))
    const byKey = new BlobServiceClient(store.blob.url, key, { retryOptions: { maxTries: 1 } })
    expect(await outcome(anyBlob(byKey).getProperties())).toBe("403 KeyBasedAuthenticationNotPermitted")
    const bySignature = await fetch(`${store.blob.url}/plain/told?sv=2026-06-06&sp=r&sr=b&sig=AAAA`)
    expect(bySignature.headers.get("x-ms-error-code")).toBe("KeyBasedAuthenticationNotPermitted")
  })

  it("does not know other accounts", async () => {
    const authorization = `Bearer ${await store.token("user")}`
    const url = `${new URL(store.blob.url).origin}/devstoreaccount1/plain?restype=container`
    const response = await fetch(url, { headers: { authorization } })
    expect(response.status).toBe(404)
  })
})
