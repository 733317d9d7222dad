import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { createAllowList } from "../../shared/change/allowList.ts"
import { parseChanges } from "../../shared/change/parseChanges.ts"
import { formatDigestEntry, parseDigestEntry } from "../../shared/digest/digestEntry.ts"
import { digestSchema } from "../../shared/digest/signedDigest.ts"
import { formatLineage } from "../../shared/queue/messageLineage.ts"
import { serializeGapRecord } from "../../shared/record/gapRecord.ts"
import { parseRecord, serializeRecord } from "../../shared/record/record.ts"
import { formatReconcileBlob, parseReconcileBlob } from "../../shared/reconcile/reconcileRecord.ts"
import { parseStoreEntryName } from "../../shared/store/blobName.ts"
import { formatLedgerEntry, parseLedgerEntry } from "../../shared/store/ledgerEntry.ts"

const page = readFileSync(join(import.meta.dirname, "../../docs/formats.md"), "utf8")

function example(name: string): unknown {
  const [, text] = new RegExp(`\`\`\`json ${name}\n(.*?)\n\`\`\``, "s").exec(page) ?? []
  return JSON.parse(text ?? "")
}

/** First cells of the table below a heading, without their back-quotes. */
function fieldsBelow(heading: string): string[] {
  const [, section = ""] = page.split(`## ${heading}\n`)
  const [table = ""] = section.split("\n## ")
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, field]) => field ?? "")
}

function pathsOf(value: object, prefix = ""): string[] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) =>
    typeof member === "object" && member !== null && Object.keys(member).length > 0
      ? pathsOf(member, `${prefix}${key}.`)
      : [`${prefix}${key}`],
  )
}

describe("docs/formats.md", () => {
  it("shows a record that is read and written back unchanged", () => {
    const shown = example("record")
    const record = parseRecord(Buffer.from(JSON.stringify(shown)))
    expect(JSON.parse(Buffer.from(serializeRecord(record)).toString())).toEqual(shown)
    expect(
      pathsOf(record).filter((path) => !fieldsBelow("Record `keyvault-backup/1`").includes(path)),
    ).toEqual([])
  })

  it("shows metadata that is read and written back unchanged", () => {
    const shown = example("metadata") as Record<string, string>
    const entry = parseLedgerEntry(shown)
    expect(entry && formatLedgerEntry(entry)).toEqual(shown)
  })

  it("shows a digest that is one, with a row for each field, and an entry to the byte", () => {
    const shown = digestSchema.parse(example("digest"))
    expect(shown).toEqual(example("digest"))
    const rows = new Set(fieldsBelow("Digest `keyvault-digest/1`").map((row) => row.replace("[]", ".0")))
    expect(pathsOf(shown).filter((path) => !rows.has(path))).toEqual([])
    const [, line = ""] = /```text\n(\{"createdAt".*\n)```/.exec(page) ?? []
    const entry = parseDigestEntry(line)
    expect(entry && formatDigestEntry(entry)).toBe(line)
  })

  it("has a row for every key of metadata", () => {
    const at = new Date(0)
    const all = formatLedgerEntry({
      changedAt: at,
      eventAt: at,
      enqueuedAt: at,
      receivedAt: at,
      readAt: at,
      putAt: at,
      origin: "live",
      attempt: 1,
      replays: 0,
      eventId: "id",
      kids: ["kid"],
      format: "keyvault-backup/1",
      sha256: "0".repeat(64),
      code: "ERR_UNKNOWN",
      isPublicOnly: true,
    })
    expect(fieldsBelow("Blob metadata")).toEqual(
      Object.keys(all).sort(byPlaceIn(fieldsBelow("Blob metadata"))),
    )
  })

  it("shows a gap record as the worker writes it", () => {
    const shown = example("gap") as { id: string; eventTime: string; triedAt: string }
    const [item] = parseChanges(
      { change: { format: "keyvault-change/1", id: shown.id, origin: "live", eventTime: shown.eventTime } },
      createAllowList([new URL(shown.id).origin]),
    )
    if (item?.kind !== "change") throw new Error("The id of the gap record is no version URL")
    const written = serializeGapRecord(
      item.change,
      "disabled",
      "ERR_VAULT_VERSION_DISABLED",
      new Date(shown.triedAt),
    )
    expect(shown).toEqual(JSON.parse(Buffer.from(written).toString()))
    expect(fieldsBelow("Gap record `keyvault-gap/1`")).toEqual(Object.keys(shown))
  })

  it("shows a change message that is taken", () => {
    const shown = example("change") as { change: { id: string } }
    const [item] = parseChanges(shown, createAllowList([new URL(shown.change.id).origin]))
    expect(item).toMatchObject({ kind: "change", change: { origin: "live" } })
    const rows = fieldsBelow("Change message `keyvault-change/1`")
    expect(pathsOf(shown).filter((path) => !rows.includes(path))).toEqual([])
  })

  it("shows a summary of reconciliation that is read and written back unchanged", () => {
    const shown = example("reconcile")
    const record = parseReconcileBlob("summary.json", Buffer.from(JSON.stringify(shown)))
    expect(JSON.parse(Buffer.from(formatReconcileBlob(record).body).toString())).toEqual(shown)
    const rows = fieldsBelow("Memory of reconciliation `keyvault-reconcile/1`")
    const paths = pathsOf(record).map((path) => path.replace(/^counts\.gaps\..*/, "counts.gaps.CAUSE"))
    expect(paths.filter((path) => !rows.includes(path) && !rows.includes(`${path}[]`))).toEqual([])
  })

  it("has a row for every application property", () => {
    const at = new Date(0)
    const all = formatLineage({
      origin: "live",
      originalId: "1",
      firstEnqueuedAt: at,
      retrySince: at,
      attempt: 1,
      replays: 1,
      firstCode: "ERR_UNKNOWN",
      lastCode: "ERR_UNKNOWN",
      plan: "1",
    })
    expect(fieldsBelow("Application properties of messages")).toEqual(Object.keys(all))
  })

  it("shows blob names that are names of records and gaps", () => {
    const names = [...page.matchAll(/^(?:v1|gaps)\/\S+$/gm)].map(([name]) => name)
    expect(names.map((name) => parseStoreEntryName(name)?.kind)).toEqual(["record", "gap"])
  })
})

function byPlaceIn(order: readonly string[]) {
  return (one: string, other: string) => order.indexOf(one) - order.indexOf(other)
}
