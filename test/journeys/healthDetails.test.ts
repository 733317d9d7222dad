import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Finding } from "../../shared/diagnosis/doctorReport.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

let journey: Journey

beforeAll(async () => {
  journey = await startJourney({ runsTimers: false })
})
afterAll(() => journey.stop())

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${journey.cloud.file.functions.url}/api/${path}`, { headers })
  return { status: response.status, text: await response.text() }
}

describe("GET /api/health/details", () => {
  it("tells a stranger nothing, and health no more than before", async () => {
    expect(await get("health/details")).toEqual({ status: 401, text: "" })
    expect(await get("health/details", { "x-functions-key": "wrong" })).toEqual({ status: 401, text: "" })
    expect(await get("health/details", { "x-ms-client-principal": "e30=" })).toEqual({
      status: 401,
      text: "",
    })
    expect(await get("health?details")).toEqual({ status: 200, text: "ok\n" })
  })

  it("tells the holder of the key what doctor says of the worker, from inside its process", async () => {
    const { key } = journey.cloud.file.functions
    await journey.control("PUT /firewall", { blob: "closed" })
    const broken = await get("health/details", { "x-functions-key": key })
    await journey.control("PUT /firewall", { blob: "open" })
    const report = JSON.parse(broken.text) as {
      format: string
      exitCode: number
      jobs: string[]
      findings: Finding[]
    }
    expect({
      status: broken.status,
      format: report.format,
      exitCode: report.exitCode,
      jobs: report.jobs,
    }).toEqual({
      status: 503,
      format: "kvbackup-doctor/1",
      exitCode: 30,
      jobs: ["backup"],
    })
    expect(
      report.findings.filter(({ status }) => status === "failing").map(({ verdict }) => verdict),
    ).toEqual(["store.firewall"])
    expect(broken.text).not.toMatch(/eyJ[\w-]+\./)
    // The same answer for ten seconds: an examination asks every service.
    expect(await get("health/details", { "x-functions-key": key })).toEqual(broken)
  })
})
