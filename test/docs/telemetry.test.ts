import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { metricDescriptions, type MetricDescription } from "../../shared/telemetry/instruments.ts"

const page = readFileSync(join(import.meta.dirname, "../../docs/telemetry.md"), "utf8")

const rows = [...page.matchAll(/^\| `(kvbackup\.[\w.]+)` +\|(.*)\|$/gm)].map(([, name = "", cells = ""]) => {
  const [kind = "", unit = "", attributes = ""] = cells.split("|").map((cell) => cell.trim())
  return {
    name,
    kind,
    unit: unit.replaceAll("`", ""),
    attributes: [...attributes.matchAll(/`([\w.]+)`/g)].map(([, key]) => key),
  }
})

describe("docs/telemetry.md", () => {
  it("has every metric as it is, and no other", () => {
    const wanted = Object.entries<MetricDescription>(metricDescriptions).map(
      ([name, { kind, unit, attributes }]) => ({ name, kind, unit, attributes: [...attributes] }),
    )
    expect(rows).toEqual(wanted)
  })

  it("has the bounds of the histograms", () => {
    const unitSeconds = { ms: 0.001, s: 1, min: 60, h: 3600 }
    const read = (text: string) => {
      const seconds: number[] = []
      let pending: number[] = []
      for (const [, number, unit] of text.matchAll(/([\d.]+)(?: (ms|s|min|h))?(?=[,\s.]|$)/g)) {
        pending.push(Number(number))
        if (unit === undefined) continue
        const factor = unitSeconds[unit as keyof typeof unitSeconds]
        seconds.push(...pending.map((value) => Number((value * factor).toPrecision(6))))
        pending = []
      }
      return seconds
    }
    const [, waits = "", stages = ""] =
      /Bounds of the waits \(latency, delay\): (.*?)\. Bounds of the stages: (.*?)\. /.exec(page) ?? []
    expect(read(waits)).toEqual(metricDescriptions["kvbackup.change.latency"].buckets)
    expect(read(waits)).toEqual(metricDescriptions["kvbackup.deferral.delay"].buckets)
    expect(read(stages)).toEqual(metricDescriptions["kvbackup.stage.duration"].buckets)
  })
})
