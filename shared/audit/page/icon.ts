import { svg } from "./element.ts"
import type { Level } from "./verdict.ts"

const outlines: Readonly<Record<Level, readonly string[]>> = {
  // A disc with a tick, a triangle and an octagon with a mark of exclamation, a diamond with a question mark.
  good: ["M16 2a14 14 0 1 1 0 28a14 14 0 0 1 0-28z", "M9.5 16.5l4.5 4.5l8.5-9.5"],
  warn: ["M16 3L30.5 28.5H1.5z", "M16 12v8M16 23.6v.8"],
  bad: ["M10.2 2h11.6L30 10.2v11.6L21.8 30H10.2L2 21.8V10.2z", "M16 8.5v9.5M16 22.2v.8"],
  unknown: [
    "M16 1.5L30.5 16L16 30.5L1.5 16z",
    "M12.6 12.6a3.5 3.5 0 1 1 5 3.2c-1.1.6-1.6 1.2-1.6 2.4M16 21.6v.8",
  ],
}

/** The shape of a level, beside its word. */
export function levelIcon(level: Level): SVGElement {
  const [shape, sign] = outlines[level]
  return svg(
    "svg",
    { class: `icon level-${level}`, viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" },
    svg("path", { class: "icon-shape", d: shape ?? "" }),
    svg("path", { class: "icon-sign", d: sign ?? "" }),
  )
}
