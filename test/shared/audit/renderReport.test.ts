import { createHash } from "node:crypto"
import { beforeAll, describe, expect, it } from "vitest"
import type { AuditReport } from "../../../shared/audit/auditReport.ts"
import { renderReport } from "../../../shared/audit/renderReport.ts"
import { aBadDay } from "../../support/aBadDay.ts"
import { hugeReport } from "../../support/hugeReport.ts"
import { reportOf } from "../../support/reportSamples.ts"

const assets = { script: "page()", style: "p { color: red }" }
const live = { url: "?format=json", everyMs: 3000, period: "24h", periods: ["24h", "7d"] }

function islandOf(html: string): { readonly text: string; readonly data: { readonly report: AuditReport } } {
  const [, text = ""] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html) ?? []
  return { text, data: JSON.parse(text) as { report: AuditReport } }
}

describe("renderReport", () => {
  let report: AuditReport

  beforeAll(async () => {
    report = await reportOf(aBadDay(10))
  })

  it("gives the same bytes for the same report", () => {
    expect(renderReport(structuredClone(report), assets)).toEqual(renderReport(report, assets))
  })

  it("allows its own script and style by their hashes, and nothing else", () => {
    const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`
    const { html, policy } = renderReport(report, assets)
    expect(policy).toBe(
      [
        "default-src 'none'",
        `script-src ${hash(assets.script)}`,
        `style-src ${hash(assets.style)}`,
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join("; "),
    )
    expect(html).toContain(`<meta http-equiv="Content-Security-Policy" content="${policy}">`)
    expect(html.indexOf("Content-Security-Policy")).toBeLessThan(html.indexOf("<style>"))
    expect(html).toContain(`<script>${assets.script}</script>`)
    expect(html).toContain(`<style>${assets.style}</style>`)
  })

  it("lets only a live page ask, and only where it came from", () => {
    expect(renderReport(report, assets).policy).not.toContain("connect-src")
    expect(renderReport(report, assets, live).policy).toContain("; connect-src 'self';")
  })

  it.each([
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "a\u2028b\u2029c",
    "&quot;",
    "\u0000\ud800",
  ])("carries %j as data that ends no element", (text) => {
    const problem = { code: text, message: text, count: 1, samples: [text] }
    const { html } = renderReport({ ...report, problems: [problem] }, assets)
    const { text: island, data } = islandOf(html)
    expect(island).not.toMatch(/[<>&\u2028\u2029]/)
    expect(data.report.problems).toEqual([problem])
    expect(html.match(/<script/g)).toHaveLength(2)
  })

  it.each([
    { script: "a('</script>')", style: "" },
    { script: "a('<!--')", style: "" },
    { script: "", style: "p::after{content:'</style>'}" },
  ])("refuses assets that would end their own element: $script$style", (broken) => {
    expect(() => renderReport(report, broken)).toThrow(TypeError)
  })

  it("keeps what matters most of long lists, and every count", async () => {
    const huge = await hugeReport()
    const { html } = renderReport(huge, assets)
    const { report: kept } = islandOf(html).data
    expect(html.length).toBeLessThan(1_600_000)
    expect(kept.vaults.flatMap(({ openGaps }) => openGaps)).toHaveLength(500)
    expect(kept.vaults.map(({ openGapCount }) => openGapCount)).toEqual(
      huge.vaults.map(({ openGapCount }) => openGapCount),
    )
    expect(kept.worst).toEqual(huge.worst)
    expect(kept.groups.filter(({ vault }) => vault === null)).toEqual(
      huge.groups.filter(({ vault }) => vault === null),
    )
    expect(kept.groups.length).toBeLessThanOrEqual(1500)
    expect(kept.objective).toEqual(huge.objective)
  })

  it("keeps the oldest gaps, whichever vault they are of", async () => {
    const [first, second] = report.vaults
    const gap = first!.openGaps[0]!
    const gapsAt = (day: string, count: number) =>
      Array.from({ length: count }, (_, n) => ({
        ...gap,
        blob: `${day}-${n}`,
        since: `${day}T00:00:00.000Z`,
      }))
    const vaults = [
      { ...first!, openGaps: gapsAt("2026-02-02", 400) },
      { ...second!, openGaps: gapsAt("2026-02-01", 200) },
    ]
    const kept = islandOf(renderReport({ ...report, vaults }, assets).html).data.report.vaults
    expect(kept.map(({ openGaps }) => openGaps.length)).toEqual([300, 200])
  })
})
