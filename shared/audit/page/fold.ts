import { type Content, h } from "./element.ts"

const opened = new Set<string>()
let isAllOpen = false

/**
 * A part that is folded until a person opens it. Its content is made only then, since most are never opened, and on paper
 * all are.
 *
 * @param key - names it on this page, the same after an update.
 */
export function fold(key: string, title: string, content: () => readonly Content[]): HTMLElement {
  const isOpen = isAllOpen || opened.has(key)
  return h(
    "details",
    { "data-key": key, "data-fold": key, open: isOpen },
    h("summary", {}, title),
    ...(isOpen ? content() : []),
  )
}

/** Is everything to be there, for printing? */
export function isEverythingOpen(): boolean {
  return isAllOpen
}

/** @param show - makes the page anew, with what is open now. */
export function watchFolds(body: HTMLElement, show: () => void): void {
  // The event does not bubble.
  body.addEventListener(
    "toggle",
    ({ target }) => {
      const key = target instanceof HTMLDetailsElement ? target.dataset["fold"] : undefined
      if (key === undefined || isAllOpen || !(target instanceof HTMLDetailsElement)) return
      if (target.open === opened.has(key)) return
      if (target.open) opened.add(key)
      else opened.delete(key)
      show()
    },
    { capture: true },
  )
}

/** Opens all that is folded, or folds again what a person had folded. Call what makes the page anew after it. */
export function unfoldAll(isAll: boolean): void {
  isAllOpen = isAll
  if (isAll) return
  for (const details of document.querySelectorAll<HTMLDetailsElement>("details[data-fold]")) {
    details.open = opened.has(details.dataset["fold"] ?? "")
  }
}
