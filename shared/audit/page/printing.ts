import { unfoldAll } from "./fold.ts"

/**
 * On paper everything is to be read: what is folded is opened while the page prints, and an open story is printed after
 * the report instead of over it.
 *
 * @param show - makes what is folded anew.
 */
export function preparePrinting(main: Element, story: HTMLDialogElement, show: () => void): void {
  let copy: Element | undefined
  const end = () => {
    copy?.remove()
    copy = undefined
  }
  window.addEventListener("beforeprint", () => {
    end()
    unfoldAll(true)
    show()
    if (!story.open) return
    copy = document.createElement("section")
    copy.className = "card printed-story"
    copy.append(...[...story.childNodes].map((node) => node.cloneNode(true)))
    for (const element of copy.querySelectorAll("[id]")) element.removeAttribute("id")
    main.append(copy)
  })
  window.addEventListener("afterprint", () => {
    end()
    unfoldAll(false)
    show()
  })
}
