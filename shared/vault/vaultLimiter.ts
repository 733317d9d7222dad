import type { Clock } from "../clock.ts"
import { ServiceError, toServiceError } from "../errors.ts"
import type { VaultReader } from "./vaultReader.ts"

/** `live` goes first; `background` (reconciliation) takes at most half, and only what no live call waits for. */
export type VaultPriority = "live" | "background"

/** How many calls a vault gets at once: few after it said "too many", one more after each round that went well. */
export interface VaultLimiter {
  /**
   * Does `work`, a call to the vault at `host`, when it is its turn.
   *
   * @throws ServiceError ERR_VAULT_THROTTLED without a call while the vault has asked for a pause longer than a call
   * may wait; its `retryAfterMs` is what is left of it. The same, without a pause, for a live call whose turn took
   * longer to come than a message may be held. Else whatever `work` throws.
   */
  run<T>(host: string, work: () => Promise<T>, priority?: VaultPriority): Promise<T>
  /** Calls to the vault at `host` that may be under way at this moment. */
  limitOf(host: string): number
  /** Calls to the vault at `host` that are under way. */
  inFlightOf(host: string): number
}

export interface VaultLimiterOptions {
  readonly clock: Clock
  /** At first. Default 16: what one host hands over at once. */
  readonly initialLimit?: number
  /** Default 64. */
  readonly maxLimit?: number
  /** A pause up to this long is waited for; a longer one sends the caller away. Default 5 s. */
  readonly longestWaitMs?: number
  /** The pause after a 429 that names none. Default 1 s. */
  readonly defaultPauseMs?: number
  /** Told of every call that a vault answered with 429. Must not throw. */
  readonly onThrottled?: (host: string) => void
}

/** A live call that waited longer for its turn is sent away: slow calls in line must not outlast the function. */
const longestTurnMs = 60_000

interface Waiting {
  readonly priority: VaultPriority
  readonly start: () => void
}

interface VaultState {
  limit: number
  inFlight: number
  successes: number
  /** Raised by each halving; a call that began before it says nothing about the limit after it. */
  generation: number
  pausedUntilMs: number
  waiting: Waiting[]
}

/**
 * A limiter by vault: additive increase, multiplicative decrease. Key Vault allows 4,000 transactions in 10 s for a
 * vault, whoever sends them (https://learn.microsoft.com/azure/key-vault/general/service-limits).
 */
export function createVaultLimiter(options: VaultLimiterOptions): VaultLimiter {
  const { clock, initialLimit = 16, maxLimit = 64, longestWaitMs = 5000, defaultPauseMs = 1000 } = options
  const vaults = new Map<string, VaultState>()

  function stateOf(host: string): VaultState {
    const known = vaults.get(host)
    if (known) return known
    const fresh = {
      limit: initialLimit,
      inFlight: 0,
      successes: 0,
      generation: 0,
      pausedUntilMs: 0,
      waiting: [],
    }
    vaults.set(host, fresh)
    return fresh
  }

  async function sitOutPause(state: VaultState): Promise<void> {
    for (;;) {
      const leftMs = state.pausedUntilMs - clock.now().getTime()
      if (leftMs <= 0) return
      if (leftMs > longestWaitMs) {
        throw new ServiceError("ERR_VAULT_THROTTLED", "The vault has asked for a pause that is not over", {
          retryAfterMs: leftMs,
        })
      }
      await clock.sleep(leftMs)
    }
  }

  function learn(state: VaultState, generation: number, error: ServiceError | undefined): void {
    if (error?.code === "ERR_VAULT_THROTTLED") {
      const untilMs = clock.now().getTime() + (error.retryAfterMs ?? defaultPauseMs)
      state.pausedUntilMs = Math.max(state.pausedUntilMs, untilMs)
      if (generation !== state.generation) return
      state.generation += 1
      state.successes = 0
      state.limit = Math.max(1, Math.floor(state.limit / 2))
    } else if (error === undefined && generation === state.generation) {
      state.successes += 1
      if (state.successes < state.limit) return
      state.successes = 0
      state.limit = Math.min(maxLimit, state.limit + 1)
    }
  }

  return {
    limitOf: (host) => stateOf(host).limit,
    inFlightOf: (host) => stateOf(host).inFlight,
    run: async (host, work, priority = "live") => {
      const state = stateOf(host)
      const since = clock.now().getTime()
      await takeSlot(state, priority)
      try {
        if (priority === "live" && clock.now().getTime() - since > longestTurnMs) {
          throw new ServiceError("ERR_VAULT_THROTTLED", "The calls before this one took too long")
        }
        // Only then: what waited behind the call that was refused must sit out the pause too.
        await sitOutPause(state)
        const { generation } = state
        try {
          const result = await work()
          learn(state, generation, undefined)
          return result
        } catch (thrown) {
          const error = toServiceError(thrown)
          if (error.code === "ERR_VAULT_THROTTLED") options.onThrottled?.(host)
          learn(state, generation, error)
          throw thrown
        }
      } finally {
        state.inFlight -= 1
        startWaiting(state)
      }
    },
  }
}

function takeSlot(state: VaultState, priority: VaultPriority): Promise<void> {
  return new Promise((resolve) => {
    state.waiting.push({ priority, start: resolve })
    startWaiting(state)
  })
}

function startWaiting(state: VaultState): void {
  for (;;) {
    const live = state.waiting.findIndex(({ priority }) => priority === "live")
    const index = live === -1 ? 0 : live
    const next = state.waiting[index]
    if (!next) return
    const room = next.priority === "live" ? state.limit : Math.max(1, Math.floor(state.limit / 2))
    if (state.inFlight >= room) return
    state.waiting.splice(index, 1)
    state.inFlight += 1
    next.start()
  }
}

/** `reader` with each of its calls under the limit of its vault. Throws as the reader and the limiter do. */
export function limitVaultReader(
  reader: VaultReader,
  limiter: VaultLimiter,
  priority: VaultPriority = "live",
): VaultReader {
  return {
    readSecret: (object, options) =>
      limiter.run(object.host, () => reader.readSecret(object, options), priority),
    readCertificate: (object, options) =>
      limiter.run(object.host, () => reader.readCertificate(object, options), priority),
  }
}
