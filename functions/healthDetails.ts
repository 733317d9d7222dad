import type { HttpHandler, HttpResponseInit } from "@azure/functions"
import type { Clock } from "../shared/clock.ts"
import { type DoctorReport, exitCodeOfReport } from "../shared/diagnosis/doctorReport.ts"

/** What says how the worker's own hops are, from where it runs. */
export interface HealthDetailsApp {
  readonly clock: Clock
  readonly examine: () => Promise<DoctorReport>
}

/** How long one answer is repeated: an examination asks every service. */
const freshMs = 10_000

/**
 * Answers with what `kvbackup doctor --as backup --json` says, from inside the network: 200 where everything is well, 503
 * where something fails or could not be told. Only for holders of a function key: the host refuses everybody else before
 * this is asked. Requests that come while one is being answered share its answer.
 */
export function createHealthDetailsHandler(app: () => HealthDetailsApp): HttpHandler {
  let known: { readonly until: number; readonly response: HttpResponseInit } | undefined
  let asking: Promise<HttpResponseInit> | undefined
  const ask = async ({ clock, examine }: HealthDetailsApp) => {
    try {
      const report = await examine()
      const exitCode = exitCodeOfReport(report)
      const response: HttpResponseInit = {
        status: exitCode === 0 ? 200 : 503,
        headers: { "cache-control": "no-store" },
        jsonBody: { format: "kvbackup-doctor/1", exitCode, ...report },
      }
      known = { until: clock.now().getTime() + freshMs, response }
      return response
    } finally {
      asking = undefined
    }
  }
  return async () => {
    const current = app()
    if (known && current.clock.now().getTime() < known.until) return known.response
    return await (asking ??= ask(current))
  }
}
