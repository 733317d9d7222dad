import { type Content, h } from "./element.ts"
import { fold } from "./fold.ts"

/** A part of the page with its heading, its words, and a place for what changes with the report. */
export interface Section {
  readonly element: HTMLElement
  readonly body: HTMLElement
}

/** @param id - of the section, for links to it. */
export function createSection(
  id: string,
  title: string,
  words: Content,
  ...more: readonly Content[]
): Section {
  const body = h("div", { class: "section-body" })
  return {
    body,
    element: h(
      "section",
      { id, class: `card ${id}`, "aria-labelledby": `${id}-title` },
      h("h2", { id: `${id}-title` }, title),
      h("p", { class: "soft section-words" }, words),
      ...more,
      body,
    ),
  }
}

/** The figures of a chart as a table, folded: for screen readers, for copying, and for whoever doubts the picture. */
export function chartTable(
  title: string,
  columns: readonly string[],
  rows: () => readonly (readonly Content[])[],
): HTMLElement {
  return fold(title, title, () => [
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": title },
      h(
        "table",
        {},
        h("caption", { class: "visually-hidden" }, title),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...columns.map((name, index) => h("th", { scope: "col", class: index > 0 && "number" }, name)),
          ),
        ),
        h(
          "tbody",
          {},
          ...rows().map(([first, ...cells]) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, first),
              ...cells.map((cell) => h("td", { class: "number" }, cell)),
            ),
          ),
        ),
      ),
    ),
  ])
}
