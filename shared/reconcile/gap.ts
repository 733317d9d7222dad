import { isExcluded } from "../change/allowList.ts"
import type { ObjectKind, ObjectVersion } from "../change/objectVersion.ts"
import { type GapReason, gapReasons } from "../store/blobName.ts"

/**
 * Why the store has no record of a version. `missing`: the vault lists it, and nothing is known of it. `disabled`: its
 * value cannot be read, or could not when its change came. `value-absent`, `gone`: so says its gap record, and the vault
 * lists it. `lost`: a gap record is open, and the vault has the version no more.
 */
export const gapCauses = ["missing", "disabled", "value-absent", "gone", "lost"] as const

export type GapCause = (typeof gapCauses)[number]

/**
 * What is to be done about a gap. `send`: a change is sent, and the worker reads the version. `record`: it cannot be
 * read; a gap record is written. `none`: there is nothing to do but to tell.
 */
export type GapAction = "send" | "record" | "none"

/** A version that the vault has, or had, and the store has not. */
export interface Gap {
  readonly object: ObjectVersion
  readonly cause: GapCause
  readonly action: GapAction
  /** The vault's own time. */
  readonly created?: Date
}

/** What a vault lists of one version. The secret behind a certificate counts as the certificate. */
export interface HeldVersion {
  readonly kind: ObjectKind
  /** Can its value be read? */
  readonly enabled: boolean
  readonly created?: Date
}

/** The gap records of one version; each reason has one of its own. */
export interface GapRecordsOfVersion {
  readonly kind: ObjectKind
  readonly reasons: ReadonlySet<GapReason>
}

/** Everything under one name, by version: what the vault lists, and what the store has under both kinds. */
export interface NameContents {
  readonly name: string
  readonly held: ReadonlyMap<string, HeldVersion>
  readonly records: ReadonlySet<string>
  readonly gapRecords: ReadonlyMap<string, GapRecordsOfVersion>
}

/** What the comparison says of one version. */
export type ComparedVersion =
  | { readonly version: string; readonly finding: "stored" | "excluded" }
  | { readonly version: string; readonly finding: "gap"; readonly gap: Gap }

/**
 * Compares all that is under one name, in the order of versions. What is stored and not in the vault any more is passed
 * over: that is what a backup is for.
 *
 * @param vault - `https://host[:port]`.
 * @param exclude - patterns of names that are not backed up.
 */
export function compareName(
  vault: string,
  { name, held, records, gapRecords }: NameContents,
  exclude: readonly string[],
): ComparedVersion[] {
  const { host } = new URL(vault)
  const isOut = isExcluded(name, exclude)
  const versions = [...new Set([...held.keys(), ...gapRecords.keys()])].sort()
  return versions.flatMap((version): ComparedVersion[] => {
    const listed = held.get(version)
    const known = gapRecords.get(version)
    if (records.has(version)) return listed ? [{ version, finding: "stored" }] : []
    if (isOut) return listed ? [{ version, finding: "excluded" }] : []
    const kind = listed?.kind ?? known?.kind ?? "secret"
    const object: ObjectVersion = { vault, host, kind, name, version }
    const created = listed?.created
    const gap = { object, ...judge(listed, known?.reasons ?? new Set()), ...(created ? { created } : {}) }
    return [{ version, finding: "gap", gap }]
  })
}

function judge(
  listed: HeldVersion | undefined,
  reasons: ReadonlySet<GapReason>,
): { readonly cause: GapCause; readonly action: GapAction } {
  if (!listed) return { cause: "lost", action: "none" }
  if (!listed.enabled) return { cause: "disabled", action: reasons.has("disabled") ? "none" : "record" }
  return { cause: gapReasons.find((reason) => reasons.has(reason)) ?? "missing", action: "send" }
}
