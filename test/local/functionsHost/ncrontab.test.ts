import { describe, expect, it } from "vitest"
import { parseSchedule } from "../../../local/functionsHost/ncrontab.ts"

const next = (expression: string, after: string) =>
  parseSchedule(expression).next(new Date(after))?.toISOString()

describe("parseSchedule", () => {
  it.each([
    { name: "every second", expression: "* * * * * *", expected: "2026-11-25T10:00:01.000Z" },
    { name: "a second of every minute", expression: "30 * * * * *", expected: "2026-11-25T10:00:30.000Z" },
    { name: "every five minutes", expression: "0 */5 * * * *", expected: "2026-11-25T10:05:00.000Z" },
    { name: "five fields, at second 0", expression: "*/5 * * * *", expected: "2026-11-25T10:05:00.000Z" },
    { name: "an hour of the day", expression: "0 30 9 * * *", expected: "2026-11-26T09:30:00.000Z" },
    { name: "a range of hours", expression: "0 0 12-14 * * *", expected: "2026-11-25T12:00:00.000Z" },
    { name: "a list", expression: "0 7,3 * * * *", expected: "2026-11-25T10:03:00.000Z" },
    { name: "a start with a step", expression: "0 40/15 * * * *", expected: "2026-11-25T10:40:00.000Z" },
    { name: "a named weekday", expression: "0 0 6 * * Mon", expected: "2026-11-30T06:00:00.000Z" },
    { name: "weekdays as numbers", expression: "0 0 6 * * 1-5", expected: "2026-11-26T06:00:00.000Z" },
    { name: "a named month", expression: "0 0 0 1 January *", expected: "2027-01-01T00:00:00.000Z" },
    { name: "day and weekday together", expression: "0 0 0 13 * 5", expected: "2027-08-13T00:00:00.000Z" },
    { name: "a leap day", expression: "0 0 0 29 2 *", expected: "2028-02-29T00:00:00.000Z" },
  ])("finds the next occurrence of $name", ({ expression, expected }) => {
    expect(next(expression, "2026-11-25T10:00:00.400Z")).toBe(expected)
  })

  it("never returns the moment it was asked about", () => {
    expect(next("0 0 * * * *", "2026-11-25T10:00:00.000Z")).toBe("2026-11-25T11:00:00.000Z")
  })

  it("says when there is no occurrence", () => {
    expect(next("0 0 0 31 2 *", "2026-11-25T10:00:00.000Z")).toBeUndefined()
  })

  it.each(["", "* * * *", "* * * * * * *", "60 * * * * *", "5-1 * * * * *", "*/0 * * * * *", "x * * * * *"])(
    "refuses '%s'",
    (expression) => {
      expect(() => parseSchedule(expression)).toThrow(`The schedule expression '${expression}'`)
    },
  )
})
