import { badParameter } from "./vaultError.ts"
import type { VaultAnswer, VaultRequest } from "./vaultRequest.ts"

const maxPageSize = 25

/**
 * One page of a list: at most 25 items, and a link to the next page that holds also when something is added
 * or removed in between, since it names the last key and not a count.
 *
 * @param path - of the list, below the vault's URL.
 * @param sources - lists of keys in ascending order; no key stands in two of them.
 * @throws VaultError 400 BadParameter for a page size or token that is not ours.
 */
export function pageOf(
  { vault, query }: VaultRequest,
  path: string,
  sources: readonly (readonly string[])[],
  itemOf: (key: string) => unknown,
): VaultAnswer {
  const size = pageSize(query.get("maxresults"))
  const keys = keysAfter(sources, parseSkipToken(query.get("$skiptoken")), size + 1)
  const last = keys.length > size ? keys[size - 1] : undefined
  const value = keys.slice(0, size).map(itemOf)
  return {
    status: 200,
    body: { value, nextLink: last === undefined ? null : nextLink(vault.url, path, query, last) },
  }
}

/** The `count` smallest keys of all sources that are greater than `after`. */
function keysAfter(sources: readonly (readonly string[])[], after: string, count: number): string[] {
  const taken = sources.map((keys) => {
    const start = firstGreater(keys, after)
    return keys.slice(start, start + count)
  })
  return taken.flat().sort().slice(0, count)
}

function firstGreater(keys: readonly string[], after: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] ?? "") > after) high = middle
    else low = middle + 1
  }
  return low
}

function pageSize(asked: string | null): number {
  if (asked === null) return maxPageSize
  const size = Number(asked)
  if (Number.isInteger(size) && size >= 1 && size <= maxPageSize) return size
  throw badParameter(`The parameter 'maxresults' must be between 1 and ${maxPageSize}`)
}

function nextLink(url: string, path: string, query: URLSearchParams, lastKey: string): string {
  const next = new URLSearchParams(query)
  next.set("$skiptoken", Buffer.from(`after:${lastKey}`).toString("base64url"))
  return `${url}${path}?${next.toString().replaceAll("%24skiptoken", "$skiptoken")}`
}

function parseSkipToken(token: string | null): string {
  if (token === null) return ""
  const text = Buffer.from(token, "base64url").toString()
  if (text.startsWith("after:")) return text.slice("after:".length)
  throw badParameter("The parameter '$skiptoken' is not valid")
}
