import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type {
  AzuriteAccount,
  BlobDocument,
  BlockDocument,
  ContainerDocument,
  ExtentChunk,
} from "./azurite.ts"
import { readBlobJournal, rewriteBlobJournal } from "./blobJournal.ts"
import type { ContainerPolicy } from "./containerPolicy.ts"
import type { BlobKey } from "./storeMutations.ts"

/** Writes down what changed, before the change is acknowledged. */
export interface BlobKeeper {
  blobChanged(key: BlobKey): Promise<void>
  containerChanged(container: string): Promise<void>
  close(): Promise<void>
}

export interface BlobKeeperOptions {
  readonly directory: string
  readonly azurite: AzuriteAccount
  readonly policy: (container: string) => ContainerPolicy
  readonly setPolicy: (container: string, policy: ContainerPolicy) => void
}

/** A container as it is, with its policy; without a document it is gone, and all its blobs with it. */
interface ContainerRecord {
  readonly container: string
  readonly document?: ContainerDocument
  readonly policy?: ContainerPolicy
}

/** Everything under one blob name, snapshots and staged blocks included; no documents: it is gone. */
interface BlobRecord {
  readonly blob: BlobKey
  readonly documents: readonly BlobDocument[]
  readonly blocks: readonly BlockDocument[]
  /** Bytes that no earlier record holds, by extent. */
  readonly extents: Readonly<Record<string, Buffer>>
}

/** Keeps nothing: what a store in memory does. */
export const noKeeper: BlobKeeper = {
  blobChanged: async () => {},
  containerChanged: async () => {},
  close: async () => {},
}

/**
 * Brings back what an account held when its process ended, and keeps it from here on, in one file of `directory`
 * named after the account.
 *
 * Only one process may keep an account in a directory at a time.
 *
 * @throws Error when the file is damaged other than at its end.
 */
export async function openBlobKeeper(options: BlobKeeperOptions): Promise<BlobKeeper> {
  const { directory, azurite, policy } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, `${azurite.account}.blobs.jsonl`)
  await restore(path, options)
  const written = new Set<string>()
  const journal = await rewriteBlobJournal(path, allRecords(azurite, policy, written))
  return {
    blobChanged: (key) => journal.append(blobRecord(azurite, key, written)),
    containerChanged: (container) => journal.append(containerRecord(azurite, container, policy)),
    close: journal.close,
  }
}

async function restore(path: string, { azurite, setPolicy }: BlobKeeperOptions): Promise<void> {
  const containers = new Map<string, ContainerRecord>()
  const blobs = new Map<string, Map<string, BlobRecord>>()
  const extents = new Map<string, Buffer>()
  for await (const record of readBlobJournal(path)) {
    const entry = record as ContainerRecord | BlobRecord
    if ("blob" in entry) {
      blobs.get(entry.blob.container)?.set(entry.blob.name, entry)
      for (const [id, bytes] of Object.entries(entry.extents)) extents.set(id, bytes)
    } else {
      containers.set(entry.container, entry)
      if (entry.document === undefined) blobs.delete(entry.container)
      else if (!blobs.has(entry.container)) blobs.set(entry.container, new Map())
    }
  }
  for (const { container, document, policy } of containers.values()) {
    if (document === undefined) continue
    azurite.containers.insert(document)
    if (policy !== undefined) setPolicy(container, policy)
    for (const { documents, blocks } of blobs.get(container)?.values() ?? []) {
      for (const each of documents) azurite.blobs.insert(each)
      for (const each of blocks) azurite.blocks.insert(each)
      for (const id of extentIds(documents, blocks)) {
        const bytes = extents.get(id)
        if (bytes !== undefined) azurite.restoreExtent(id, bytes)
      }
    }
  }
}

function* allRecords(
  azurite: AzuriteAccount,
  policy: BlobKeeperOptions["policy"],
  written: Set<string>,
): Generator<object> {
  for (const { name: container } of azurite.containers.find({ accountName: azurite.account })) {
    yield containerRecord(azurite, container, policy)
    const names = new Set(azurite.blobs.find({ containerName: container }).map(({ name }) => name))
    for (const name of names) yield blobRecord(azurite, { container, name }, written)
  }
}

function containerRecord(
  { account, containers }: AzuriteAccount,
  container: string,
  policy: BlobKeeperOptions["policy"],
): ContainerRecord {
  const document = containers.findOne({ name: container, accountName: account })
  return document ? { container, document, policy: policy(container) } : { container }
}

function blobRecord(azurite: AzuriteAccount, blob: BlobKey, written: Set<string>): BlobRecord {
  const { container: containerName, name } = blob
  const documents = azurite.blobs.find({ name, containerName })
  const blocks = azurite.blocks.find({ blobName: name, containerName })
  const extents: Record<string, Buffer> = {}
  for (const id of extentIds(documents, blocks)) {
    const bytes = written.has(id) ? undefined : azurite.extentBytes(id)
    if (bytes === undefined) continue
    extents[id] = bytes
    written.add(id)
  }
  return { blob, documents, blocks, extents }
}

function extentIds(documents: readonly BlobDocument[], blocks: readonly BlockDocument[]): Set<string> {
  const chunks: (ExtentChunk | undefined)[] = blocks.map(({ persistency }) => persistency)
  for (const { persistency, committedBlocksInOrder = [], pageRangesInOrder = [] } of documents) {
    chunks.push(
      persistency,
      ...[...committedBlocksInOrder, ...pageRangesInOrder].map((each) => each.persistency),
    )
  }
  return new Set(chunks.filter((chunk) => chunk !== undefined).map(({ id }) => id))
}
