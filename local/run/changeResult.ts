import type { ChangeRow } from "../builtIn/changeTable.ts"
import type { OutcomeReported } from "../cloud/activity.ts"
import type { ChangeTracker } from "./changeTracker.ts"
import type { MadeChange } from "./makeChanges.ts"

/** What became of a change that was made. */
export interface ChangeResult {
  readonly change: MadeChange
  readonly row: ChangeRow
  /** Why it is not protected, in a word or two. */
  readonly reason?: string
  /** An outcome that no retry will change. */
  readonly isFinal: boolean
  readonly isExpected: boolean
}

/** Reads the present state of `change`. The time is from the moment the vault had the version to the store's answer. */
export function resultOf(change: MadeChange, tracker: ChangeTracker): ChangeResult {
  const version = change.id === undefined ? undefined : tracker.versions.get(change.id)
  const all = outcomesOf(change, tracker)
  const said = saidOf(change, all)
  const [object = "", versionId = ""] = change.id?.split("/").slice(-2) ?? [`(${change.label})`]
  const outcome = (said?.outcome ?? (all.length > 0 ? "deferred" : "waiting")) as ChangeRow["outcome"]
  const reason = said && reasonOf(said)
  const storedAt = said?.blob === undefined || change.nth > 1 ? undefined : tracker.storedAt(said.blob)
  const isStoredSeen = said?.outcome !== "stored" || storedAt !== undefined
  return {
    change,
    row: {
      object,
      version: versionId,
      outcome,
      ...(version && storedAt ? { tookMs: storedAt.getTime() - version.changedAt.getTime() } : {}),
      ...(said?.blob === undefined ? {} : { blob: said.blob }),
      ...(said?.privateKey === "absentByPolicy" ? { isPublicOnly: true } : {}),
    },
    ...(reason === undefined ? {} : { reason }),
    isFinal: said !== undefined && isStoredSeen,
    isExpected:
      said?.outcome === change.expected &&
      (said.privateKey === "absentByPolicy") === (change.isPublicOnly ?? false),
  }
}

function outcomesOf(
  { id, reason }: MadeChange,
  { versions, others }: ChangeTracker,
): readonly OutcomeReported[] {
  if (id === undefined) return others.filter((other) => reason === undefined || other.reason === reason)
  const own = versions.get(id)?.outcomes ?? []
  return isCertificate(id) ? [...own, ...(versions.get(secretOf(id))?.outcomes ?? [])] : own
}

/** The event of a certificate or that of its secret is the first; the other finds it stored. */
function saidOf({ id, nth }: MadeChange, all: readonly OutcomeReported[]): OutcomeReported | undefined {
  const final = all.filter(({ outcome }) => outcome !== "deferred")
  if (id === undefined || !isCertificate(id)) return final[nth - 1]
  return final.find(({ outcome }) => outcome === "stored") ?? (final.length > 1 ? final[0] : undefined)
}

function isCertificate(id: string): boolean {
  return id.includes("/certificates/")
}

function secretOf(id: string): string {
  return id.replace("/certificates/", "/secrets/")
}

function reasonOf({ code, reason, blob }: OutcomeReported): string | undefined {
  const gap = /\.(disabled|value-absent|gone)\.json$/.exec(blob ?? "")
  return gap?.[1] ?? reason ?? code
}
