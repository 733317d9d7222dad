import type { AuditReport } from "../auditReport.ts"
import { h } from "./element.ts"
import { formatDuration } from "./formatDuration.ts"
import { formatSecond } from "./formatTime.ts"
import { levelIcon } from "./icon.ts"
import { relativeTime } from "./relativeTime.ts"
import { hostOf } from "./row.ts"
import { percentileName } from "./tiles.ts"
import { judge } from "./verdict.ts"

/** The first thing to see: up to when everything is protected, how things stand, and of which vault. */
export function renderHero(report: AuditReport): HTMLElement[] {
  const { level, title, reasons } = judge(report)
  return [
    h(
      "div",
      { class: `verdict level-${level}` },
      levelIcon(level),
      h("h2", { id: "state-title", class: "verdict-title" }, title),
      upTo(report),
    ),
    h("ul", { class: "reasons" }, ...reasons.map((reason) => h("li", {}, reason))),
  ]
}

/** The least of what the vaults are protected up to; of a closed period, the period. */
function upTo(report: AuditReport): HTMLElement {
  const { query, vaults } = report
  const times = vaults.flatMap(({ protectedUpTo }) => (protectedUpTo === undefined ? [] : [protectedUpTo]))
  if (query.isClosed || times.length === 0) {
    return h(
      "div",
      { class: "up-to" },
      h("p", { class: "up-to-label" }, "Report of a closed period, up to"),
      h("p", { class: "up-to-time" }, bigTime(query.until)),
      h("p", { class: "soft" }, "What is protected at this moment is not part of it."),
    )
  }
  const known = times.filter((time) => time !== "unknown").sort()
  const label = h("p", { class: "up-to-label" }, "Protected up to")
  if (known.length < times.length) {
    const limits = vaults.flatMap(({ notProtectedAfter }) => notProtectedAfter ?? []).sort()
    return h(
      "div",
      { class: "up-to" },
      label,
      h("p", { class: "up-to-time" }, "unknown"),
      limits[0] !== undefined &&
        h(
          "p",
          { class: "soft" },
          "Surely not later than ",
          h("time", { datetime: limits[0] }, formatSecond(limits[0])),
          " UTC.",
        ),
    )
  }
  const least = known[0] ?? query.until
  const isNow = least === query.until
  return h(
    "div",
    { class: "up-to" },
    label,
    h("p", { class: "up-to-time" }, bigTime(least)),
    h(
      "p",
      { class: "soft" },
      isNow ? "The moment of this report" : "Before this moment every known change is stored",
      relativeTime(least),
    ),
  )
}

function bigTime(time: string): HTMLElement {
  const [day = "", clock = ""] = formatSecond(time).split(" ")
  return h(
    "time",
    { datetime: time },
    h("span", { class: "up-to-day" }, day),
    " ",
    h("span", { class: "up-to-clock" }, clock),
    " ",
    h("span", { class: "up-to-zone" }, "UTC"),
  )
}

/** What is protected of each of several vaults; of a single one the rest of the page tells. */
export function renderVaults(report: AuditReport): HTMLElement[] {
  return report.vaults.length > 1 ? [vaultTable(report)] : []
}

function vaultTable({ vaults, query }: AuditReport): HTMLElement {
  const rows = vaults.map(({ vault, protectedUpTo, records, openGapCount, objective }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", class: "wrap" }, hostOf(vault)),
      h(
        "td",
        { "data-label": "protected up to" },
        protectedUpTo === undefined
          ? "–"
          : protectedUpTo === "unknown"
            ? "unknown"
            : protectedUpTo === query.until
              ? "now"
              : `${formatSecond(protectedUpTo)} UTC`,
      ),
      h("td", { class: "number", "data-label": "stored" }, records.toLocaleString("en-US")),
      h("td", { class: "number", "data-label": "open gaps" }, openGapCount.toLocaleString("en-US")),
      h("td", { class: "number", "data-label": "late" }, objective.breaches.toLocaleString("en-US")),
      h(
        "td",
        { class: "number", "data-label": percentileName(query.objective.percentile) },
        objective.percentileMs === null ? "–" : formatDuration(objective.percentileMs),
      ),
    ),
  )
  return h(
    "table",
    { class: "stacked" },
    h("caption", { class: "visually-hidden" }, "What is protected of each vault"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ...[
          "vault",
          "protected up to",
          "stored",
          "open gaps",
          "late",
          percentileName(query.objective.percentile),
        ].map((name, index) => h("th", { scope: "col", class: index > 1 && "number" }, name)),
      ),
    ),
    h("tbody", {}, ...rows),
  )
}
