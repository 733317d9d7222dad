import type { BlockBlobClient, ContainerClient, RestError } from "@azure/storage-blob"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Journey, recordNameOf, startJourney } from "../support/startJourney.ts"

const blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
const mismatch = { statusCode: 403, code: "AuthorizationPermissionMismatch" }
const refusedByPolicy = { statusCode: 409, code: "BlobImmutableDueToPolicy" }

let journey: Journey
let id: string
let name: string
let stored: Buffer

beforeAll(async () => {
  journey = await startJourney()
  id = await journey.set("kept", "value that must stay")
  await journey.settled()
  name = recordNameOf(id)
  stored = await journey.store("user").getBlobClient(name).downloadToBuffer()
})
afterAll(() => journey.stop())

/** Status and code of the refusal of `call`; fails when it was not refused. */
async function refusalOf(call: Promise<unknown>): Promise<unknown> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Error)) return "not refused"
  const { statusCode, code, details } = error as RestError
  // The answer to a HEAD request has no body; its code stands in a header.
  return { statusCode, code: code ?? (details as { errorCode?: string } | undefined)?.errorCode }
}

const changes: { name: string; change: (blob: BlockBlobClient) => Promise<unknown> }[] = [
  { name: "overwrite", change: (blob) => blob.upload("other", 5) },
  { name: "overwrite in blocks", change: (blob) => stageAndCommit(blob) },
  { name: "delete", change: (blob) => blob.delete() },
  { name: "delete with its snapshots", change: (blob) => blob.delete({ deleteSnapshots: "include" }) },
  { name: "change of metadata", change: (blob) => blob.setMetadata({ putat: "2020-01-01T00:00:00.000Z" }) },
  { name: "change of headers", change: (blob) => blob.setHTTPHeaders({ blobContentType: "text/plain" }) },
]

async function stageAndCommit(blob: BlockBlobClient): Promise<unknown> {
  const block = Buffer.from("block-1").toString("base64")
  await blob.stageBlock(block, "other", 5)
  return blob.commitBlockList([block])
}

describe("container-level time-based retention, locked, versioning off", () => {
  let asOwner: ContainerClient

  beforeAll(() => {
    const { access } = journey.cloud
    // Every right, so that it is the policy that refuses and not a role.
    access.setRoles({ user: [...(access.roles()["user"] ?? []), `${blobs}/write`, `${blobs}/delete`] })
    asOwner = journey.store("user")
  })

  it("is what the container of backups has", async () => {
    const { container } = journey.cloud.file.blob
    expect(journey.cloud.blob.policy(container)).toMatchObject({ state: "locked", days: 30 })
    const properties = await asOwner.getProperties()
    expect(properties.hasImmutabilityPolicy).toBe(true)
    expect(properties.isImmutableStorageWithVersioningEnabled).toBe(false)
  })

  it.each(changes)(
    "refuses to everybody the $name of a stored record, and the record stays as it is",
    async ({ change }) => {
      const blob = asOwner.getBlockBlobClient(name)
      const before = await blob.getProperties()
      expect(await refusalOf(change(blob))).toEqual(refusedByPolicy)
      const after = await blob.getProperties()
      expect(after.metadata).toEqual(before.metadata)
      expect(after.etag).toBe(before.etag)
      expect(await blob.downloadToBuffer()).toEqual(stored)
      expect((await journey.open(id)).value).toBe("value that must stay")
    },
  )

  it("holds nothing where there is no policy, so it is the policy that refused", async () => {
    const { blob: store, file } = journey.cloud
    await store.setPolicy(file.blob.container, { state: "none" })
    try {
      const other = asOwner.getBlockBlobClient("probe/of-this-test")
      await other.upload("first", 5)
      for (const { change } of changes.slice(4)) await change(other)
      for (const { change } of [changes[0]!, changes[2]!]) await change(other)
      expect(await other.exists()).toBe(false)
    } finally {
      await store.setPolicy(file.blob.container, { state: "locked", days: 30 })
    }
  })
})

describe("the identity that writes backups", () => {
  let asWriter: ContainerClient

  beforeAll(() => {
    asWriter = journey.store("backup")
  })

  it.each<{ name: string; call: (container: ContainerClient, blob: BlockBlobClient) => Promise<unknown> }>([
    { name: "read a record", call: (_, blob) => blob.download() },
    { name: "read a record's metadata", call: (_, blob) => blob.getProperties() },
    { name: "list the records", call: (container) => container.listBlobsFlat().next() },
    { name: "delete a record", call: (_, blob) => blob.delete() },
    { name: "stage a block", call: (_, blob) => blob.stageBlock("YmxvY2s=", "other", 5) },
    { name: "change a record's metadata", call: (_, blob) => blob.setMetadata({}) },
    { name: "delete the container", call: (container) => container.delete() },
  ])("may not $name", async ({ call }) => {
    expect(await refusalOf(call(asWriter, asWriter.getBlockBlobClient(name)))).toEqual(mismatch)
  })

  it("may not overwrite a record, under a condition or without one", async () => {
    const blob = asWriter.getBlockBlobClient(name)
    // Which refusal comes first, the role's or the policy's, is not documented.
    const refusals = [{ statusCode: 403, code: "UnauthorizedBlobOverwrite" }, refusedByPolicy]
    expect(refusals).toContainEqual(await refusalOf(blob.upload("other", 5)))
    const ifAbsent = { conditions: { ifNoneMatch: "*" } }
    expect(await refusalOf(blob.upload("other", 5, ifAbsent))).toMatchObject({ statusCode: 409 })
    expect(await journey.store("user").getBlobClient(name).downloadToBuffer()).toEqual(stored)
  })

  it("may add a record that is not there", async () => {
    await asWriter
      .getBlockBlobClient("probe/added.json")
      .upload("{}", 2, { conditions: { ifNoneMatch: "*" } })
    expect(await journey.store("user").getBlobClient("probe/added.json").exists()).toBe(true)
  })
})
