import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { BlobServiceClient } from "@azure/storage-blob"
import { newTokenAuthorityState } from "../../../local/access/tokenAuthority.ts"
import { aBlobStore, blobClient, issued, outcome } from "./blobFixture.ts"
import type { KeptBlobInput } from "./keptBlobProcess.ts"

const program = new URL("keptBlobProcess.ts", import.meta.url).pathname
const newOnly = { conditions: { ifNoneMatch: "*" } }
const state = newTokenAuthorityState()

let directory: string
let running: ChildProcess | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "kept-blob-"))
})
afterEach(async () => {
  await kill()
  await rm(directory, { recursive: true, force: true })
})

/** Starts the store in a process of its own. */
async function start(): Promise<BlobServiceClient> {
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] })
  running = child
  const input: KeptBlobInput = { directory, authority: state, tls: issued }
  child.stdin.end(JSON.stringify(input))
  const [url] = (await once(createInterface(child.stdout), "line")) as [string]
  return blobClient(url, state)
}

async function kill(): Promise<void> {
  const child = running
  running = undefined
  if (!child) return
  const gone = once(child, "exit")
  child.kill("SIGKILL")
  await gone
}

async function downloads(client: BlobServiceClient, container: string): Promise<Record<string, string>> {
  const from = client.getContainerClient(container)
  const found: Record<string, string> = {}
  for await (const { name } of from.listBlobsFlat()) {
    found[name] = (await from.getBlobClient(name).downloadToBuffer()).toString()
  }
  return found
}

describe("startBlob: kept in a directory", () => {
  it("has every acknowledged write after kill -9 in the middle of many", async () => {
    const first = (await start()).getContainerClient("worm")
    const acknowledged: Record<string, string> = {}
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; ; n += 1) {
        const [name, body] = [`v1/${writer}-${n}`, `body ${writer} ${n}`]
        const metadata = { kid: name.replace("/", "-") }
        await first.getBlockBlobClient(name).upload(body, body.length, { ...newOnly, metadata })
        acknowledged[name] = body
      }
    })
    const interrupted = Promise.allSettled(writers)
    while (Object.keys(acknowledged).length < 100) await new Promise((resolve) => setTimeout(resolve, 5))
    await kill()
    await interrupted

    const client = await start()
    expect(await downloads(client, "worm")).toMatchObject(acknowledged)
    const blob = client.getContainerClient("worm").getBlockBlobClient("v1/0-0")
    expect((await blob.getProperties()).metadata).toEqual({ kid: "v1-0-0" })
    expect(await outcome(blob.upload("other", 5))).toBe("409 BlobImmutableDueToPolicy")
    expect(await outcome(blob.delete())).toBe("409 BlobImmutableDueToPolicy")
  })

  it("brings back blobs of every kind just as they were", async () => {
    const plain = (await start()).getContainerClient("plain")
    const block = plain.getBlockBlobClient("block")
    await block.stageBlock(btoa("a"), "one ", 4)
    await block.stageBlock(btoa("b"), "two", 3)
    await block.commitBlockList([btoa("a"), btoa("b")], { metadata: { a: "b" }, tags: { t: "1" } })
    const lease = await block.getBlobLeaseClient().acquireLease(-1)
    const append = plain.getAppendBlobClient("append")
    await append.create()
    await append.appendBlock("x", 1)
    await append.appendBlock("y", 1)
    await plain.getPageBlobClient("page").create(512)
    await plain.getPageBlobClient("page").uploadPages("p".repeat(512), 0, 512)
    await plain.getBlockBlobClient("staged").stageBlock(btoa("s"), "later", 5)
    await plain.getBlockBlobClient("empty").upload("", 0)
    await plain.getBlockBlobClient("gone").upload("x", 1)
    await plain.deleteBlob("gone")
    const before = await block.getProperties()
    await kill()

    const again = (await start()).getContainerClient("plain")
    const blockAgain = again.getBlockBlobClient("block")
    const { etag, createdOn, lastModified, metadata, leaseState, contentMD5 } = before
    const same = { etag, createdOn, lastModified, metadata, leaseState, tagCount: 1, contentMD5 }
    expect(await blockAgain.getProperties()).toMatchObject(same)
    expect(await outcome(blockAgain.delete())).toBe("412 LeaseIdMissing")
    expect(await outcome(blockAgain.delete({ conditions: { leaseId: lease.leaseId! } }))).toBe("ok")
    await again.getBlockBlobClient("staged").commitBlockList([btoa("s")])
    await again.getAppendBlobClient("append").appendBlock("z", 1)
    await kill()

    expect(await downloads(await start(), "plain")).toEqual({
      append: "xyz",
      page: "p".repeat(512),
      staged: "later",
      empty: "",
    })
  })

  it("keeps the policy it was last given, and containers that were made or deleted", async () => {
    const options = { directory, account: "kept", containers: [{ name: "worm" }, { name: "plain" }] }
    const first = await aBlobStore(options)
    const service = first.client("user")
    await first.blob.setPolicy("worm", { state: "unlocked", days: 3 })
    await service.createContainer("made")
    await service.getContainerClient("made").getBlockBlobClient("x").upload("x", 1)
    await service.createContainer("unmade")
    await service.deleteContainer("unmade")
    await first.blob.stop()
    const second = await aBlobStore(options)
    expect(second.blob.policy("worm")).toEqual({ state: "unlocked", days: 3 })
    expect(second.blob.counts()).toEqual({ worm: 0, plain: 0, made: 1 })
    await second.blob.stop()
  })

  it("ignores a last line that was cut off, and refuses a file damaged elsewhere", async () => {
    const options = { directory, account: "kept", containers: [{ name: "plain" }] }
    const first = await aBlobStore(options)
    await first.client("user").getContainerClient("plain").getBlockBlobClient("x").upload("x", 1)
    await first.blob.stop()
    const path = join(directory, "kept.blobs.jsonl")
    await appendFile(path, '{"blob":{"container":"plain","na')
    const second = await aBlobStore(options)
    expect(second.blob.counts()).toEqual({ plain: 1 })
    await second.blob.stop()
    const lines = (await readFile(path, "utf8")).split("\n")
    await writeFile(path, [lines[0], '{"blob":', ...lines.slice(1)].join("\n"))
    await expect(aBlobStore(options)).rejects.toThrow(/line 2: this is no JSON/)
    await writeFile(path, '{"format":"other/1"}\n')
    await expect(aBlobStore(options)).rejects.toThrow(/no journal of the format/)
  })
})
