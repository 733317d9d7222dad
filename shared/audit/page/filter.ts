import type { Row } from "./row.ts"

/** What a person wants to see; empty texts mean all. */
export interface Filter {
  readonly vault: string
  readonly origin: string
  readonly kind: string
  /** Only what is late or not protected. */
  readonly isBreachesOnly: boolean
  /** Found in the name, the version or the codes, without regard to case. */
  readonly text: string
}

export const noFilter: Filter = { vault: "", origin: "", kind: "", isBreachesOnly: false, text: "" }

/** The rows that a filter lets through, in their order. */
export function applyFilter(rows: readonly Row[], filter: Filter): readonly Row[] {
  const wanted = filter.text.trim().toLowerCase()
  return rows.filter(
    (row) =>
      (filter.vault === "" || row.vault === filter.vault) &&
      (filter.origin === "" || row.origin === filter.origin) &&
      (filter.kind === "" || row.kind === filter.kind) &&
      (!filter.isBreachesOnly || row.state !== "within") &&
      (wanted === "" || textOf(row).includes(wanted)),
  )
}

/** Does the filter leave anything out? */
export function isFiltering({ vault, origin, kind, isBreachesOnly, text }: Filter): boolean {
  return isBreachesOnly || [vault, origin, kind, text.trim()].some((part) => part !== "")
}

function textOf({ key, gap, story }: Row): string {
  return [key, gap?.reason, gap?.code, story?.eventId, story?.sha256].join(" ").toLowerCase()
}
