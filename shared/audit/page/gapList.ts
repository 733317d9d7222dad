import type { AuditReport } from "../auditReport.ts"
import { h } from "./element.ts"
import { fold } from "./fold.ts"
import { formatDuration } from "./formatDuration.ts"
import { formatSecond } from "./formatTime.ts"
import { hostOf, type Row } from "./row.ts"

const shownAtMost = 20

/** The versions that are known and not stored, the longest open first, each a way to its story. */
export function renderGaps(report: AuditReport, rows: readonly Row[]): HTMLElement[] {
  const gaps = rows.filter(({ state }) => state === "gap")
  const total = report.vaults.reduce((sum, { openGapCount }) => sum + openGapCount, 0)
  const publicOnly = report.vaults.flatMap((vault) => vault.publicOnly)
  const publicOnlyTotal = report.vaults.reduce((sum, { publicOnlyCount }) => sum + publicOnlyCount, 0)
  return [
    total === 0
      ? h("p", { class: "empty" }, "No gap: no version is known that is not stored.")
      : h("ul", { class: "gap-list" }, ...gaps.slice(0, shownAtMost).map(gapItem)),
    ...(total > Math.min(gaps.length, shownAtMost)
      ? [
          h(
            "p",
            { class: "note" },
            `${(total - Math.min(gaps.length, shownAtMost)).toLocaleString("en-US")} more; kvbackup audit --format csv lists all.`,
          ),
        ]
      : []),
    ...(publicOnlyTotal === 0
      ? []
      : [
          fold("publicOnly", `${publicOnlyTotal.toLocaleString("en-US")} with the public part only`, () => [
            h(
              "p",
              { class: "soft" },
              "The policy of these certificates keeps the private key in the vault, so no backup can hold it.",
            ),
            h("ul", { class: "ids" }, ...publicOnly.map((id) => h("li", {}, h("code", {}, id)))),
          ]),
        ]),
  ]
}

function gapItem({ key, name, kind, vault, latencyMs, gap }: Row): HTMLElement {
  return h(
    "li",
    { "data-key": key },
    h("button", { class: "link", "data-story": key, type: "button" }, name),
    h("span", { class: "soft" }, ` ${kind} in ${hostOf(vault)}`),
    h(
      "p",
      {},
      h("strong", {}, gap?.reason ?? ""),
      gap?.code === undefined ? "" : h("code", { class: "code" }, gap.code),
      gap && ` open for ${formatDuration(latencyMs)}, since ${formatSecond(gap.since)} UTC`,
    ),
  )
}
