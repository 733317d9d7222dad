import { describe, expect, it } from "vitest"
import { summarizeChanges } from "../../../local/builtIn/changeSummary.ts"
import { renderChangeTable, type ChangeRow } from "../../../local/builtIn/changeTable.ts"
import { truncateMiddle } from "../../../local/builtIn/truncateMiddle.ts"

const version = "0123456789abcdef0123456789abcdef"

function stored(object: string, tookMs = 41.6): ChangeRow {
  return {
    object,
    version,
    outcome: "stored",
    tookMs,
    blob: `v1/127.0.0.1_8443/secrets/${object}/${version}.jwe.json`,
  }
}

const rows: readonly ChangeRow[] = [
  stored("plain"),
  stored("n".repeat(127), 1234),
  { object: "disabled", version, outcome: "unreadable", tookMs: 7, blob: "gaps/v1/x/disabled.json" },
  { object: "together", version: "", outcome: "waiting" },
]

describe("renderChangeTable", () => {
  it("cuts nothing where there is no terminal, with two spaces between columns", () => {
    expect(renderChangeTable(rows)).toEqual([
      "object  version  outcome  ms  blob",
      `plain  ${version}  stored  42  v1/127.0.0.1_8443/secrets/plain/${version}.jwe.json`,
      `${"n".repeat(127)}  ${version}  stored  1234  v1/127.0.0.1_8443/secrets/${"n".repeat(127)}/${version}.jwe.json`,
      `disabled  ${version}  unreadable  7  gaps/v1/x/disabled.json`,
      "together  -  waiting  -  -",
    ])
  })

  it("says loudly of a certificate that its private key is not in the record", () => {
    const [, row] = renderChangeTable([{ ...stored("tls"), isPublicOnly: true }])
    expect(row?.split("  ")[2]).toBe("stored, PUBLIC PART ONLY")
  })

  it("shows all of it, aligned, on a terminal wide enough to the column", () => {
    const table = [stored("plain"), { object: "a", version, outcome: "skipped", tookMs: 3 } as const]
    const whole = [
      `object  version                           outcome  ms  blob`,
      `plain   ${version}  stored   42  v1/127.0.0.1_8443/secrets/plain/${version}.jwe.json`,
      `a       ${version}  skipped   3`,
    ]
    const width = whole[1]!.length
    expect(renderChangeTable(table, width)).toEqual(whole)
    expect(renderChangeTable(table, width - 1)[1]).toBe(
      `plain   01234567…  stored   42  v1/127.0.0.1_8443/secrets/plain/${version}.jwe.json`,
    )
  })

  it("shortens versions first, then names and blobs in their middle", () => {
    expect(renderChangeTable(rows, 80)).toEqual([
      "object                     version    outcome       ms  blob",
      "plain                      01234567…  stored        42  v1/127.0.0.1…ef.jwe.json",
      "nnnnnnnnnnnn…nnnnnnnnnnnn  01234567…  stored      1234  v1/127.0.0.1…ef.jwe.json",
      "disabled                   01234567…  unreadable     7  gaps/v1/x/disabled.json",
      "together                              waiting",
    ])
  })

  it("never makes a line longer than the terminal, and tells outcomes whole down to 20 columns", () => {
    for (let width = 1; width <= 420; width++) {
      const lines = renderChangeTable(rows, width)
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width)
      expect(lines).toHaveLength(rows.length + 1)
      expect(width < 20 || lines.at(-2)!.includes("unreadable")).toBe(true)
    }
  })

  it("gives up the blob before the version, and the version before the time", () => {
    const heads = [80, 47, 46, 37, 36, 26, 25].map((width) =>
      renderChangeTable(rows, width)[0]!.split(/ +/).join(" "),
    )
    expect(heads).toEqual([
      "object version outcome ms blob",
      "object version outcome ms blob",
      "object version outcome ms",
      "object version outcome ms",
      "object outcome ms",
      "object outcome ms",
      "object outcome",
    ])
  })

  it("renders the heading alone when there are no rows", () => {
    expect(renderChangeTable([], 80)).toEqual(["object  version  outcome  ms  blob"])
  })
})

describe("truncateMiddle", () => {
  it.each([
    { text: "abcdef", length: 6, expected: "abcdef" },
    { text: "abcdef", length: 5, expected: "ab…ef" },
    { text: "abcdef", length: 4, expected: "ab…f" },
    { text: "abcdef", length: 2, expected: "a…" },
    { text: "abcdef", length: 1, expected: "…" },
    { text: "abcdef", length: 0, expected: "" },
  ])("fits $text into $length", ({ text, length, expected }) => {
    expect(truncateMiddle(text, length)).toBe(expected)
  })
})

describe("summarizeChanges", () => {
  const many = (count: number, outcome: ChangeRow["outcome"]) =>
    Array.from({ length: count }, () => ({ outcome }))

  it.each([
    {
      name: "everything as expected",
      changes: [
        ...many(15, "stored"),
        ...many(1, "alreadyStored"),
        ...many(1, "skipped"),
        { outcome: "unreadable", reason: "disabled" },
      ],
      expected: "18 changes: 15 stored, 1 already stored, 1 skipped, 1 NOT PROTECTED (disabled)",
    },
    { name: "one change", changes: many(1, "stored"), expected: "1 change: 1 stored" },
    { name: "no change", changes: [], expected: "0 changes" },
    {
      name: "several reasons, each once",
      changes: [
        { outcome: "unreadable", reason: "disabled" },
        { outcome: "gone" },
        { outcome: "unreadable", reason: "disabled" },
        { outcome: "poison", reason: "ERR_EVENT_MALFORMED" },
      ],
      expected: "4 changes: 4 NOT PROTECTED (disabled, gone, ERR_EVENT_MALFORMED)",
    },
    {
      name: "a certificate without its private key",
      changes: [
        ...many(2, "stored"),
        { outcome: "stored", isPublicOnly: true },
        { outcome: "unreadable", reason: "disabled" },
      ],
      expected: "4 changes: 2 stored, 1 NOT FULLY PROTECTED (public part only), 1 NOT PROTECTED (disabled)",
    },
    {
      name: "what is still under way",
      changes: [...many(1, "waiting"), ...many(2, "deferred"), ...many(1, "stored")],
      expected: "4 changes: 1 stored, 3 NOT YET PROTECTED (waiting, deferred)",
    },
  ] as const)("tells $name", ({ changes, expected }) => {
    expect(summarizeChanges(changes)).toBe(expected)
  })
})
