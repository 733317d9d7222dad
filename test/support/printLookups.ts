// Loaded before the app (`node --import`): prints each host name that the process looks up, as `lookup NAME`.
import dns from "node:dns"
import { syncBuiltinESMExports } from "node:module"

type Lookup = (...parameters: unknown[]) => unknown

function watch(target: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const original = target[name] as Lookup
    target[name] = (...parameters: unknown[]) => {
      process.stdout.write(`lookup ${String(parameters[0])}\n`)
      return original.apply(target, parameters)
    }
  }
}

const queries = ["lookup", "resolve", "resolve4", "resolve6", "resolveAny", "resolveCname", "resolveSrv"]
watch(dns as unknown as Record<string, unknown>, queries)
watch(dns.promises as unknown as Record<string, unknown>, queries)
watch(dns.Resolver.prototype as unknown as Record<string, unknown>, queries.slice(1))
watch(dns.promises.Resolver.prototype as unknown as Record<string, unknown>, queries.slice(1))
syncBuiltinESMExports()
