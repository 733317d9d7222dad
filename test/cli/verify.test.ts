import { describe, expect, it } from "vitest"
import { exitCodeOf, formatVerification } from "../../cli/verify.ts"
import type { Finding, VerifiedVersion } from "../../shared/restore/verifyVault.ts"

const version = (finding: Finding, n: number, more: Partial<VerifiedVersion> = {}): VerifiedVersion => ({
  id: `https://kv-test.vault.azure.net/secrets/s${n}/0${n}`,
  finding,
  ...more,
})

describe("formatVerification", () => {
  it("says in one line that all is well", () => {
    expect(formatVerification([version("protected", 1), version("protected", 2)], false)).toBe(
      "2 versions looked at: 2 protected, 0 need attention, 0 could not be told\n",
    )
  })

  it("names each version that is not well, and why, and counts the rest", () => {
    const all = [
      version("protected", 1),
      version("onlyInStore", 2),
      version("excluded", 3),
      version("gap", 4, { reason: "disabled" }),
      version("missing", 5),
      version("differs", 6),
      version("broken", 7, { code: "ERR_SEAL_INTEGRITY" }),
      version("inFlight", 8),
      version("publicOnly", 9),
      version("unknown", 0, { code: "ERR_SEAL_NO_KEY" }),
    ]
    expect(formatVerification(all, true)).toBe(`NOT PROTECTED (disabled)
  https://kv-test.vault.azure.net/secrets/s4/04
MISSING: no record and no gap record
  https://kv-test.vault.azure.net/secrets/s5/05
DIFFERS: the record opens, its value is another
  https://kv-test.vault.azure.net/secrets/s6/06
BROKEN: the record does not open (ERR_SEAL_INTEGRITY)
  https://kv-test.vault.azure.net/secrets/s7/07
in flight: too young to be missed, run again
  https://kv-test.vault.azure.net/secrets/s8/08
PUBLIC PART ONLY: the certificate's policy keeps its private key in the vault
  https://kv-test.vault.azure.net/secrets/s9/09
could not be told (ERR_SEAL_NO_KEY)
  https://kv-test.vault.azure.net/secrets/s0/00
10 versions looked at, 3 records opened and compared with the vault: 1 protected, 1 only in the store, 1 with their public part only, 1 excluded by BACKUP_EXCLUDE, 5 need attention, 2 could not be told
`)
  })

  it("does not call nothing a proof", () => {
    expect(formatVerification([], false)).toContain("Nothing was listed, so nothing is proved.\n")
  })
})

describe("exitCodeOf a verification", () => {
  const well = version("protected", 1)
  it.each([
    { name: "all protected", findings: [], is: 0 },
    { name: "a record of a version that is gone", findings: ["onlyInStore"], is: 0 },
    { name: "an excluded name", findings: ["excluded"], is: 0 },
    ...(["gap", "missing", "differs", "broken", "publicOnly"] as const).map((finding) => ({
      name: finding,
      findings: [finding],
      is: 30,
    })),
    { name: "something untold", findings: ["unknown"], is: 31 },
    { name: "something in flight", findings: ["inFlight"], is: 31 },
    { name: "untold, which wins", findings: ["missing", "unknown"], is: 31 },
  ] as { name: string; findings: Finding[]; is: number }[])("is $is for $name", ({ findings, is }) => {
    expect(exitCodeOf([well, ...findings.map((finding, at) => version(finding, at + 2))])).toBe(is)
  })

  it("is 31 when nothing was listed", () => {
    expect(exitCodeOf([])).toBe(31)
  })
})
