import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { main } from "../../cli/main.ts"
import { exitCodeOf } from "../../cli/restore.ts"
import { formatNote, formatRestore, toItemDocument } from "../../cli/restoreReport.ts"
import { formatVersionUrl } from "../../shared/change/objectVersion.ts"
import { ServiceError } from "../../shared/errors.ts"
import type { RestoredItem, RestoreResult } from "../../shared/restore/executeRestore.ts"
import type { PlannedItem } from "../../shared/restore/planRestore.ts"
import type { RestoreNote, RestoreTarget } from "../../shared/restore/restoreTarget.ts"
import { formatRecordName } from "../../shared/store/blobName.ts"
import { anObject, vault } from "../support/builders.ts"

const folder = mkdtempSync(join(tmpdir(), "kvbackup-restore-"))
afterAll(() => rmSync(folder, { recursive: true }))

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  let out = ""
  let err = ""
  const streams = {
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    env,
    cwd: folder,
  }
  const exitCode = await main(["restore", ...argv], streams)
  return { exitCode, out, err }
}

const object = `${vault}/secrets/db-password`
const to = ["--to", "https://kv-other.vault.azure.net"]
const target: RestoreTarget = {
  place: { vault: "https://kv-other.vault.azure.net", host: "kv-other.vault.azure.net" },
  look: () => Promise.reject(new Error("not asked")),
  write: () => Promise.reject(new Error("not asked")),
}

function base(name: string, notes: readonly RestoreNote[] = []) {
  const of = anObject({ name })
  const selected = {
    object: of,
    blob: formatRecordName(of),
    changedAt: new Date("2026-03-01T10:00:00Z"),
    newerGaps: [],
  }
  return { id: formatVersionUrl(of), name, selected, notes }
}

const write = (name: string, notes?: readonly RestoreNote[]): PlannedItem => ({
  ...base(name, notes),
  action: "write",
})
const blocked = (name: string): PlannedItem => ({
  ...base(name),
  action: "blocked",
  error: new ServiceError(
    "ERR_RESTORE_TARGET_EXISTS",
    "The target has the name already, with other contents",
  ),
})
const ended = (name: string, outcome: RestoreResult): RestoredItem => ({ ...write(name), outcome })

describe("kvbackup restore", () => {
  it.each([
    { name: "neither object nor vault", argv: to, says: "either --object or --vault" },
    { name: "both", argv: ["--object", object, "--vault", vault, ...to], says: "either --object or --vault" },
    { name: "no target", argv: ["--object", object], says: "either --to VAULT or --to-dir DIRECTORY" },
    {
      name: "two targets",
      argv: ["--object", object, ...to, "--to-dir", "x"],
      says: "either --to VAULT or --to-dir DIRECTORY",
    },
    {
      name: "an object that is none",
      argv: ["--object", `${vault}/keys/k`, ...to],
      says: "no object of a vault",
    },
    { name: "a vault that is none", argv: ["--vault", "kv-test", ...to], says: "--vault is no vault" },
    {
      name: "a target with a path",
      argv: ["--object", object, "--to", `${vault}/secrets`],
      says: "--to is no vault",
    },
    {
      name: "a target without TLS",
      argv: ["--object", object, "--to", "http://kv"],
      says: "--to is no vault",
    },
    {
      name: "a date alone",
      argv: ["--object", object, ...to, "--at", "2026-03-01"],
      says: "--at must be a time",
    },
    {
      name: "a time of nobody's clock",
      argv: ["--object", object, ...to, "--at", "2026-03-01T10:00:00"],
      says: "--at must be a time",
    },
    {
      name: "a time that does not exist",
      argv: ["--object", object, ...to, "--at", "2026-13-01T10:00:00Z"],
      says: "--at must be a time",
    },
    {
      name: "a day that does not exist",
      argv: ["--object", object, ...to, "--at", "2026-02-30T10:00:00Z"],
      says: "--at must be a time",
    },
    {
      name: "a version and a time",
      argv: ["--object", `${object}/${"0".repeat(32)}`, ...to, "--at", "2026-03-01T10:00:00Z"],
      says: "leave --at out",
    },
    {
      name: "one name for many",
      argv: ["--vault", vault, ...to, "--as", "x"],
      says: "--as goes with --object",
    },
    { name: "a name that is none", argv: ["--object", object, ...to, "--as", "a_b"], says: "--as must be" },
  ])("ends with 2 before anything is asked, for $name", async ({ argv, says }) => {
    const { exitCode, out, err } = await run(argv)
    expect([exitCode, out]).toEqual([2, ""])
    expect(err).toContain(says)
    expect(err).toMatch(/^Error: \[ERR_CONFIG_INVALID\] .*\nTry: {3}\S/)
  })

  it("needs a store, and a key that opens records", async () => {
    const argv = ["--object", object, ...to, "--credential", "workloadIdentity"]
    expect((await run(argv)).err).toContain("BACKUP_STORE_URL is not set")
    const env = { BACKUP_STORE_URL: "https://account.blob.core.windows.net" }
    const { exitCode, err } = await run(["--object", object, ...to], env)
    expect(exitCode).toBe(2)
    expect(err).toContain("none is named")
    expect(err).toContain("--key-file FILE")
    expect(err).toContain("--unwrap-key")
  })

  it("prints an error as a document, with its own exit code", async () => {
    const { exitCode, out } = await run(["--vault", vault, "--json"])
    expect([exitCode, JSON.parse(out)]).toEqual([
      2,
      expect.objectContaining({ format: "kvbackup-error/1", code: "ERR_CONFIG_INVALID" }),
    ])
  })
})

describe("formatRestore", () => {
  it("says what would be done, what stops it and how to do it", () => {
    const items: PlannedItem[] = [
      write("a", [{ note: "tagsFull" }]),
      { ...base("b"), action: "alreadyThere", where: "https://kv-other.vault.azure.net/secrets/b/1" },
      blocked("c"),
    ]
    expect(formatRestore(items, target, "--vault https://kv-test.vault.azure.net --to X"))
      .toBe(`from https://kv-test.vault.azure.net
to   https://kv-other.vault.azure.net

               name  made                      version
restore        a     2026-03-01T10:00:00.000Z  secrets/a/00000000000000000000000000000001
  Note: ${formatNote({ note: "tagsFull" })}
already there  b     2026-03-01T10:00:00.000Z  secrets/b/00000000000000000000000000000001
STOPS          c     2026-03-01T10:00:00.000Z  secrets/c/00000000000000000000000000000001
  [ERR_RESTORE_TARGET_EXISTS] The target has the name already, with other contents
  Try: Use another name (\`--as NAME\`) or another target.

1 restore, 1 already there, 1 STOPS
Nothing was done. To do it: kvbackup restore --vault https://kv-test.vault.azure.net --to X --execute
`)
  })

  it("says what was done, and claims no comparison that was not made", () => {
    const where = "https://kv-other.vault.azure.net/secrets/a/1"
    const error = new ServiceError("ERR_RESTORE_DIFFERS", "The new version differs in: tags")
    const text = formatRestore(
      [
        ended("a", { result: "restored", where, isCompared: true, notes: [] }),
        ended("b", { result: "restored", where, isCompared: false, notes: [{ note: "disabled" }] }),
        ended("c", { result: "failed", error, notes: [] }),
        ended("d", { result: "notDone", notes: [] }),
      ],
      target,
      "",
    )
    expect(text).toMatch(/^FAILED {4}c .*\n {2}\[ERR_RESTORE_DIFFERS\] The new version differs in: tags\n/m)
    expect(text.endsWith("\n2 restored, 1 FAILED, 1 not done; 1 read back and compared: the same\n")).toBe(
      true,
    )
  })

  it("tells where a single object is", () => {
    const where = "https://kv-other.vault.azure.net/secrets/a/1"
    const item = ended("a", { result: "restored", where, isCompared: true, notes: [] })
    expect(formatRestore([item], target, "")).toContain(`\n  at ${where}\n`)
  })

  it("offers nothing to do where nothing would be written", () => {
    expect(formatRestore([blocked("a")], target, "")).not.toContain("--execute")
  })

  it.each([
    { note: "tagsFull" },
    { note: "disabled" },
    { note: "publicOnly" },
    { note: "expired" },
    { note: "policyNotKept" },
    { note: "attributesDiffer", attributes: ["tags", "expires"] },
    { note: "newerWithoutRecord", id: `${object}/${"1".repeat(32)}`, reason: "disabled" },
  ] as RestoreNote[])("has words for the note $note", (note) => {
    expect(formatNote(note).length).toBeGreaterThan(10)
  })
})

describe("toItemDocument", () => {
  it("tells an item of a plan and what came of it", () => {
    expect(toItemDocument(blocked("c"))).toEqual({
      id: `${vault}/secrets/c/00000000000000000000000000000001`,
      kind: "secret",
      name: "c",
      blob: "v1/kv-test.vault.azure.net/secrets/c/00000000000000000000000000000001.jwe.json",
      changedAt: "2026-03-01T10:00:00.000Z",
      action: "blocked",
      problem: {
        code: "ERR_RESTORE_TARGET_EXISTS",
        message: "The target has the name already, with other contents",
        details: {},
        try: "Use another name (`--as NAME`) or another target.",
      },
      notes: [],
    })
    const outcome: RestoreResult = {
      result: "restored",
      where: "w",
      isCompared: true,
      notes: [{ note: "expired" }],
    }
    expect(toItemDocument(ended("a", outcome))).toMatchObject({
      action: "write",
      result: "restored",
      where: "w",
      compared: true,
      notes: [{ note: "expired" }],
    })
  })
})

describe("exitCodeOf a restore", () => {
  const error = new ServiceError("ERR_SEAL_INTEGRITY", "x")
  const outcomes = {
    restored: { result: "restored", where: "w", isCompared: true, notes: [] },
    alreadyThere: { result: "alreadyThere", where: "w", notes: [] },
    blocked: { result: "blocked", error, notes: [] },
    failed: { result: "failed", error, notes: [] },
    notDone: { result: "notDone", notes: [] },
  } as const
  it.each([
    { of: ["restored", "alreadyThere"], is: 0 },
    { of: ["restored", "blocked"], is: 30 },
    { of: ["restored", "failed"], is: 30 },
    { of: ["blocked", "notDone"], is: 130 },
  ] as { of: (keyof typeof outcomes)[]; is: number }[])("is $is for $of", ({ of, is }) => {
    expect(exitCodeOf(of.map((name) => ({ outcome: outcomes[name] })))).toBe(is)
  })
})
