import { describe, expect, it } from "vitest"
import type { AuditReport } from "../../../../shared/audit/auditReport.ts"
import { describeUpdate } from "../../../../shared/audit/page/announce.ts"
import { formatAge, formatDuration } from "../../../../shared/audit/page/formatDuration.ts"
import { formatSecond, formatTime } from "../../../../shared/audit/page/formatTime.ts"
import { rowsOf, shorten } from "../../../../shared/audit/page/row.ts"
import { timeTickFormat } from "../../../../shared/audit/page/timeTicks.ts"
import { judge } from "../../../../shared/audit/page/verdict.ts"
import { anObject } from "../../../support/builders.ts"
import {
  aGapBlob,
  aQueuedMessage,
  aRecordBlob,
  ordinaryRecords,
  reportOf,
  type Sample,
} from "../../../support/reportSamples.ts"

describe("formatDuration", () => {
  it.each([
    [0, "0 ms"],
    [999.4, "999 ms"],
    [1000, "1 s"],
    [1254, "1.25 s"],
    [12_340, "12.3 s"],
    [59_949, "59.9 s"],
    [59_950, "1 min"],
    [252_000, "4 min 12 s"],
    [3_599_499, "59 min 59 s"],
    [3_599_500, "1 h"],
    [10_920_000, "3 h 2 min"],
    [86_399_000, "1 d"],
    [187_200_000, "2 d 4 h"],
    [-241, "−241 ms"],
  ])("writes %d ms as %s", (ms, text) => expect(formatDuration(ms)).toBe(text))
})

it.each([
  [-5, "0 s"],
  [59_999, "59 s"],
  [3_599_999, "59 min"],
  [86_400_000, "24 h"],
  [172_800_000, "2 d"],
])("tells an age of %d ms as %s, never as more than it is", (ms, text) => expect(formatAge(ms)).toBe(text))

it("writes times in UTC, and shows what is no time as it is", () => {
  expect(formatTime("2026-03-01T12:00:00.123Z")).toBe("2026-03-01 12:00:00.123")
  expect(formatSecond(new Date("2026-03-01T12:00:00.999Z"))).toBe("2026-03-01 12:00:00")
  expect(formatTime("unknown")).toBe("unknown")
})

it("shortens a long name in its middle", () => {
  expect(shorten("short", 5)).toBe("short")
  expect(shorten("abcdefghij", 5)).toBe("ab…ij")
})

it("names the day below a tick where one begins, and days alone over long times", () => {
  const ticks = ["2026-03-01T18:00:00Z", "2026-03-01T21:00:00Z", "2026-03-02T00:00:00Z"].map(
    (time) => new Date(time),
  )
  expect(ticks.map(timeTickFormat(86_400_000))).toEqual(["18:00\n03-01", "21:00", "00:00\n03-02"])
  const days = ["2025-12-30T00:00:00Z", "2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z"].map(
    (time) => new Date(time),
  )
  expect(days.map(timeTickFormat(30 * 86_400_000))).toEqual(["2025-12-30", "12-31", "2026-01-01"])
})

describe("judge", () => {
  const records = ordinaryRecords(200)
  const slow = aRecordBlob(anObject({ name: "slow", version: 900 }), 9_000_000, [200, 4_000_000, 60, 9])
  const gap = aGapBlob(
    anObject({ name: "off", version: 901 }),
    60_000,
    "disabled",
    "ERR_VAULT_VERSION_DISABLED",
  )
  const message = aQueuedMessage(anObject({ name: "later", version: 902 }), 30_000)
  const stored = aQueuedMessage(
    anObject({ name: "signing-key-3", version: 21 }),
    30_000,
    "ERR_QUEUE_LOCK_LOST",
  )
  const cases: readonly (readonly [string, Sample, string, string])[] = [
    ["all is stored", { blobs: records }, "good", "Everything is protected"],
    ["nothing is stored", { blobs: [] }, "unknown", "Nothing is stored yet"],
    [
      "something is on its way",
      { blobs: records, waiting: [message] },
      "good",
      "Protected but for what is on its way",
    ],
    ["a version is not stored", { blobs: [...records, gap] }, "bad", "Not everything is protected"],
    ["a change is dead", { blobs: records, deadLetters: [message] }, "bad", "Not everything is protected"],
    [
      "a dead letter is of what is stored",
      {
        blobs: [...records.filter(({ name }) => !name.includes("0015.jwe")), storedAs(21)],
        deadLetters: [stored],
      },
      "bad",
      "Protected, but messages need attention",
    ],
    ["too many were late", { blobs: [slow, ...ordinaryRecords(20)] }, "bad", "Protected, but too late"],
    ["no canary came", { blobs: records, hasCanary: true }, "warn", "Protected, with remarks"],
    ["the listing broke", { blobs: [...records, gap], breaksAfter: 50 }, "unknown", "Could not tell"],
  ]
  it.each(cases)("when %s", async (_name, sample, level, title) => {
    expect(judge(await reportOf(sample))).toMatchObject({ level, title })
  })

  function storedAs(version: number) {
    return aRecordBlob(anObject({ name: "signing-key-3", version }), 30_000, [200, 60, 50, 9])
  }
})

describe("describeUpdate", () => {
  const seen = (report: AuditReport) => ({ report, rows: rowsOf(report) })
  const blobs = ordinaryRecords(3)

  it("says what is new, and that the verdict changed", async () => {
    const before = seen(await reportOf({ blobs }))
    const gap = aGapBlob(anObject({ name: "off", version: 901 }), 60_000, "gone", "ERR_VAULT_VERSION_ABSENT")
    const after = seen(await reportOf({ blobs: [...ordinaryRecords(4), gap] }))
    expect(describeUpdate(before, after)).toBe("Not everything is protected. 1 version stored. 1 new gap.")
  })

  it("says nothing when only the clock went on", async () => {
    const one = seen(await reportOf({ blobs }))
    expect(describeUpdate(one, seen(await reportOf({ blobs })))).toBeUndefined()
  })
})
