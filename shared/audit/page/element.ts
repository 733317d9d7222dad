/** What stands inside an element: text goes in as text, never as markup; nothing for `undefined`, `null`, `false`. */
export type Content = Node | string | number | false | null | undefined | readonly Content[]

/** Attributes by name: `true` stands for an empty one, `false` and `undefined` leave it out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * Makes an element. The only way by which this page turns names, codes and other foreign text into what is shown:
 * attributes and text nodes, so none of it is ever read as markup.
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  setAttributes(element, attributes)
  appendContent(element, content)
  return element
}

/** As `h`, for SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...content: readonly Content[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag)
  setAttributes(element, attributes)
  appendContent(element, content)
  return element
}

function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    element.setAttribute(name, value === true ? "" : String(value))
  }
}

function appendContent(parent: Element, content: readonly Content[]): void {
  for (const item of content) {
    if (Array.isArray(item)) appendContent(parent, item)
    else if (item instanceof Node) parent.append(item)
    else if (typeof item === "string" || typeof item === "number") parent.append(String(item))
  }
}
