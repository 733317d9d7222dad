import type { AuditReport } from "../auditReport.ts"
import { hintOf } from "../problems.ts"
import { h } from "./element.ts"
import { fold } from "./fold.ts"
import { levelIcon } from "./icon.ts"

/** What the report could not tell, or found that it does not count; nothing when there is nothing of the kind. */
export function renderProblems({ complete, problems, otherVaults }: AuditReport): HTMLElement[] {
  if (complete && problems.length === 0 && otherVaults.length === 0) return []
  return [
    h(
      "div",
      { class: `banner level-${complete ? "warn" : "unknown"}` },
      levelIcon(complete ? "warn" : "unknown"),
      h(
        "div",
        {},
        h("h2", { id: "problems-title" }, complete ? "To look at" : "This report is incomplete"),
        !complete && h("p", {}, "Figures below are what could be read. They are not the whole."),
        h(
          "ul",
          { class: "problems" },
          ...problems.map(({ code, message, count, samples }) =>
            h(
              "li",
              { "data-key": code },
              h("code", {}, code),
              ` ${message}`,
              count > 1 && ` (${count.toLocaleString("en-US")})`,
              hint(code),
              samples.length > 0 &&
                fold(
                  `samples ${code}`,
                  samples.length < count ? `the first ${samples.length}` : "which",
                  () => [
                    h("ul", { class: "ids" }, ...samples.map((sample) => h("li", {}, h("code", {}, sample)))),
                  ],
                ),
            ),
          ),
          ...otherVaults.map(({ vault, records, gaps }) =>
            h(
              "li",
              { "data-key": vault },
              "The store also holds ",
              h("code", {}, vault),
              `, which nobody asked about: ${records.toLocaleString("en-US")} records, ${gaps.toLocaleString("en-US")} gap records`,
            ),
          ),
        ),
      ),
    ),
  ]
}

function hint(code: string): HTMLElement | false {
  const words = hintOf(code)
  return words !== undefined && h("p", { class: "soft" }, `Try: ${words}`)
}
