import { h } from "./element.ts"
import { formatAge } from "./formatDuration.ts"

let clock: (() => number) | undefined

/** From here on ages are shown, computed at the moment of viewing. Without it a page never tells one: a file is old. */
export function showAges(now: () => number): void {
  clock = now
}

/** ` · 12 s ago` where ages are shown, else nothing. `refreshAges` keeps it true. */
export function relativeTime(time: string): HTMLElement | false {
  return clock !== undefined && h("span", { class: "age", "data-age-of": time }, ageOf(time, clock()))
}

/** Computes every age below `root` anew. */
export function refreshAges(root: ParentNode): void {
  if (!clock) return
  for (const element of root.querySelectorAll("[data-age-of]")) {
    const text = ageOf(element.getAttribute("data-age-of") ?? "", clock())
    if (element.textContent !== text) element.textContent = text
  }
}

function ageOf(time: string, now: number): string {
  return ` · ${formatAge(now - Date.parse(time))} ago`
}
