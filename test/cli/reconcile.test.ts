import { describe, expect, it } from "vitest"
import { exitCodeOf } from "../../cli/reconcile.ts"
import {
  createGapList,
  formatReconciliation,
  type ReconciledVault,
  toDocument,
} from "../../cli/reconcileReport.ts"
import { ServiceError } from "../../shared/errors.ts"
import type { Gap } from "../../shared/reconcile/gap.ts"
import { noCounts } from "../../shared/reconcile/reconcileRecord.ts"
import type { Incompleteness, VaultReconciliation } from "../../shared/reconcile/reconcileVault.ts"
import { anObject, vault, versionId } from "../support/builders.ts"

const at = new Date("2026-03-01T12:00:00.000Z")
const gap = (version: number, cause: Gap["cause"], action: Gap["action"]): Gap => ({
  object: anObject({ version }),
  cause,
  action,
})

function aResult(more: Partial<VaultReconciliation> = {}, gaps: readonly Gap[] = []): ReconciledVault {
  const list = createGapList(300)
  for (const one of gaps) list.add(one)
  return {
    result: {
      vault,
      startedAt: at,
      endedAt: at,
      counts: { ...noCounts(), versions: 9, stored: 9 },
      untold: [],
      ...more,
    },
    gaps: list,
  }
}

const withGaps = { ...noCounts(), versions: 9, stored: 4, gaps: { ...noCounts().gaps, missing: 1 } }
const error: Incompleteness = {
  reason: "error",
  error: new ServiceError("ERR_VAULT_FORBIDDEN", "Key Vault answered 403", { details: { vault } }),
}

describe("exitCodeOf a reconciliation", () => {
  it.each([
    { name: "no gap", results: [aResult()], is: 0 },
    { name: "a gap", results: [aResult(), aResult({ counts: withGaps })], is: 30 },
    { name: "a gap that was just sent", results: [aResult({ counts: { ...withGaps, sent: 1 } })], is: 30 },
    {
      name: "a vault that could not be listed, which wins",
      results: [aResult({ counts: withGaps }), aResult({ incomplete: error })],
      is: 31,
    },
    { name: "an empty vault", results: [aResult({ incomplete: { reason: "empty" } })], is: 31 },
    {
      name: "a name that could not be listed",
      results: [aResult({ incomplete: { reason: "untold" } })],
      is: 31,
    },
    { name: "no vault at all", results: [], is: 31 },
    { name: "an interruption", results: [aResult({ incomplete: { reason: "interrupted" } })], is: 130 },
  ])("is $is for $name", ({ results, is }) => {
    expect(exitCodeOf(results)).toBe(is)
  })
})

describe("formatReconciliation", () => {
  it("says in one line that all is well", () => {
    expect(formatReconciliation([aResult()], false)).toBe(`Vault ${vault}
  9 versions listed: 9 stored, 0 gaps
`)
  })

  it("names each gap and what would be done about it", () => {
    const gaps = [
      gap(1, "missing", "send"),
      gap(2, "disabled", "send"),
      gap(3, "disabled", "none"),
      gap(4, "disabled", "record"),
      gap(5, "lost", "none"),
    ]
    const counts = {
      ...noCounts(),
      versions: 9,
      stored: 4,
      excluded: 1,
      gaps: { ...noCounts().gaps, missing: 1, disabled: 3, lost: 1 },
    }
    const id = (version: number) => `${vault}/secrets/db-password/${versionId(version)}`
    expect(formatReconciliation([aResult({ counts }, gaps)], false)).toBe(`Vault ${vault}
  MISSING     ${id(1)} (to be sent)
  DISABLED    ${id(2)} (enabled since, to be sent)
  DISABLED    ${id(3)} (cannot be read)
  DISABLED    ${id(4)} (gap record to be written)
  LOST        ${id(5)} (the vault has it no more)
  9 versions listed: 4 stored, 1 excluded by BACKUP_EXCLUDE, 5 gaps
Nothing was written. To send them: kvbackup reconcile --execute
`)
    const done = { ...counts, sent: 2, recorded: 1 }
    const text = formatReconciliation(
      [aResult({ counts: done, run: "now", continues: "before" }, gaps)],
      true,
    )
    expect(text).toContain("  goes on from run before\n")
    expect(text).toContain(`${id(4)} (gap record written)\n`)
    expect(text).toContain("5 gaps; 2 changes sent, 1 gap records written\n  run now\n")
    expect(text).not.toContain("Nothing was written")
  })

  it("says what it could not tell, and what to do about it", () => {
    const text = formatReconciliation(
      [
        aResult({ incomplete: error }),
        aResult({ incomplete: { reason: "untold" }, untold: [{ name: "odd", code: "ERR_UNKNOWN" }] }),
      ],
      false,
    )
    expect(text).toContain("  INCOMPLETE  [ERR_VAULT_FORBIDDEN] Key Vault answered 403\n  Try:        Assign")
    expect(text).toContain("  NOT LISTED  odd (ERR_UNKNOWN)\n")
  })

  it("stays readable where a whole vault is missing", () => {
    const gaps = Array.from({ length: 500 }, (_, index) => gap(index, "missing", "send"))
    const text = formatReconciliation([aResult({}, gaps)], false)
    expect(text.split("\n").length).toBeLessThan(210)
    expect(text).toContain("  and 300 more; --json lists the first 10,000\n")
  })
})

describe("the document of a reconciliation", () => {
  it("names gaps by id, reason and action, and says how many it does not name", () => {
    const created = new Date("2026-01-01T00:00:00.000Z")
    const gaps = Array.from({ length: 301 }, (_, index) => ({ ...gap(index, "missing", "send"), created }))
    const document = JSON.parse(JSON.stringify(toDocument(aResult({ run: "r" }, gaps)))) as {
      gaps: object[]
      moreGaps: number
    }
    expect(document).toMatchObject({ vault, complete: true, run: "r", moreGaps: 1, untold: [] })
    expect(document.gaps).toHaveLength(300)
    expect(document.gaps[0]).toEqual({
      id: `${vault}/secrets/db-password/${versionId(0)}`,
      reason: "missing",
      action: "send",
      created: "2026-01-01T00:00:00.000Z",
    })
  })

  it("says why it is not complete, with the code", () => {
    expect(toDocument(aResult({ incomplete: error }))).toMatchObject({
      complete: false,
      incomplete: { reason: "error", code: "ERR_VAULT_FORBIDDEN", details: { vault } },
    })
    expect(toDocument(aResult({ incomplete: { reason: "empty" } }))).toMatchObject({
      complete: false,
      incomplete: { reason: "empty", message: expect.stringContaining("proves nothing") },
    })
  })
})
