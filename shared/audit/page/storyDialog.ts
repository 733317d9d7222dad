import { h } from "./element.ts"
import { morph } from "./morph.ts"
import type { Row } from "./row.ts"
import { renderStory } from "./story.ts"

/** The one story that is open, over the page; its version stands in the address, so that it can be handed on. */
export interface StoryDialog {
  readonly element: HTMLDialogElement
  readonly open: (key: string) => void
  /** Shows what a newer report says of the open story; one that it does not name any more stays as it was. */
  readonly update: (rows: readonly Row[], limitMs: number) => void
}

const addressPrefix = "#version="

export function createStoryDialog(): StoryDialog {
  const body = h("div", { class: "story" })
  const element = h("dialog", { "aria-labelledby": "story-title" }, body)
  let rows: readonly Row[] = []
  let limitMs = 0
  let key: string | undefined
  const show = () => {
    const row = rows.find((one) => one.key === key)
    if (row) morph(body, renderStory(row, limitMs))
    return row !== undefined
  }
  const open = (wanted: string) => {
    key = wanted
    if (!show()) return
    history.replaceState(undefined, "", `${addressPrefix}${encodeURIComponent(wanted)}`)
    if (!element.open) element.showModal()
    element.scrollTop = 0
  }
  element.addEventListener("click", (event) => {
    const isOutside = event.target === element
    if (isOutside || (event.target instanceof Element && event.target.closest("[data-close]")))
      element.close()
  })
  element.addEventListener("close", () => {
    key = undefined
    history.replaceState(undefined, "", location.pathname + location.search)
  })
  const openAddressed = () => {
    if (location.hash.startsWith(addressPrefix)) open(decoded(location.hash.slice(addressPrefix.length)))
  }
  window.addEventListener("hashchange", openAddressed)
  return {
    element,
    open,
    update: (newer, newerLimitMs) => {
      const isFirst = rows.length === 0
      rows = newer
      limitMs = newerLimitMs
      if (key !== undefined) show()
      else if (isFirst) openAddressed()
    },
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
