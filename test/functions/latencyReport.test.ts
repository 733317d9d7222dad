import { HttpRequest, InvocationContext } from "@azure/functions"
import { describe, expect, it } from "vitest"
import { createLatencyReportHandler, type LatencyReportApp } from "../../functions/latencyReport.ts"
import { auditReportSchema } from "../../shared/audit/auditReport.ts"
import { createAllowList } from "../../shared/change/allowList.ts"
import { ServiceError } from "../../shared/errors.ts"
import type { StoredBlob } from "../../shared/store/storeCatalog.ts"
import { vault } from "../support/builders.ts"
import { capturingLog } from "../support/capturingLog.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { ordinaryRecords, sampleUntil } from "../support/reportSamples.ts"

const assets = { script: "globalThis.page = 1", style: "p{color:red}" }
const signedIn = { "x-ms-client-principal": "e30=", "x-ms-client-principal-idp": "aad" }

function aReport(blobs: readonly StoredBlob[] | ServiceError = ordinaryRecords(20), givenAssets = true) {
  const clock = fakeClock(sampleUntil.toISOString())
  const log = capturingLog()
  let listed = 0
  const app: LatencyReportApp = {
    clock,
    log,
    openAudit: () => ({
      vaults: [vault],
      objective: { percentile: 99, limitMs: 60_000 },
      hasCanary: false,
      store: {
        async *list() {
          listed += 1
          if (blobs instanceof ServiceError) throw blobs
          yield* blobs
        },
      },
      queues: {
        queue: "q",
        quarantineQueue: "held",
        allowList: createAllowList([vault]),
        inspector: { peek: async () => ({ messages: [], complete: true }) },
      },
    }),
  }
  const handler = createLatencyReportHandler(() => app, givenAssets ? assets : undefined)
  const get = async (query = "", headers: Record<string, string> = signedIn) => {
    const request = new HttpRequest({
      method: "GET",
      url: `https://app.example/api/latencyReport${query}`,
      headers,
      query: Object.fromEntries(new URLSearchParams(query)),
    })
    const {
      status,
      headers: given,
      body,
    } = (await handler(request, new InvocationContext())) as {
      status: number
      headers: Record<string, string>
      body: string
    }
    return { status, headers: given, body }
  }
  return { get, clock, log, listed: () => listed }
}

describe("createLatencyReportHandler", () => {
  it.each([
    { name: "nobody is signed in", headers: {} },
    { name: "another provider signed in", headers: { ...signedIn, "x-ms-client-principal-idp": "github" } },
    { name: "the principal is empty", headers: { ...signedIn, "x-ms-client-principal": "" } },
  ])("answers 401 and reads nothing when $name", async ({ headers }) => {
    const { get, listed } = aReport()
    expect(await get("", headers)).toMatchObject({ status: 401, body: "Sign in first.\n" })
    expect(listed()).toBe(0)
  })

  it("serves the page with its policy as a header, in no frame and kept nowhere", async () => {
    const { status, headers, body } = await aReport().get()
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
    })
    const policy = headers["content-security-policy"]!
    expect(policy.startsWith("default-src 'none'; script-src 'sha256-")).toBe(true)
    expect(policy).toContain("connect-src 'self'")
    expect(policy.endsWith("; frame-ancestors 'none'")).toBe(true)
    expect(policy).not.toContain("unsafe")
    expect(body).toContain("<script>globalThis.page = 1</script>")
    expect(body).toContain('"url":"?format=json\\u0026since=24h"')
  })

  it("gives the report as JSON by its schema, of the period asked for", async () => {
    const { get } = aReport()
    const { headers, body } = await get("?format=json&since=7d")
    expect(headers["content-type"]).toBe("application/json; charset=utf-8")
    const report = auditReportSchema.parse(JSON.parse(body))
    expect(report.query).toMatchObject({ since: "2026-02-23T12:00:00.000Z", isClosed: false })
    expect(report.prefixes.records).toBe(20)
    expect(JSON.parse((await get("?format=json&since=all")).body).query).not.toHaveProperty("since")
  })

  it("knows a few periods only, so that nobody makes work by asking for ever other ones", async () => {
    const { get, listed } = aReport()
    expect(await get("?since=25h")).toMatchObject({
      status: 400,
      body: "since must be one of: 24h, 7d, 30d, all\n",
    })
    expect(listed()).toBe(0)
  })

  it("lists the store once for all who ask within two seconds", async () => {
    const { get, clock, listed } = aReport()
    await Promise.all([get(), get("?format=json"), get()])
    clock.advance(1999)
    await get("?format=json")
    expect(listed()).toBe(1)
    clock.advance(1)
    await get()
    expect(listed()).toBe(2)
  })

  it.each([
    { query: "", type: "text/plain", contains: "Could not tell: [ERR_STORE_FORBIDDEN] no" },
    { query: "?format=json", type: "application/json", contains: '"code":"ERR_STORE_FORBIDDEN"' },
  ])(
    "answers 503 with code and next step when the store may not be listed ($type)",
    async ({ query, type, contains }) => {
      const { get, log } = aReport(new ServiceError("ERR_STORE_FORBIDDEN", "no"))
      const { status, headers, body } = await get(query)
      expect({ status, type: headers["content-type"] }).toEqual({
        status: 503,
        type: `${type}; charset=utf-8`,
      })
      expect(body).toContain(contains)
      expect(log.entries().map(({ event }) => event)).toEqual(["latencyReport.failed"])
    },
  )

  it("asks the store again after a failure", async () => {
    const { get, listed } = aReport(new ServiceError("ERR_STORE_UNAVAILABLE", "no"))
    await get()
    await get()
    expect(listed()).toBe(2)
  })

  it("says that it could not, where the app was made without the page", async () => {
    const { get } = aReport([], false)
    expect((await get()).status).toBe(503)
    expect((await get("?format=json")).status).toBe(200)
  })
})
