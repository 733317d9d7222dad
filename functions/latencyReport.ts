import type { HttpHandler, HttpRequest, HttpResponseInit } from "@azure/functions"
import type { AuditParts } from "../shared/audit/azureAudit.ts"
import {
  createFreshReports,
  type FreshReports,
  periodStart,
  type ReportPeriod,
  reportPeriods,
} from "../shared/audit/freshReports.ts"
import type { Objective } from "../shared/audit/objective.ts"
import { readAudit } from "../shared/audit/readAudit.ts"
import { type PageAssets, renderReport } from "../shared/audit/renderReport.ts"
import type { Clock } from "../shared/clock.ts"
import { toServiceError } from "../shared/errors.ts"
import { errorFields, type Log } from "../shared/log.ts"

/** What the function needs. */
export interface LatencyReportApp {
  readonly clock: Clock
  readonly log: Log
  /** Opened by the first request. */
  readonly openAudit: () => Omit<AuditParts, "close"> & {
    readonly vaults: readonly string[]
    readonly objective: Objective
  }
}

/** How often an open page asks for a newer report. */
const askEveryMs = 3000

/** For every answer: seen by whoever asked and by nobody else, kept nowhere, in no frame. */
const commonHeaders = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
}

const closedPolicy = "default-src 'none'; frame-ancestors 'none'"

/**
 * Serves the latency page, which then asks for newer reports by `?format=json`; `?since=` is one of a few periods.
 *
 * Whoever asks was signed in by the authentication of the app (App Service), which sets `x-ms-client-principal` and takes
 * it off what comes from outside (https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities).
 * A request without it, or from another provider than Entra, gets 401: the app may let strangers in elsewhere.
 *
 * @param assets - of the build; without them no page is served.
 */
export function createLatencyReportHandler(
  app: () => LatencyReportApp,
  assets: PageAssets | undefined,
): HttpHandler {
  let reports: FreshReports | undefined
  return async (request) => {
    if (!isSignedIn(request)) return answer(401, "text/plain", "Sign in first.\n")
    const period = periodOf(request)
    if (period === undefined) {
      return answer(400, "text/plain", `since must be one of: ${reportPeriods.join(", ")}\n`)
    }
    const isJson = request.query.get("format") === "json"
    try {
      const report = await (reports ??= openReports(app()))(period)
      if (isJson) return answer(200, "application/json", JSON.stringify(report))
      if (!assets) throw new Error("The page was not built into this app")
      const { html, policy } = renderReport(report, assets, {
        url: `?format=json&since=${period}`,
        everyMs: askEveryMs,
        period,
        periods: reportPeriods,
      })
      return answer(200, "text/html", html, `${policy}; frame-ancestors 'none'`)
    } catch (thrown) {
      return failure(app, thrown, isJson)
    }
  }
}

function isSignedIn({ headers }: HttpRequest): boolean {
  return Boolean(headers.get("x-ms-client-principal")) && headers.get("x-ms-client-principal-idp") === "aad"
}

function periodOf({ query }: HttpRequest): ReportPeriod | undefined {
  const wanted = query.get("since") ?? reportPeriods[0]
  return reportPeriods.find((period) => period === wanted)
}

function openReports({ openAudit, clock }: LatencyReportApp): FreshReports {
  return createFreshReports(async (period) => {
    const { vaults, objective, ...parts } = openAudit()
    const until = clock.now()
    const since = periodStart(period, until)
    return readAudit({
      ...parts,
      query: { ...(since ? { since } : {}), until, isClosed: false, objective, vaults },
    })
  }, clock)
}

/** Tells the code and the next step; the cause is in the log. */
function failure(app: () => LatencyReportApp, thrown: unknown, isJson: boolean): HttpResponseInit {
  const error = toServiceError(thrown)
  const { code, message, hint } = error
  app().log.error("latencyReport.failed", errorFields(error))
  return isJson
    ? answer(
        503,
        "application/json",
        JSON.stringify({ format: "kvbackup-error/1", code, message, try: hint }),
      )
    : answer(503, "text/plain", `Could not tell: ${message}\nTry: ${hint}\n`)
}

function answer(status: number, type: string, body: string, policy = closedPolicy): HttpResponseInit {
  return {
    status,
    headers: {
      ...commonHeaders,
      "content-security-policy": policy,
      "content-type": `${type}; charset=utf-8`,
    },
    body,
  }
}
