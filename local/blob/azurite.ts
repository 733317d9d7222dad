import { randomBytes } from "node:crypto"
import type { RequestListener } from "node:http"
import { createRequire } from "node:module"
import type { Readable } from "node:stream"

/** Where Azurite keeps a run of bytes. */
export interface ExtentChunk {
  readonly id: string
  readonly offset: number
  readonly count: number
}

/** The parts of a blob's document in Azurite's store that this folder reads or writes. */
export interface BlobDocument {
  accountName: string
  containerName: string
  name: string
  /** Empty for the blob itself. */
  snapshot: string
  isCommitted: boolean
  metadata?: Record<string, string> | undefined
  properties: {
    creationTime: Date
    lastModified: Date
    contentLength: number
    contentMD5?: Uint8Array | undefined
    [name: string]: unknown
  }
  persistency?: ExtentChunk | undefined
  committedBlocksInOrder?: { persistency: ExtentChunk }[] | undefined
  pageRangesInOrder?: { persistency: ExtentChunk }[] | undefined
}

/** A block that was staged and not yet committed. */
export interface BlockDocument {
  accountName: string
  containerName: string
  blobName: string
  persistency: ExtentChunk
}

export interface ContainerDocument {
  accountName: string
  name: string
  properties: Record<string, unknown>
  metadata?: Record<string, string> | undefined
}

/** A collection of LokiJS, Azurite's database; every method is synchronous. */
interface Collection<T> {
  /** `name` has to be the first key: Loki uses one index only, and this is the selective one. */
  findOne(query: Record<string, unknown>): T | null
  find(query: Record<string, unknown>): T[]
  insert(document: T): T
  update(document: T): T
  remove(document: T): void
}

/** What Azurite passes to its store with each request. */
export interface StoreContext {
  readonly contextId: string
  readonly request?: { getHeader(name: string): string | undefined }
  readonly response?: { setHeader(name: string, value: string): unknown }
}

type StoreMethod = (context: StoreContext, ...rest: unknown[]) => Promise<unknown>

interface ExtentStore {
  appendExtent(data: Buffer): Promise<ExtentChunk>
  readExtent(chunk: ExtentChunk): Promise<Readable>
}

/** An error that Azurite turns into storage's XML answer. */
type StoreErrorFactory = (status: number, code: string, message: string, requestId: string) => Error

/** One storage account inside Azurite, in memory, without any listener. */
export interface AzuriteAccount {
  readonly account: string
  /** Serves a request that is already authenticated; it must carry the caller's bearer token over TLS. */
  readonly listener: RequestListener
  readonly containers: Collection<ContainerDocument>
  readonly blobs: Collection<BlobDocument>
  readonly blocks: Collection<BlockDocument>
  readonly extents: ExtentStore
  /** All bytes of an extent; undefined for none of that id. */
  extentBytes(id: string): Buffer | undefined
  /** Puts an extent back under its id. */
  restoreExtent(id: string, bytes: Buffer): void
  /** Makes a private container. @returns false when there is one of that name. */
  createContainer(name: string): boolean
  /** Azurite's store: the method called `name` is replaced by what `wrap` makes of it. */
  wrapStoreMethod(name: string, wrap: (original: StoreMethod) => StoreMethod): void
  readonly storeError: StoreErrorFactory
  close(): Promise<void>
}

interface MetadataStore {
  db: { getCollection(name: string): unknown }
  init(): Promise<void>
  close(): Promise<void>
  [method: string]: unknown
}

interface ChunkStore {
  get(category: string, id: string): { readonly chunks: readonly Buffer[] } | undefined
  set(category: string, chunk: ExtentChunk & { readonly chunks: readonly Buffer[] }): void
}

interface Closable {
  init(): Promise<void>
  close(): Promise<void>
}

type Constructor<T> = new (...options: unknown[]) => T

const extentCategory = "blob"
const require = createRequire(import.meta.url)
const load = (path: string) => require(`azurite/dist/src/${path}`) as Record<string, unknown>
const loadDefault = <T>(path: string) => load(path)["default"] as T

/**
 * Makes an account in this process. Loading Azurite takes about half a second, the first time only.
 *
 * Everything lives in memory. Azurite's garbage collector is left out: bytes of overwritten and deleted blobs
 * stay in memory until `close`.
 */
export async function createAzuriteAccount(account: string): Promise<AzuriteAccount> {
  const logger = loadDefault<unknown>("common/Logger")
  const StorageError = loadDefault<Constructor<Error>>("blob/errors/StorageError")
  const store = new (loadDefault<Constructor<MetadataStore>>("blob/persistence/LokiBlobMetadataStore"))(
    "blob-index",
    true,
  )
  const extentIndex = new (loadDefault<Constructor<Closable>>("common/persistence/LokiExtentMetadataStore"))(
    "blob-extents",
    true,
  )
  const memory = load("common/persistence/MemoryExtentStore")
  const chunks = new (memory["MemoryExtentChunkStore"] as Constructor<ChunkStore>)()
  const storeError: StoreErrorFactory = (status, code, message, requestId) =>
    new StorageError(status, code, message, requestId)
  const extents = new (memory["default"] as Constructor<ExtentStore & Closable>)(
    extentCategory,
    chunks,
    extentIndex,
    logger,
    storeError,
  )
  // A key nobody is told, so that no shared key and no SAS can be right.
  const key1 = randomBytes(64)
  const accounts = { getAccount: (name: string) => (name === account ? { name, key1 } : undefined) }
  const { OAuthLevel } = load("common/models") as { OAuthLevel: { BASIC: unknown } }
  const { newEtag } = load("common/utils/utils") as { newEtag(): string }
  await store.init()
  await extents.init()
  const factory = new (loadDefault<Constructor<{ createRequestListener(): RequestListener }>>(
    "blob/BlobRequestListenerFactory",
  ))(store, extents, accounts, false, undefined, false, true, OAuthLevel.BASIC, true)

  const containers = store.db.getCollection("$CONTAINERS_COLLECTION$") as Collection<ContainerDocument>

  return {
    account,
    listener: factory.createRequestListener(),
    containers,
    blobs: store.db.getCollection("$BLOBS_COLLECTION$") as Collection<BlobDocument>,
    blocks: store.db.getCollection("$BLOCKS_COLLECTION$") as Collection<BlockDocument>,
    extents,
    extentBytes: (id) => {
      const extent = chunks.get(extentCategory, id)
      return extent && Buffer.concat(extent.chunks)
    },
    restoreExtent: (id, bytes) => {
      chunks.set(extentCategory, { id, offset: 0, count: bytes.length, chunks: [bytes] })
    },
    createContainer: (name) => {
      if (containers.findOne({ name, accountName: account })) return false
      const lease = { leaseStatus: "unlocked", leaseState: "available" }
      const properties = { etag: newEtag(), lastModified: new Date(), ...lease }
      containers.insert({ accountName: account, name, properties })
      return true
    },
    wrapStoreMethod: (name, wrap) => {
      const original = store[name]
      if (typeof original !== "function") throw new TypeError(`Azurite's store has no method ${name}`)
      store[name] = wrap(original.bind(store) as StoreMethod)
    },
    storeError,
    close: async () => {
      await extents.close()
      await store.close()
    },
  }
}
