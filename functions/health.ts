import type { HttpHandler, HttpResponseInit } from "@azure/functions"
import type { Clock } from "../shared/clock.ts"

/** What decides about health: rejects when the worker could not do its job. */
export interface HealthApp {
  readonly clock: Clock
  readonly checkHealth: () => Promise<void>
}

/** How long one answer is repeated, so that strangers cannot make the worker busy. */
const freshMs = 10_000

/**
 * Answers 200 `ok` or 503 `not ok`, and no more: whoever asks need not be anyone we know. The details are in the
 * log. Requests that come while one is being answered share its answer.
 */
export function createHealthHandler(app: () => HealthApp): HttpHandler {
  let known: { readonly until: number; readonly response: HttpResponseInit } | undefined
  let asking: Promise<HttpResponseInit> | undefined
  const ask = async ({ clock, checkHealth }: HealthApp) => {
    const healthy = await checkHealth().then(
      () => true,
      () => false,
    )
    known = { until: clock.now().getTime() + freshMs, response: answer(healthy) }
    asking = undefined
    return known.response
  }
  return async () => {
    try {
      const current = app()
      if (known && current.clock.now().getTime() < known.until) return known.response
      return await (asking ??= ask(current))
    } catch {
      // The worker has not started.
      return answer(false)
    }
  }
}

function answer(healthy: boolean): HttpResponseInit {
  return {
    status: healthy ? 200 : 503,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
    body: healthy ? "ok\n" : "not ok\n",
  }
}
