import { describe, expect, it } from "vitest"
import { countCauses } from "../../../shared/audit/causes.ts"
import type { PeekedMessage } from "../../../shared/queue/queueInspector.ts"

const at = (text: string) => new Date(`2026-03-01T${text}Z`)
const message = (more: Partial<PeekedMessage>): PeekedMessage => ({
  state: "active",
  body: {},
  properties: {},
  ...more,
})

describe("countCauses", () => {
  it("tells of each cause how often, since when, and when it is tried next", () => {
    const throttled = (first: string, next: string) =>
      message({
        state: "scheduled",
        enqueuedAt: at("11:00:00"),
        scheduledAt: at(next),
        properties: { "kvb-last-code": "ERR_VAULT_THROTTLED", "kvb-first-enqueued": at(first).toISOString() },
      })
    expect(
      countCauses([
        throttled("10:00:00", "12:00:30"),
        message({ deadLetterReason: "TTLExpiredException", enqueuedAt: at("09:00:00") }),
        throttled("09:30:00", "12:00:40"),
        // What is active is not waiting for its time any more.
        message({ properties: { "kvb-last-code": "ERR_UNKNOWN" }, scheduledAt: at("08:00:00") }),
        message({}),
      ]),
    ).toEqual([
      { cause: "ERR_VAULT_THROTTLED", count: 2, oldest: at("09:30:00"), next: at("12:00:30") },
      { cause: "ERR_UNKNOWN", count: 1 },
      { cause: "TTLExpiredException", count: 1, oldest: at("09:00:00") },
      { cause: "unknown", count: 1 },
    ])
  })

  it("quotes a cause that a stranger wrote", () => {
    expect(countCauses([message({ deadLetterReason: "a\nb" })])).toMatchObject([{ cause: '"a\\u000ab"' }])
  })
})
