import { describe, expect, it } from "vitest"
import { exitCodeOfProof } from "../../cli/auditProve.ts"
import { formatProof } from "../../cli/proofReport.ts"
import type { Proof } from "../../shared/digest/proof.ts"

const blob = "v1/payments.vault.azure.net/secrets/a/00000000000000000000000000000001.jwe.json"
const clean: Proof = {
  store: "https://account.blob.core.windows.net/keyvault-backups",
  from: "2026-11-23",
  to: "2026-11-24",
  lastClosedDay: "2026-11-24",
  chainBegins: "2026-11-01",
  days: [
    { day: "2026-11-23", status: "proved", entries: 3, storedAt: new Date("2026-11-24T00:30:01Z"), kid: "k" },
    { day: "2026-11-24", status: "proved", entries: 0, storedAt: new Date("2026-11-25T00:30:01Z"), kid: "k" },
  ],
  findings: [],
  more: 0,
}

describe("formatProof", () => {
  it("says in a few lines what is proved", () => {
    expect(formatProof(clean)).toBe(`Store https://account.blob.core.windows.net/keyvault-backups
Days  2026-11-23 to 2026-11-24 UTC; the last closed day is 2026-11-24
The chain begins with 2026-11-01.

2 days looked at: 2 proved with 3 entries, 0 wrong, 0 could not be told
signed with k
`)
    expect(exitCodeOfProof(clean)).toBe(0)
  })

  it("has a line for each finding, one for a row of missing days, and lets no control character through", () => {
    const day = "2026-11-23"
    const digest = "digest/v1/2026-11-23.json"
    const text = formatProof({
      ...clean,
      findings: [
        {
          kind: "entryChanged",
          day,
          blob,
          changes: [
            { field: "metadata.a\u001B[2J", was: "1", is: "\u0007" },
            { field: "size", is: "5" },
          ],
        },
        { kind: "entryRemoved", day, blob },
        { kind: "entryAdded", day, blob: "v1/\u001B]0;x" },
        { kind: "dayDiffers", day, expected: 3, found: 2 },
        { kind: "digestMalformed", day, blob: digest },
        { kind: "digestUntrusted", day, blob: digest, kid: "\u001B[31m" },
        { kind: "digestForged", day, blob: digest, kid: "k" },
        { kind: "digestMisplaced", day, blob: digest, of: "https://other/c 2026-11-22" },
        { kind: "digestForked", day, blob: digest },
        { kind: "digestEarly", day, blob: digest, storedAt: new Date("2026-11-23T10:00:00Z") },
        { kind: "chainBroken", day, blob: digest, why: "previousDiffers" },
        { kind: "listBroken", day, blob: digest },
        { kind: "digestMissing", day: "2026-11-24" },
        { kind: "digestMissing", day: "2026-11-25" },
        { kind: "digestMissing", day: "2026-11-27" },
      ],
      more: 7,
    })
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000B-\u001F]/)
    expect(text.split("\n").slice(4, -4)).toEqual([
      `2026-11-23  CHANGED  ${blob}: "metadata.a\\u001b[2J" 1 -> "\\u0007", size (none) -> 5`,
      `2026-11-23  REMOVED  ${blob}`,
      `2026-11-23  ADDED LATER  "v1/\\u001b]0;x": dated into this day, and its digest has it not`,
      "2026-11-23  DIFFERS  2 entries in the listing, 3 in the digest",
      `2026-11-23  NO DIGEST  ${digest}`,
      `2026-11-23  OTHER KEY  ${digest} is signed with "\\u001b[31m", which is not trusted here`,
      `2026-11-23  FORGED  ${digest} was changed, or never signed with k`,
      `2026-11-23  MISPLACED  ${digest} is the digest of "https://other/c 2026-11-22"`,
      `2026-11-23  TWO DIGESTS  ${digest} is signed, too`,
      `2026-11-23  TOO EARLY  ${digest} was stored at 2026-11-23T10:00:00.000Z`,
      `2026-11-23  CHAIN BROKEN  ${digest}: it was chained to another digest of the day before than the one that is there`,
      `2026-11-23  LIST BROKEN  ${digest} is not the list that the digest names; entries cannot be named`,
      "2026-11-24 to 2026-11-25  DIGEST MISSING  no digest is there that a trusted key has signed",
      "2026-11-27  DIGEST MISSING  no digest is there that a trusted key has signed",
      "and 7 more; prove a single day to have its entries named",
    ])
  })

  it("tells what could not be told, and what came late", () => {
    const [first, second] = clean.days
    const late = { ...first!, storedAt: new Date("2026-11-26T00:30:00Z") }
    const unread: Proof = {
      ...clean,
      days: [late, { day: second!.day, status: "unknown", code: "ERR_STORE_FIREWALL" }],
    }
    expect(formatProof(unread)).toContain("2026-11-24  COULD NOT BE TOLD  ERR_STORE_FIREWALL\n")
    expect(formatProof(unread)).toContain(
      "1 of the digests were stored more than a day after their day, such as that of 2026-11-23 at 2026-11-26T00:30:00.000Z",
    )
    expect(exitCodeOfProof(unread)).toBe(31)
    const failed: Proof = { ...clean, days: [], incomplete: "ERR_STORE_FORBIDDEN" }
    expect(formatProof(failed)).toContain("COULD NOT BE TOLD: ERR_STORE_FORBIDDEN, so nothing is proved\n")
    // What could not be told wins over what is named.
    const both: Proof = { ...unread, findings: [{ kind: "digestMissing", day: "2026-11-22" }] }
    expect([exitCodeOfProof(failed), exitCodeOfProof(both)]).toEqual([31, 31])
  })
})
