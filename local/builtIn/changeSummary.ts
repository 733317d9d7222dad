import type { ChangeRow } from "./changeTable.ts"

/** What is counted: the outcome, and for what was not protected why. */
export type SummarizedChange = Pick<ChangeRow, "outcome" | "isPublicOnly"> & {
  /** In a word or two: `disabled`, or an error code. */
  readonly reason?: string
}

/** The groups in the order in which they are told. */
const groups: readonly {
  readonly label: string
  readonly outcomes: readonly ChangeRow["outcome"][]
  readonly isPublicOnly?: true
}[] = [
  { label: "stored", outcomes: ["stored"] },
  { label: "already stored", outcomes: ["alreadyStored"] },
  { label: "skipped", outcomes: ["skipped"] },
  { label: "NOT FULLY PROTECTED", outcomes: ["stored", "alreadyStored"], isPublicOnly: true },
  { label: "NOT YET PROTECTED", outcomes: ["deferred", "waiting"] },
  { label: "NOT PROTECTED", outcomes: ["unreadable", "gone", "poison"] },
]

/** One line: `18 changes: 15 stored, 1 already stored, 1 skipped, 1 NOT PROTECTED (disabled)`. */
export function summarizeChanges(changes: readonly SummarizedChange[]): string {
  const total = `${changes.length} ${changes.length === 1 ? "change" : "changes"}`
  const parts = groups.flatMap(({ label, outcomes, isPublicOnly = false }) => {
    const members = changes.filter(
      (change) => outcomes.includes(change.outcome) && (change.isPublicOnly ?? false) === isPublicOnly,
    )
    return members.length === 0 ? [] : [`${members.length} ${label}${reasonsOf(label, members)}`]
  })
  return parts.length === 0 ? total : `${total}: ${parts.join(", ")}`
}

function reasonsOf(label: string, members: readonly SummarizedChange[]): string {
  if (!label.startsWith("NOT")) return ""
  const reasons = new Set(
    members.map(({ outcome, reason, isPublicOnly }) =>
      isPublicOnly ? "public part only" : (reason ?? outcome),
    ),
  )
  return ` (${[...reasons].join(", ")})`
}
