import { describe, expect, it } from "vitest"
import { readAuditQuery } from "../../cli/auditQuery.ts"
import { formatMs, formatObjective, formatSpan } from "../../cli/figures.ts"

const now = new Date("2026-03-02T12:00:00.789Z")
const settings = {
  vaults: ["https://kv-test.vault.azure.net"],
  objective: { percentile: 99, limitMs: 60_000 },
}
const read = (options: Parameters<typeof readAuditQuery>[0]) => readAuditQuery(options, settings, now)
const iso = (time: Date | undefined) => time?.toISOString()

describe("readAuditQuery", () => {
  it("asks about the last day where nothing is said", () => {
    expect(read({})).toEqual({
      since: new Date("2026-03-01T12:00:00.000Z"),
      until: now,
      isClosed: false,
      ...settings,
      isNarrow: false,
    })
  })

  it.each([
    {
      options: { since: "30d" },
      since: "2026-01-31T12:00:00.000Z",
      until: now.toISOString(),
      isClosed: false,
    },
    { options: { since: "all" }, since: undefined, until: now.toISOString(), isClosed: false },
    {
      options: { since: "2026-02-01", until: "2026-03-01" },
      since: "2026-02-01T00:00:00.000Z",
      until: "2026-03-01T00:00:00.000Z",
      isClosed: true,
    },
    {
      options: { since: "1h", until: "2026-03-01T12:00:00.900+01:00" },
      since: "2026-03-01T10:00:00.000Z",
      until: "2026-03-01T11:00:00.000Z",
      isClosed: true,
    },
    {
      options: { until: "1h" },
      since: "2026-03-01T11:00:00.000Z",
      until: "2026-03-02T11:00:00.000Z",
      isClosed: true,
    },
  ])("reads $options", ({ options, since, until, isClosed }) => {
    const query = read(options)
    expect([iso(query.since), iso(query.until), query.isClosed]).toEqual([since, until, isClosed])
  })

  it("takes an objective and a vault of its own", () => {
    expect(read({ objective: "p99.9=2m", vault: "https://KV-Other.vault.azure.net/" })).toMatchObject({
      objective: { percentile: 99.9, limitMs: 120_000 },
      vaults: ["https://kv-other.vault.azure.net"],
      isNarrow: true,
    })
  })

  it.each([
    { options: { since: "yesterday" }, says: "--since must be a duration" },
    { options: { until: "2027-01-01" }, says: "--until lies ahead" },
    { options: { since: "2026-03-01", until: "2026-03-01" }, says: "--since must lie before" },
    { options: { objective: "99%" }, says: "--objective must be pNN=DURATION" },
    { options: { vault: "kv-test" }, says: "--vault must be https://" },
  ])("refuses $options", ({ options, says }) => {
    expect(() => read(options)).toThrow(says)
  })
})

describe("figures", () => {
  it.each([
    [0, "0.000 s"],
    [-200, "-0.200 s"],
    [7_200_000, "7200.000 s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatMs(ms)).toBe(text)
  })

  it.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [61_000, "1 min 1 s"],
    [7_500_000, "2 h 5 min"],
    [3 * 86_400_000 + 59_000, "3 d"],
  ])("writes %d ms as the span %s", (ms, text) => {
    expect(formatSpan(ms)).toBe(text)
  })

  it.each([
    [99, 60_000, "p99=60s"],
    [99.9, 900_000, "p99.9=15m"],
    [95, 1500, "p95=1500ms"],
    [50, 86_400_000, "p50=24h"],
    [50, 1, "p50=1ms"],
  ])("writes the objective of %d and %d ms as %s", (percentile, limitMs, text) => {
    expect(formatObjective({ percentile, limitMs })).toBe(text)
  })
})
