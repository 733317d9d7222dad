import { type Content, h } from "./element.ts"
import { formatDuration } from "./formatDuration.ts"
import { formatSecond } from "./formatTime.ts"
import { levelIcon } from "./icon.ts"
import { hostOf, type Row, type RowState, stateWords } from "./row.ts"
import { latencyStages } from "./stageWords.ts"
import type { Level } from "./verdict.ts"

/** By which column the versions are in order. */
export interface SortOrder {
  readonly by: "name" | "at" | "latency"
  readonly isDescending: boolean
}

const shownAtMost = 500
const shownAtFirst = 25

const levels: Readonly<Record<RowState, Level>> = { within: "good", late: "warn", gap: "bad" }

const sortable = [
  ["name", "version"],
  ["at", "stored (UTC)"],
  ["latency", "latency"],
] as const

/** The rows in the order wanted; equal ones stay as they are. */
export function sortRows(rows: readonly Row[], { by, isDescending }: SortOrder): readonly Row[] {
  const compare: (a: Row, b: Row) => number = {
    name: (a: Row, b: Row) => a.name.localeCompare(b.name, "en"),
    at: (a: Row, b: Row) => a.at.getTime() - b.at.getTime(),
    latency: (a: Row, b: Row) => a.latencyMs - b.latencyMs,
  }[by]
  const sorted = [...rows].sort(compare)
  return isDescending ? sorted.reverse() : sorted
}

/** How the table is shown. */
export interface VersionTableOptions {
  readonly order: SortOrder
  readonly isManyVaults: boolean
  readonly isUnfolded: boolean
}

/**
 * The versions as a table; its head has the buttons `data-sort`, each row the button `data-story`, and what is below it
 * the button `data-unfold`.
 */
export function renderVersions(
  rows: readonly Row[],
  { order, isManyVaults, isUnfolded }: VersionTableOptions,
): HTMLElement[] {
  if (rows.length === 0) return [h("p", { class: "empty" }, "No version to show.")]
  const shown = sortRows(rows, order).slice(0, shownAtMost)
  const made = isUnfolded ? shown : shown.slice(0, shownAtFirst)
  return [
    h(
      "table",
      { class: "stacked versions" },
      h("caption", { class: "visually-hidden" }, "Versions with their latency and its parts"),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "state"),
          ...sortable.map(([by, title]) => sortHead(by, title, order)),
          h("th", { scope: "col" }, "origin"),
          ...latencyStages.map(({ name }) => h("th", { scope: "col", class: "number stage" }, name)),
        ),
      ),
      h("tbody", {}, ...made.map((row) => versionRow(row, isManyVaults))),
    ),
    ...(shown.length > shownAtFirst
      ? [
          h(
            "button",
            { class: "unfold", type: "button", "data-unfold": true, "aria-expanded": String(isUnfolded) },
            isUnfolded ? `Show the first ${shownAtFirst}` : `Show all ${shown.length}`,
          ),
        ]
      : []),
    ...(rows.length > shown.length
      ? [
          h(
            "p",
            { class: "note" },
            `The first ${shown.length} of ${rows.length.toLocaleString("en-US")}; filter to see others.`,
          ),
        ]
      : []),
  ]
}

function sortHead(by: SortOrder["by"], title: string, order: SortOrder): HTMLElement {
  const isBy = order.by === by
  const direction = order.isDescending ? "descending" : "ascending"
  return h(
    "th",
    { scope: "col", class: by === "latency" && "number", "aria-sort": isBy ? direction : undefined },
    h(
      "button",
      { class: "sort", type: "button", "data-sort": by },
      title,
      h("span", { class: "arrow", "aria-hidden": "true" }, isBy ? (order.isDescending ? " ↓" : " ↑") : " ↕"),
    ),
  )
}

function versionRow(row: Row, isManyVaults: boolean): HTMLElement {
  const { key, name, version, kind, vault, origin, state, at, latencyMs, story } = row
  return h(
    "tr",
    { "data-key": key },
    h(
      "td",
      { class: `state level-${levels[state]}`, "data-label": "state" },
      h("span", {}, levelIcon(levels[state]), stateWords[state]),
    ),
    h(
      "th",
      { scope: "row", class: "wrap" },
      h("button", { class: "link", type: "button", "data-story": key, "aria-haspopup": "dialog" }, name),
      h(
        "span",
        { class: "soft detail" },
        kind === "certificate" && "certificate ",
        h("code", {}, version.slice(0, 8)),
        isManyVaults && ` ${hostOf(vault)}`,
      ),
    ),
    h("td", { "data-label": state === "gap" ? "recorded" : "stored" }, formatSecond(at)),
    h("td", { class: "number latency", "data-label": "latency" }, latencyText(row, latencyMs)),
    h("td", { "data-label": "origin" }, origin === "gap" ? "–" : origin, attempts(row)),
    ...latencyStages.map(({ stage, name: label }) => {
      const ms = story?.stages[stage]
      return h(
        "td",
        { class: "number stage", "data-label": label },
        ms === null || ms === undefined ? "–" : formatDuration(ms),
      )
    }),
  )
}

function latencyText({ state }: Row, latencyMs: number): Content {
  return state === "gap" ? ["open ", formatDuration(latencyMs)] : formatDuration(latencyMs)
}

function attempts({ story }: Row): Content {
  if (!story || story.attempt <= 1) return false
  return h("span", { class: "soft" }, ` attempt ${story.attempt}`)
}
