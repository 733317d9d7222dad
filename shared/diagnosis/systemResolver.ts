import { lookup, Resolver } from "node:dns/promises"
import { isIP } from "node:net"
import type { NameAnswer, NameResolver } from "./names.ts"

const aliasTimeoutMs = 1000
const longestChain = 8

/**
 * Asks the operating system, as the clients do, so that its hosts file counts. The aliases come from the name servers
 * themselves, and are left out where these do not answer in time.
 */
export function createSystemResolver(): NameResolver {
  return {
    resolve: async (host) => {
      if (isIP(host) !== 0) return { addresses: [host], aliases: [] }
      const [found, aliases] = await Promise.all([addressesOf(host), aliasesOf(host)])
      return { ...found, aliases }
    },
  }
}

async function addressesOf(host: string): Promise<Pick<NameAnswer, "addresses" | "problem">> {
  try {
    const found = await lookup(host, { all: true })
    return { addresses: found.map(({ address }) => address) }
  } catch (error) {
    const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined
    return { addresses: [], problem: typeof code === "string" ? code : "EAI_FAIL" }
  }
}

async function aliasesOf(host: string): Promise<readonly string[]> {
  if (host === "localhost") return []
  const resolver = new Resolver({ timeout: aliasTimeoutMs, tries: 1 })
  const aliases: string[] = []
  try {
    for (let name = host; aliases.length < longestChain;) {
      const [next] = await resolver.resolveCname(name)
      if (next === undefined) break
      aliases.push(next.toLowerCase())
      name = next
    }
  } catch {
    // The end of the chain, or a name server that does not tell.
  }
  return aliases
}
