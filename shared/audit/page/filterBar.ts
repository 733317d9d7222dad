import type { AuditReport } from "../auditReport.ts"
import { h } from "./element.ts"
import type { Filter } from "./filter.ts"
import { hostOf, type Row } from "./row.ts"

/** The filter as fields, and what a person has chosen in them. */
export interface FilterBar {
  readonly element: HTMLElement
  /** Offers what the rows have; a choice that they have no more stays until the person changes it. */
  readonly offer: (report: AuditReport, rows: readonly Row[]) => void
  readonly tell: (text: string) => void
}

/** @param onChange - is told of every change at once. */
export function createFilterBar(onChange: (filter: Filter) => void): FilterBar {
  const vault = h("select", { id: "filter-vault" })
  const origin = h("select", { id: "filter-origin" })
  const kind = h("select", { id: "filter-kind" })
  const text = h("input", {
    id: "filter-text",
    type: "search",
    placeholder: "name, version, code",
    autocomplete: "off",
    spellcheck: "false",
  })
  const late = h("input", { id: "filter-late", type: "checkbox" })
  const clear = h("button", { type: "button", id: "filter-clear" }, "Clear")
  const count = h("p", { class: "filter-count", role: "status" })
  const element = h(
    "form",
    { class: "filter", role: "search", "aria-label": "Filter the versions" },
    field("Vault", vault),
    field("Origin", origin),
    field("Kind", kind),
    h("div", { class: "field grow" }, h("label", { for: text.id }, "Text"), text),
    h("div", { class: "field check" }, h("label", { for: late.id }, late, "Late or not protected only")),
    clear,
    count,
  )
  const read = () =>
    onChange({
      vault: vault.value,
      origin: origin.value,
      kind: kind.value,
      isBreachesOnly: late.checked,
      text: text.value,
    })
  element.addEventListener("input", read)
  element.addEventListener("submit", (event) => event.preventDefault())
  clear.addEventListener("click", () => {
    for (const select of [vault, origin, kind]) select.value = ""
    text.value = ""
    late.checked = false
    read()
  })
  return {
    element,
    offer: (report, rows) => {
      offerOptions(
        vault,
        "all vaults",
        report.vaults.map((one) => [one.vault, hostOf(one.vault)]),
      )
      offerOptions(
        origin,
        "all",
        [...new Set(rows.map((row) => row.origin))]
          .sort()
          .map((one) => [one, one === "gap" ? "open gap" : one]),
      )
      offerOptions(kind, "all", [
        ["secret", "secret"],
        ["certificate", "certificate"],
      ])
    },
    tell: (words) => {
      if (count.textContent !== words) count.textContent = words
    },
  }
}

function field(label: string, select: HTMLSelectElement): HTMLElement {
  return h("div", { class: "field" }, h("label", { for: select.id }, label), select)
}

function offerOptions(
  select: HTMLSelectElement,
  all: string,
  options: readonly (readonly [string, string])[],
): void {
  const chosen = select.value
  const wanted =
    options.some(([value]) => value === chosen) || chosen === ""
      ? options
      : [[chosen, chosen] as const, ...options]
  const elements = [["", all] as const, ...wanted].map(([value, words]) => h("option", { value }, words))
  const isSame =
    elements.length === select.options.length &&
    elements.every((element, index) => element.isEqualNode(select.options[index] ?? null))
  if (isSame) return
  select.replaceChildren(...elements)
  select.value = chosen
}
