import type { Clock } from "../clock.ts"
import { ServiceError } from "../errors.ts"
import type { Pace } from "../vault/vaultPager.ts"

/** How much a run may take. */
export interface BudgetLimits {
  /** Calls to the vault. */
  readonly maxCalls?: number
  readonly until?: Date
}

/** What is left of it. */
export interface Budget {
  isSpent(): boolean
  /** `pace`, in which each call counts. Once the budget is spent it rejects with ERR_VAULT_THROTTLED and calls nobody. */
  limit(pace: Pace): Pace
}

/** A budget of these limits; without any it is never spent. */
export function createBudget({ maxCalls = Infinity, until }: BudgetLimits, clock: Clock): Budget {
  let calls = 0
  const isSpent = () => calls >= maxCalls || (until !== undefined && clock.now() >= until)
  return {
    isSpent,
    limit: (pace) => async (host, call) => {
      if (isSpent()) throw new ServiceError("ERR_VAULT_THROTTLED", "The run's budget is spent")
      return pace(host, () => {
        calls += 1
        return call()
      })
    },
  }
}
