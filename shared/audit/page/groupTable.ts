import type { AuditGroup, AuditReport } from "../auditReport.ts"
import { h } from "./element.ts"
import { fold } from "./fold.ts"
import { formatDuration } from "./formatDuration.ts"
import { hostOf } from "./row.ts"
import { stageNames } from "./stageWords.ts"

const columns = [
  ["p50", "p50Ms"],
  ["p90", "p90Ms"],
  ["p95", "p95Ms"],
  ["p99", "p99Ms"],
  ["maximum", "maxMs"],
] as const

/** Every group of the report with its percentiles: all vaults first; what was deferred, and each vault, folded. */
export function renderGroups({ groups, vaults }: AuditReport): HTMLElement[] {
  if (groups.length === 0) return [h("p", { class: "empty" }, "Nothing was measured.")]
  const all = groups.filter(({ vault }) => vault === null)
  const isSingle = vaults.length === 1 && all.length > 0
  return [
    ...groupsOf(all, "all vaults"),
    ...(isSingle ? [] : vaults).flatMap(({ vault }) => {
      const own = groups.filter((group) => group.vault === vault)
      return own.length === 0 ? [] : [fold(vault, hostOf(vault), () => groupsOf(own, hostOf(vault)))]
    }),
  ]
}

function groupsOf(groups: readonly AuditGroup[], of: string): HTMLElement[] {
  const whole = groups.filter(({ deferred }) => deferred === null)
  const apart = groups.filter(({ deferred }) => deferred !== null)
  return [
    ...(whole.length > 0 ? [groupTable(whole, `Percentiles of ${of}`)] : []),
    ...(apart.length > 0
      ? [
          fold(`deferred ${of}`, "What was deferred, and what never was", () => [
            groupTable(apart, `Percentiles of ${of}, deferred and never deferred apart`),
          ]),
        ]
      : []),
  ]
}

function groupTable(groups: readonly AuditGroup[], caption: string): HTMLElement {
  const sections = new Map<string, AuditGroup[]>()
  for (const group of groups) {
    const title = titleOf(group)
    sections.set(title, [...(sections.get(title) ?? []), group])
  }
  const table = h(
    "table",
    {},
    h("caption", { class: "visually-hidden" }, caption),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "stage"),
        ...["n", ...columns.map(([name]) => name)].map((name) =>
          h("th", { scope: "col", class: "number" }, name),
        ),
      ),
    ),
    ...[...sections].map(([title, members]) =>
      h(
        "tbody",
        { "data-key": title },
        h("tr", { class: "section" }, h("th", { scope: "rowgroup", colspan: columns.length + 2 }, title)),
        ...members.map(groupRow),
      ),
    ),
  )
  return h(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": caption, "data-key": caption },
    table,
  )
}

function groupRow(group: AuditGroup): HTMLElement {
  const { stage, count, negative, isP99Meaningful } = group
  return h(
    "tr",
    { "data-key": stage },
    h(
      "th",
      { scope: "row" },
      stageNames[stage],
      negative > 0 && h("span", { class: "soft" }, ` (${negative.toLocaleString("en-US")} below 0)`),
    ),
    h("td", { class: "number" }, count.toLocaleString("en-US")),
    ...columns.map(([name, field]) =>
      h(
        "td",
        { class: "number" },
        formatDuration(group[field]),
        name === "p99" &&
          !isP99Meaningful &&
          h("abbr", { title: "fewer than 100 values: this is the maximum" }, "*"),
      ),
    ),
  )
}

function titleOf({ origin, deferred }: AuditGroup): string {
  if (deferred === null) return origin
  return deferred ? `${origin}, deferred` : `${origin}, never deferred`
}
