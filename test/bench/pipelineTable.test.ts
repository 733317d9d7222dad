import { describe, expect, it } from "vitest"
import type { ScenarioName } from "../../bench/pipelineClient.ts"
import { formatRows, type MeasuredCell, medianRows } from "../../bench/pipelineTable.ts"

function aCell(scenario: ScenarioName, round: number, perSecond: number): MeasuredCell {
  return {
    scenario,
    round,
    inFlight: 16,
    backups: perSecond,
    allBackups: perSecond,
    perSecond,
    p50Ms: 1000 / perSecond,
    p99Ms: 2000 / perSecond,
    cpuMicrosPerBackup: 1_000_000 / perSecond,
    serverCpuMicrosPerBackup: 50,
    bodyBytes: 1500,
  }
}

/** The second round ran on a machine three times as slow. */
const cells = [
  aCell("raw", 1, 9000),
  aCell("sdk", 1, 3000),
  aCell("handler", 1, 4500),
  aCell("raw", 2, 3000),
  aCell("sdk", 2, 1000),
  aCell("handler", 2, 1500),
  aCell("raw", 3, 9900),
  aCell("sdk", 3, 3300),
  aCell("handler", 3, 4950),
]

describe("medianRows", () => {
  it("takes medians over the rounds, and ratios within a round", () => {
    const rows = medianRows(cells)
    expect(rows.map(({ scenario, perSecond }) => [scenario, perSecond])).toEqual([
      ["raw", 9000],
      ["sdk", 3000],
      ["handler", 4500],
    ])
    expect(rows[2]?.toSdk.perSecond).toBeCloseTo(1.5)
    expect(rows[2]?.toRaw.perSecond).toBeCloseTo(0.5)
    expect(rows[2]?.toSdk.cpu).toBeCloseTo(1 / 1.5)
  })

  it("keeps a round that was slow out of the ratios", () => {
    const slowAlone = [...cells.slice(0, 5), aCell("handler", 2, 10), ...cells.slice(6)]
    expect(medianRows(slowAlone)[2]?.toSdk.perSecond).toBeCloseTo(1.5)
  })

  it("takes the middle of two rounds", () => {
    expect(medianRows(cells.slice(0, 6))[0]?.perSecond).toBe(6000)
  })
})

describe("formatRows", () => {
  it("prints a line for each scenario and level, with its ratios", () => {
    const [head, ...lines] = formatRows(medianRows(cells)).split("\n")
    expect(head).toMatch(/in flight .*backups\/s .*p50 ms .*p99 ms .*client CPU us .*\(c\)\/\(b\)/)
    expect(lines).toHaveLength(3)
    expect(lines[2]).toMatch(/16 .*our handler .*4500 \(0\.50x\).* rate 1\.50, p50 0\.67, CPU 0\.67$/)
  })
})
