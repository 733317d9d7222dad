/** A chart in its place on the page. */
export interface ChartFrame {
  /**
   * Draws the chart anew with what `render` knows; the mark that had the focus has it again.
   *
   * @param data - what the drawing is of. The same data as before leaves it alone, with the tip that a person reads.
   */
  readonly draw: (data: unknown, render: (width: number) => SVGElement | HTMLElement) => void
}

/** What a chart wants to be told of its marks. */
export interface MarkHandlers {
  /** A person points at or steps to a mark, or leaves it (`undefined`). */
  readonly onPoint: (key: string | undefined) => void
  /** Click, or Enter or space. */
  readonly onOpen: (key: string) => void
}

const leastWidth = 260

/**
 * Keeps a chart in `container` as wide as that is. Marks are elements with `data-key`; they are one stop of the Tab
 * key together, and the arrow keys, Home and End go from one to the next.
 */
export function createChartFrame(container: HTMLElement, handlers?: MarkHandlers): ChartFrame {
  let render: ((width: number) => SVGElement | HTMLElement) | undefined
  let drawnWidth = 0
  let drawnData: string | undefined
  const redraw = () => {
    if (!render || container.clientWidth === 0) return
    drawnWidth = container.clientWidth
    const focused = container.contains(document.activeElement)
      ? document.activeElement?.getAttribute("data-key")
      : undefined
    container.replaceChildren(render(Math.max(leastWidth, drawnWidth)))
    const marks = marksOf(container)
    const stop = marks.find((mark) => mark.getAttribute("data-key") === focused) ?? marks[0]
    stop?.setAttribute("tabindex", "0")
    if (focused !== undefined && stop?.getAttribute("data-key") === focused) {
      stop?.focus({ preventScroll: true })
    }
  }
  // A printed page has another width; there the drawing scales.
  new ResizeObserver(() => {
    if (container.clientWidth !== drawnWidth && !matchMedia("print").matches) redraw()
  }).observe(container)
  if (handlers) listen(container, handlers)
  return {
    draw: (data, next) => {
      const wanted = JSON.stringify(data)
      render = next
      if (wanted !== drawnData || drawnWidth === 0) redraw()
      drawnData = wanted
    },
  }
}

function listen(container: HTMLElement, { onPoint, onOpen }: MarkHandlers): void {
  container.addEventListener("click", (event) => {
    // What the tip shows opens, also where another mark lies above it.
    const key = pointedKey(container) ?? keyAt(event.target)
    if (key !== undefined) onOpen(key)
  })
  // The library would pin its tip on a press; here a press opens the story.
  container.addEventListener("pointerdown", (event) => event.stopPropagation(), { capture: true })
  container.addEventListener("input", () => onPoint(pointedKey(container)))
  container.addEventListener("focusin", (event) => onPoint(keyAt(event.target)))
  container.addEventListener("focusout", () => onPoint(undefined))
  container.addEventListener("keydown", (event) => {
    const key = keyAt(event.target)
    if (key === undefined) return
    if (event.key === "Enter" || event.key === " ") onOpen(key)
    else if (!step(container, event.key)) return
    event.preventDefault()
  })
}

/** @returns whether `key` is one that goes from mark to mark. */
function step(container: HTMLElement, key: string): boolean {
  const marks = marksOf(container)
  const at = marks.indexOf(document.activeElement as SVGElement)
  const targets: Readonly<Record<string, number>> = {
    ArrowRight: at + 1,
    ArrowDown: at + 1,
    ArrowLeft: at - 1,
    ArrowUp: at - 1,
    Home: 0,
    End: marks.length - 1,
  }
  const target = targets[key]
  if (target === undefined) return false
  const mark = marks[target]
  if (mark) {
    marks[at]?.setAttribute("tabindex", "-1")
    mark.setAttribute("tabindex", "0")
    mark.focus()
  }
  return true
}

function marksOf(container: HTMLElement): SVGElement[] {
  return [...container.querySelectorAll<SVGElement>("[data-key]")]
}

function keyAt(target: EventTarget | null): string | undefined {
  return target instanceof Element
    ? (target.closest("[data-key]")?.getAttribute("data-key") ?? undefined)
    : undefined
}

/** What the library says is nearest to the pointer. */
function pointedKey(container: HTMLElement): string | undefined {
  const { value } = (container.firstElementChild ?? {}) as { value?: { key?: unknown } | null }
  return typeof value?.key === "string" ? value.key : undefined
}
