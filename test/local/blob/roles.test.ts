import type { ContainerClient } from "@azure/storage-blob"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { aBlobStore, type BlobFixture, outcome } from "./blobFixture.ts"

const service = "Microsoft.Storage/storageAccounts/blobServices"
const blobs = `${service}/containers/blobs`
const denied = "403 AuthorizationPermissionMismatch"
const newOnly = { conditions: { ifNoneMatch: "*" } }

const off = { enabled: false }
const properties = {
  deleteRetentionPolicy: off,
  hourMetrics: { ...off, version: "1.0", retentionPolicy: off },
}

let store: BlobFixture
let as: ContainerClient
const grant = (...backup: string[]) => store.access.setRoles({ backup })
const list = async (prefix?: string) => {
  for await (const _ of as.listBlobsFlat(prefix === undefined ? {} : { prefix })) break
}

beforeAll(async () => {
  store = await aBlobStore()
  as = store.client("backup").getContainerClient("plain")
  const own = store.client("user").getContainerClient("plain")
  for (const name of ["taken", "journal/1", "v1/1"]) await own.getBlockBlobClient(name).upload("x", 1)
})
afterAll(() => store.blob.stop())
beforeEach(() => grant())

describe("startBlob: roles", () => {
  const operations: [name: string, action: string, run: () => Promise<unknown>][] = [
    ["get", `${blobs}/read`, () => as.getBlobClient("taken").download()],
    ["head", `${blobs}/read`, () => as.getBlobClient("taken").getProperties()],
    ["list", `${blobs}/read`, () => list()],
    ["put new", `${blobs}/add/action`, () => as.getBlockBlobClient("new-1").upload("y", 1)],
    ["put block", `${blobs}/write`, () => as.getBlockBlobClient("staged").stageBlock(btoa("1"), "y", 1)],
    ["put block list", `${blobs}/write`, () => as.getBlockBlobClient("listed").commitBlockList([])],
    ["set metadata", `${blobs}/write`, () => as.getBlobClient("taken").setMetadata({ a: "b" })],
    ["set tier", `${blobs}/write`, () => as.getBlobClient("taken").setAccessTier("Cool")],
    ["lease", `${blobs}/write`, () => as.getBlobClient("v1/1").getBlobLeaseClient().acquireLease(15)],
    ["set tags", `${blobs}/tags/write`, () => as.getBlobClient("taken").setTags({ a: "b" })],
    ["delete", `${blobs}/delete`, () => as.deleteBlob("new-1")],
    ["container properties", `${service}/containers/read`, () => as.getProperties()],
    ["container create", `${service}/containers/write`, () => store.client("backup").createContainer("made")],
    [
      "container delete",
      `${service}/containers/delete`,
      () => store.client("backup").deleteContainer("made"),
    ],
    ["service properties", `${service}/read`, () => store.client("backup").getProperties()],
    ["set service properties", `${service}/write`, () => store.client("backup").setProperties(properties)],
  ]

  it.each(operations)("%s needs %s", async (_name, action, run) => {
    grant(
      ...operations.map(([, other]) => other).filter((other) => other !== action && !covers(action, other)),
    )
    expect(await outcome(run())).toBe(denied)
    grant(action)
    expect(await outcome(run())).toBe("ok")
  })

  /** `write` also allows what `add` allows. */
  function covers(action: string, other: string): boolean {
    return action.endsWith("/add/action") && other === `${blobs}/write`
  }

  it("lets a caller that may only add create a blob, and nothing else", async () => {
    grant(`${blobs}/add/action on plain/`)
    const taken = as.getBlockBlobClient("taken")
    expect(await outcome(as.getBlockBlobClient("added").upload("x", 1, newOnly))).toBe("ok")
    expect(await outcome(taken.upload("y", 1, newOnly))).toBe("409 BlobAlreadyExists")
    expect(await outcome(taken.upload("y", 1))).toBe("403 UnauthorizedBlobOverwrite")
    expect(await outcome(taken.download())).toBe(denied)
    expect(await outcome(taken.stageBlock(btoa("1"), "y", 1))).toBe(denied)
    const elsewhere = store.client("backup").getContainerClient("worm").getBlockBlobClient("x")
    expect(await outcome(elsewhere.upload("x", 1, newOnly))).toBe(denied)
    grant(`${blobs}/write on plain/`)
    expect(await outcome(taken.upload("y", 1))).toBe("ok")
  })

  it("lets a caller list everything and read under one prefix", async () => {
    grant("list on plain", `${blobs}/read on plain/journal/`)
    expect(await outcome(list())).toBe("ok")
    expect(await outcome(list("v1/"))).toBe("ok")
    expect(await outcome(as.getBlobClient("journal/1").download())).toBe("ok")
    expect(await outcome(as.getBlobClient("v1/1").download())).toBe(denied)
    expect(await outcome(as.getBlobClient("v1/1").getProperties())).toBe(denied)
  })

  it("lets a caller that may read a prefix list that prefix only", async () => {
    grant(`${blobs}/read on plain/journal/`)
    expect(await outcome(list("journal/"))).toBe("ok")
    expect(await outcome(list())).toBe(denied)
  })

  it("needs tags/write for a PUT with tags", async () => {
    const put = () => as.getBlockBlobClient("tagged").upload("x", 1, { tags: { a: "b" } })
    grant(`${blobs}/add/action`)
    expect(await outcome(put())).toBe(denied)
    grant(`${blobs}/add/action`, `${blobs}/tags/write`)
    expect(await outcome(put())).toBe("ok")
  })

  it("needs to read what it copies", async () => {
    const copy = () => as.getBlobClient("copied").syncCopyFromURL(as.getBlobClient("v1/1").url)
    grant(`${blobs}/write`, `${blobs}/read on plain/journal/`)
    expect(await outcome(copy())).toBe(denied)
    grant(`${blobs}/write`, `${blobs}/read on plain/v1/`)
    expect(await outcome(copy())).toBe("ok")
  })

  it("does not let another method hide in a header", async () => {
    grant(`${blobs}/add/action`)
    const response = await fetch(`${store.blob.url}/plain/taken`, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${await store.token("backup")}`,
        "x-http-method": "DELETE",
        "x-ms-version": "2026-06-06",
        "x-ms-blob-type": "BlockBlob",
      },
      body: "y",
    })
    expect(response.headers.get("x-ms-error-code")).toBe("UnauthorizedBlobOverwrite")
  })

  it("does not play batches, nor a query that can be read in two ways", async () => {
    const headers = { authorization: `Bearer ${await store.token("user")}`, "x-ms-version": "2026-06-06" }
    const batch = await fetch(`${store.blob.url}?comp=batch`, { method: "POST", headers, body: "x" })
    expect(batch.status).toBe(501)
    const twice = await fetch(`${store.blob.url}/plain/x?comp=lease&comp=metadata`, {
      method: "PUT",
      headers,
    })
    expect(twice.status).toBe(400)
  })
})
