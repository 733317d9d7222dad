import { randomUUID } from "node:crypto"

export type FaultTarget = "keyvault" | "blob" | "servicebus" | "eventgrid" | "identity"

/**
 * One rule of the control endpoint's `/faults`. `path` matches as a substring of the request path (for
 * Service Bus: of the entity), `method` is the HTTP method (for Service Bus: send, receive, settle, cbs or
 * management), `job` the caller. `count` is how many requests it hits before it retires; absent, it stays.
 */
export interface FaultRule {
  readonly target: FaultTarget
  readonly match?: { readonly method?: string; readonly path?: string; readonly job?: string }
  readonly effect: "status" | "hang" | "cut" | "delay" | "duplicate" | "reorder" | "drop"
  readonly status?: number
  readonly code?: string
  readonly innerCode?: string
  /** Sent as the `Retry-After` header: seconds or an HTTP date. */
  readonly retryAfter?: string | number
  readonly afterBytes?: number
  readonly delayMs?: number
  readonly count?: number
}

export interface FaultedRequest {
  readonly method?: string
  readonly path?: string
  readonly job?: string
}

/** The faults in force in one local cloud. */
export interface FaultBook {
  add(rule: FaultRule): string
  list(): readonly (FaultRule & { readonly id: string; readonly hits: number })[]
  clear(): void
  /** The first rule that fits, counted as hit; undefined in health. */
  take(target: FaultTarget, request: FaultedRequest): FaultRule | undefined
}

export function createFaultBook(): FaultBook {
  let rules: { id: string; rule: FaultRule; hits: number }[] = []
  const fits = ({ match = {} }: FaultRule, { method, path, job }: FaultedRequest) =>
    (match.method === undefined || match.method.toLowerCase() === method?.toLowerCase()) &&
    (match.path === undefined || (path ?? "").includes(match.path)) &&
    (match.job === undefined || match.job === job)
  return {
    add: (rule) => {
      const id = randomUUID()
      rules.push({ id, rule, hits: 0 })
      return id
    },
    list: () => rules.map(({ id, rule, hits }) => ({ ...rule, id, hits })),
    clear: () => {
      rules = []
    },
    take: (target, request) => {
      const entry = rules.find(({ rule }) => rule.target === target && fits(rule, request))
      if (!entry) return undefined
      entry.hits += 1
      if (entry.rule.count !== undefined && entry.hits >= entry.rule.count) {
        rules = rules.filter((other) => other !== entry)
      }
      return entry.rule
    },
  }
}
