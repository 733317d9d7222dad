import { buffer } from "node:stream/consumers"
import type { ContainerClient } from "@azure/storage-blob"
import { fromStoreError } from "../azureErrors.ts"
import { ServiceError } from "../errors.ts"
import { type AzureStoreOptions, createContainerClient } from "../store/azureContainerClient.ts"
import type { DeadLetter } from "./deadLetter.ts"
import type { DeadLetterReceiver, DeadLetterSource, ListOptions } from "./deadLetterSource.ts"
import { parseDeadLetterBlob } from "./eventGridBlob.ts"
import { createNameSet } from "./memberSet.ts"

/**
 * `SUBSCRIPTION/YYYY/M/D/H/GUID.json`, in whatever is put in front of it
 * (https://learn.microsoft.com/azure/event-grid/manage-event-delivery).
 */
const blobPattern = /(?:^|\/)\d{4}\/\d{1,2}\/\d{1,2}\/\d{1,2}\/[^/]+\.json$/

/**
 * The container of Event Grid's dead letters. Reads only: no blob is ever altered or deleted, and what was done with an
 * entry is known from the journal. See DeadLetterSource for the promise.
 */
export function createAzureEventGridDeadLetters(options: AzureStoreOptions): DeadLetterSource {
  const container = createContainerClient(options)
  const list = (listOptions?: ListOptions) => pagesOf(container, options.container, listOptions)
  return {
    source: "event-grid",
    place: options.container,
    createMembers: createNameSet,
    list,
    open: (listOptions) => openReceiver(list(listOptions)),
  }
}

async function* pagesOf(
  container: ContainerClient,
  place: string,
  { signal, isAccountedFor = () => false }: ListOptions = {},
): AsyncGenerator<readonly DeadLetter[]> {
  const abort = signal ? { abortSignal: signal } : {}
  try {
    for await (const { name } of container.listBlobsFlat(abort)) {
      if (!blobPattern.test(name) || isAccountedFor(name)) continue
      yield toLetters(await readBlob(container, name, abort), name, place)
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw fromStoreError(error, { container: place })
  }
}

async function readBlob(
  container: ContainerClient,
  name: string,
  abort: { readonly abortSignal?: AbortSignal },
): Promise<Uint8Array> {
  const details = { blob: name }
  const { readableStreamBody } = await container
    .getBlobClient(name)
    .download(0, undefined, { maxRetryRequests: 0, ...abort })
  if (!readableStreamBody) throw new TypeError("A download outside a browser has a stream")
  return buffer(readableStreamBody).catch((cause: unknown) => {
    throw new ServiceError("ERR_STORE_UNAVAILABLE", "The download broke off", { details, cause })
  })
}

function toLetters(body: Uint8Array, blob: string, place: string): readonly DeadLetter[] {
  const entries = parseDeadLetterBlob(body)
  return entries.map(({ text, reason, at }, index) => ({
    source: "event-grid",
    place,
    id: `${blob}#${index}`,
    ...(at ? { at } : {}),
    ...(reason === undefined ? {} : { reason }),
    state: "active",
    body: Buffer.from(text),
    envelope: { bodyType: "data", contentType: "application/json", properties: {} },
    entries: entries.length,
  }))
}

/** Gives out the listing in portions. Nothing is locked: there is one runner at a time, and nothing is removed. */
function openReceiver(pages: AsyncIterable<readonly DeadLetter[]>): DeadLetterReceiver {
  const iterator = pages[Symbol.asyncIterator]()
  const waiting: DeadLetter[] = []
  return {
    take: async (limit, { signal }) => {
      signal?.throwIfAborted()
      while (waiting.length < limit) {
        const next = await iterator.next()
        if (next.done) break
        waiting.push(...next.value)
      }
      return waiting.splice(0, limit)
    },
    extend: async () => {},
    complete: async () => {},
    release: async () => {},
    close: async () => {
      await iterator.return?.()
    },
  }
}
