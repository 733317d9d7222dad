import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import type { AuditObjective, AuditReport } from "../../../shared/audit/auditReport.ts"
import { readAudit } from "../../../shared/audit/readAudit.ts"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { aLedger } from "../../support/aLedger.ts"
import { describeWith } from "../../support/requiredSuite.ts"
import {
  formatLedgerLines,
  generateLedger,
  hashOfLines,
  ledgerPeriod,
  ledgerVaults,
} from "../../support/generateLedger.ts"

const folder = join(import.meta.dirname, "../../vectors/audit")
const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Record<string, unknown>
const objective = { percentile: 99, limitMs: 60_000 }
const blobs = generateLedger(20_261_125, 10_000)
const lines = formatLedgerLines(blobs)
const python = spawnSync("python3", ["--version"]).error ? "python3 is not here" : undefined

function withoutMore({ isMeaningful: _meaningful, latency: _latency, ...rest }: AuditObjective) {
  return rest
}

/** The report in the shape of the independent calculation. */
function toFigures(report: AuditReport) {
  const bounds = [10, 100, 1000, 10_000, 60_001, 100_000, 1_000_000, 10_000_000, 100_000_000]
  return {
    listingSha256: hashOfLines(lines),
    objective: withoutMore(report.objective),
    vaults: report.vaults.map(
      ({ vault, records, openGapCount, publicOnlyCount, openGaps, objective: of }) => ({
        vault,
        records,
        openGapCount,
        publicOnlyCount,
        oldestGaps: openGaps.map(({ id, reason, since }) => ({ id, reason, since })),
        objective: withoutMore(of),
      }),
    ),
    problems: report.problems.reduce((sum, { count }) => sum + count, 0),
    groups: report.groups,
    worst: report.worst.map(({ id, latencyMs }) => ({ id, latencyMs })),
    timeline: report.timeline,
    lateness: bounds.map((bound) => [
      bound,
      report.histogram.reduce(
        (sum, { toMs, count }) => sum + (toMs !== null && toMs <= bound ? count : 0),
        0,
      ),
    ]),
  }
}

describe("the known ledger of 10,000 versions", () => {
  let report: AuditReport
  beforeAll(async () => {
    report = await aLedger().read(
      { ...ledgerPeriod, isClosed: true, objective, vaults: ledgerVaults },
      {
        store: {
          list: async function* () {
            yield* blobs
          },
        },
      },
    )
  })

  it("is the one that the expected figures are of", () => {
    expect(hashOfLines(lines)).toBe(expected["listingSha256"])
    expect(report.objective.measured).toBeGreaterThan(7000)
  })

  it.each(["objective", "vaults", "problems", "groups", "worst", "timeline", "lateness"] as const)(
    "has the %s of the independent calculation, to the millisecond",
    (figure) => {
      expect(toFigures(report)[figure]).toEqual(expected[figure])
    },
  )

  it("holds every kind of entry in numbers that matter", () => {
    const { vaults, objective: of, groups, problems } = report
    expect(of.breaches).toBeGreaterThan(100)
    expect(of.unprotected).toBeGreaterThan(50)
    expect(of.skewed).toBeGreaterThan(5)
    expect(vaults.every(({ openGapCount, objective: own }) => openGapCount > 10 && own.unmeasured > 0)).toBe(
      true,
    )
    expect(new Set(groups.map(({ origin, deferred }) => `${origin} ${deferred}`)).size).toBe(15)
    expect(problems.map(({ code }) => code)).toEqual(["format-unknown", "metadata-missing", "time-absurd"])
  })

  it("gives the same bytes however the listing comes, and when it is asked again later", async () => {
    const later = generateLedger(7, 50).map((blob) => ({
      ...blob,
      createdAt: new Date(ledgerPeriod.until.getTime() + 1000),
    }))
    const again = await readAudit({
      query: { ...ledgerPeriod, isClosed: true, objective, vaults: ledgerVaults },
      store: {
        list: async function* () {
          yield* [...blobs, ...later].sort((one, other) => (one.name < other.name ? -1 : 1))
        },
      },
      queues: {
        inspector: { peek: () => Promise.reject(new Error("not asked")) },
        queue: "changes",
        quarantineQueue: "quarantine",
        allowList: createAllowList(ledgerVaults),
      },
      hasCanary: false,
    })
    expect(JSON.stringify(again)).toBe(JSON.stringify(report))
  })
})

describeWith("python", python, "the independent calculation", () => {
  it("still gives the figures that are kept", () => {
    const { since, until } = ledgerPeriod
    const argv = [since.toISOString(), until.toISOString(), "99", "60000", ...ledgerVaults]
    const { stdout, stderr, status } = spawnSync("python3", [join(folder, "audit.py"), ...argv], {
      input: lines,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
    expect(JSON.parse(stdout)).toEqual(expected)
  })
})
