import { parseDeadLetterBlob } from "../deadLetter/eventGridBlob.ts"
import type { AzureStoreOptions } from "../store/azureContainerClient.ts"
import { createAzureStoreCatalog } from "../store/azureStoreCatalog.ts"
import { createAzureStoreReader } from "../store/azureStoreReader.ts"
import type { NewestLetter } from "./diagnoseLetters.ts"

/** As many as one call lists: the newest of more is looked for among these. */
const mostListed = 5000

/**
 * The newest of Event Grid's dead letters; undefined when there is none. Names are by date, but without leading zeros, so
 * that only the time of each blob tells.
 *
 * @throws ServiceError as the catalogue and the reader do.
 */
export async function readNewestLetter(
  options: AzureStoreOptions,
  signal: AbortSignal,
): Promise<NewestLetter | undefined> {
  let newest: { readonly name: string; readonly createdAt: Date } | undefined
  let listed = 0
  for await (const blob of createAzureStoreCatalog(options).list("", { signal })) {
    if (blob.name.endsWith(".json") && (newest === undefined || blob.createdAt > newest.createdAt))
      newest = blob
    listed += 1
    if (listed === mostListed) break
  }
  if (newest === undefined) return undefined
  const body = await createAzureStoreReader(options).read(newest.name, { signal })
  const entries = parseDeadLetterBlob(body)
  const reason = entries.map((entry) => entry.reason).find((text) => text !== undefined) ?? "unknown"
  return {
    blob: newest.name,
    at: newest.createdAt,
    reason: /^[\w /.-]{1,120}$/.test(reason) ? reason : "unknown",
  }
}
