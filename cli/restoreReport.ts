import { collectionOf } from "../shared/change/objectVersion.ts"
import type { ServiceError } from "../shared/errors.ts"
import type { RestoredItem } from "../shared/restore/executeRestore.ts"
import type { PlannedItem } from "../shared/restore/planRestore.ts"
import type { RestoreNote, RestoreTarget } from "../shared/restore/restoreTarget.ts"
import { formatTable } from "./textTable.ts"

/** An item of a plan, or of what came of it. */
export type ReportedItem = PlannedItem | RestoredItem

/** What is told of an item's blocking or failure. */
function problemOf({ code, message, details, hint }: ServiceError) {
  return { code, message: withoutCode(message), details, try: hint }
}

function withoutCode(message: string): string {
  return message.replace(/^\[\w+\] /, "")
}

/** One item of `kvbackup-restore/1`. It holds ids, names, codes and times: no value, no tag. */
export function toItemDocument(item: ReportedItem) {
  const { id, name, selected, action } = item
  const { changedAt, blob, object } = selected
  const base = { id, kind: object.kind, name, blob, changedAt: changedAt.toISOString(), action }
  if (!("outcome" in item)) {
    return {
      ...base,
      ...(item.action === "alreadyThere" ? { where: item.where } : {}),
      ...(item.action === "blocked" ? { problem: problemOf(item.error) } : {}),
      notes: item.notes,
    }
  }
  const { outcome } = item
  return {
    ...base,
    result: outcome.result,
    ...("where" in outcome ? { where: outcome.where } : {}),
    ...("isCompared" in outcome ? { compared: outcome.isCompared } : {}),
    ...("error" in outcome ? { problem: problemOf(outcome.error) } : {}),
    notes: outcome.notes,
  }
}

/** Where it goes, as the document tells it. */
export function toTargetDocument({ place }: RestoreTarget): { vault: string } | { directory: string } {
  return "directory" in place ? { directory: place.directory } : { vault: place.vault }
}

const planned = { write: "restore", alreadyThere: "already there", blocked: "STOPS" } as const

const done = {
  restored: "restored",
  alreadyThere: "already there",
  blocked: "NOT RESTORED",
  failed: "FAILED",
  notDone: "not done",
} as const

/** What would be done, or was done, for people: a table, below each row what stands in its way or is to know, the counts. */
export function formatRestore(
  items: readonly ReportedItem[],
  target: RestoreTarget,
  command: string,
): string {
  const place = "directory" in target.place ? target.place.directory : target.place.vault
  const words = items.map((item) => ("outcome" in item ? done[item.outcome.result] : planned[item.action]))
  const [head = "", ...rows] = formatTable(
    ["", "name", "made", "version"],
    items.map(({ name, selected: { object, changedAt } }, index) => [
      words[index] ?? "",
      name,
      changedAt.toISOString(),
      `${collectionOf(object.kind)}/${object.name}/${object.version}`,
    ]),
  )
  const counts = Map.groupBy(words, (word) => word)
  const compared = items.filter(
    (item) => "outcome" in item && "isCompared" in item.outcome && item.outcome.isCompared,
  )
  const lines = [
    `from https://${items[0]?.selected.object.host ?? ""}`,
    `to   ${place}`,
    "",
    head,
    ...items.flatMap((item, index) => [rows[index] ?? "", ...formatDetails(item, items.length === 1)]),
    "",
    `${[...counts].map(([word, { length }]) => `${length} ${word}`).join(", ")}${
      compared.length > 0 ? `; ${compared.length} read back and compared: the same` : ""
    }`,
  ]
  if (!items.some((item) => "outcome" in item) && counts.has(planned.write)) {
    lines.push(`Nothing was done. To do it: kvbackup restore ${command} --execute`)
  }
  return `${lines.join("\n")}\n`
}

function formatDetails(item: ReportedItem, isAlone: boolean): string[] {
  const outcome = "outcome" in item ? item.outcome : item
  const lines: string[] = []
  if (isAlone && "where" in outcome) lines.push(`  at ${outcome.where}`)
  if ("error" in outcome) {
    const { code, message, hint } = outcome.error
    lines.push(`  [${code}] ${withoutCode(message)}`, `  Try: ${hint}`)
  }
  for (const note of outcome.notes) lines.push(`  Note: ${formatNote(note)}`)
  return lines
}

/** A note in a person's words. */
export function formatNote(note: RestoreNote): string {
  switch (note.note) {
    case "tagsFull":
      return "it has 15 tags, the most there can be; they are kept, and kvb-restored-from is left out, so that its own backup counts as live"
    case "disabled":
      return "it was disabled when it was backed up; it is restored disabled, and so cannot be read back"
    case "publicOnly":
      return "the record has no private key: the certificate's policy kept it in the vault"
    case "expired":
      return "it has expired"
    case "policyNotKept":
      return "the vault did not take its policy (issuer, renewal), and made one of its own: set it again"
    case "attributesDiffer":
      return `the contents are the same, and these are not: ${note.attributes.join(", ")}`
    case "newerWithoutRecord":
      return `a newer version has no record, it was ${note.reason}: ${note.id}`
  }
}
