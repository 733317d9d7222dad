import { plot, type PlotOptions } from "@observablehq/plot"

/** One thing that a chart shows and a person can open. */
export interface Mark {
  /** Names it, the same after an update. */
  readonly key: string
  /** What a screen reader says of it. */
  readonly label: string
}

/**
 * Draws a chart by the library, as this page's policy and its readers need it: no style element and no inline style
 * sheet, axes out of the way of screen readers (each chart has a table), and marks that can be named and opened.
 *
 * @param marks - in the order of the data behind the marks of the class `marks`.
 */
export function drawChart(
  options: PlotOptions,
  label: string,
  marks: readonly Mark[] = [],
): SVGElement | HTMLElement {
  const drawing = plot({ ...options, className: "plot" })
  drawing.querySelector("style")?.remove()
  drawing.setAttribute("role", marks.length > 0 ? "group" : "img")
  drawing.setAttribute("aria-label", label)
  for (const group of drawing.children) {
    if (group.classList.contains("marks")) nameMarks(group, marks)
    else group.setAttribute("aria-hidden", "true")
  }
  return drawing
}

function nameMarks(group: Element, marks: readonly Mark[]): void {
  for (const element of group.querySelectorAll("*")) {
    // The library leaves the index of the datum at each element, as D3 does.
    const index = (element as { ["__data__"]?: unknown })["__data__"]
    const mark = typeof index === "number" ? marks[index] : undefined
    if (!mark) continue
    element.setAttribute("data-key", mark.key)
    element.setAttribute("role", "button")
    element.setAttribute("aria-label", mark.label)
    element.setAttribute("tabindex", "-1")
  }
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const steps: readonly (readonly [number, string])[] = [
  [1, "1 ms"],
  [10, "10 ms"],
  [100, "100 ms"],
  [second, "1 s"],
  [10 * second, "10 s"],
  [minute, "1 min"],
  [10 * minute, "10 min"],
  [hour, "1 h"],
  [6 * hour, "6 h"],
  [day, "1 d"],
  [7 * day, "7 d"],
  [30 * day, "30 d"],
  [365 * day, "1 y"],
]

/** A logarithmic axis of durations that has room for all of `valuesMs`: its domain, and ticks that people know. */
export function durationScale(valuesMs: readonly number[]): {
  readonly domain: [number, number]
  readonly ticks: number[]
  readonly format: (ms: number) => string
} {
  const shown = valuesMs.map(atLeastOne)
  const least = shown.reduce((one, other) => Math.min(one, other), Infinity)
  const most = shown.reduce((one, other) => Math.max(one, other), 1)
  const from = steps.findLast(([ms]) => ms <= least)?.[0] ?? 1
  const to = steps.find(([ms]) => ms >= most)?.[0] ?? most
  const ticks = steps.map(([ms]) => ms).filter((ms) => ms >= from && ms <= to)
  const words = new Map(steps)
  return { domain: [from, Math.max(to, from * 10)], ticks, format: (ms) => words.get(ms) ?? "" }
}

/** A logarithmic axis has no zero, and what a clock set wrong makes negative counts as nothing. */
export function atLeastOne(ms: number): number {
  return Math.max(1, ms)
}
