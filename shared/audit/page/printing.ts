/**
 * On paper everything is to be read: what is folded is opened while the page prints, and an open story is printed after
 * the report instead of over it.
 */
export function preparePrinting(main: Element, story: HTMLDialogElement): void {
  let opened: HTMLDetailsElement[] = []
  let copy: Element | undefined
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details")].filter((details) => !details.open)
    for (const details of opened) details.open = true
    copy?.remove()
    copy = undefined
    if (!story.open) return
    copy = document.createElement("section")
    copy.className = "card printed-story"
    copy.append(...[...story.childNodes].map((node) => node.cloneNode(true)))
    for (const element of copy.querySelectorAll("[id]")) element.removeAttribute("id")
    main.append(copy)
  })
  window.addEventListener("afterprint", () => {
    for (const details of opened) details.open = false
    opened = []
    copy?.remove()
    copy = undefined
  })
}
