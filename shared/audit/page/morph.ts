/**
 * Makes the children of `parent` equal to `wanted` and keeps what is there already: an element of the same tag and
 * `data-key` (or, without a key, at the same place) stays the element it was, so that focus and what a person has
 * opened live through an update.
 */
export function morph(parent: Element, wanted: readonly Node[]): void {
  const focused = document.activeElement
  morphChildren(parent, wanted)
  // Moving an element takes its focus away.
  if (focused instanceof HTMLElement && focused.isConnected && document.activeElement !== focused) {
    focused.focus({ preventScroll: true })
  }
}

function morphChildren(parent: Element, wanted: readonly Node[]): void {
  const keyed = new Map(
    [...parent.children].flatMap((child) => (keyOf(child) ? [[keyOf(child), child]] : [])),
  )
  let place = parent.firstChild
  for (const node of wanted) {
    const key = keyOf(node)
    const candidate = key === undefined ? place : (keyed.get(key) ?? null)
    if (candidate && candidate.nodeName === node.nodeName && keyOf(candidate) === key) {
      if (candidate === place) place = place.nextSibling
      else parent.insertBefore(candidate, place)
      morphNode(candidate, node)
    } else {
      parent.insertBefore(node, place)
    }
  }
  while (place) {
    const next: ChildNode | null = place.nextSibling
    place.remove()
    place = next
  }
}

function morphNode(kept: Node, node: Node): void {
  if (kept.isEqualNode(node)) return
  if (!(kept instanceof Element) || !(node instanceof Element)) {
    kept.nodeValue = node.nodeValue
    return
  }
  for (const name of kept.getAttributeNames()) {
    // Whether a part is open is for the person to say who reads it.
    if (!node.hasAttribute(name) && name !== "open") kept.removeAttribute(name)
  }
  for (const { name, value } of node.attributes) kept.setAttribute(name, value)
  morphChildren(kept, [...node.childNodes])
}

function keyOf(node: Node): string | undefined {
  return node instanceof Element ? (node.getAttribute("data-key") ?? undefined) : undefined
}
