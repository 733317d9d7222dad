import { h } from "./element.ts"
import { latencyStages } from "./stageWords.ts"

/** What the marks of the timeline mean; each mark also says it itself, so this is for the eye alone. */
export function timelineLegend(): HTMLElement {
  return h(
    "ul",
    { class: "legend", "aria-hidden": "true" },
    ...[
      ["within", "within the objective"],
      ["late", "late"],
      ["gap", "not protected"],
      ["band", "p50 to maximum of all"],
      ["p99", "p99"],
    ].map(([name, words]) => h("li", {}, h("span", { class: `swatch swatch-${name}` }), words)),
  )
}

/** Which colour stands for which stage, and what happens in it. */
export function stageLegend(): HTMLElement {
  return h(
    "ul",
    { class: "legend" },
    ...latencyStages.map(({ stage, name, what }) =>
      h(
        "li",
        {},
        h("span", { class: `swatch swatch-${stage}`, "aria-hidden": "true" }),
        `${name} `,
        h("span", { class: "soft" }, `(${what})`),
      ),
    ),
  )
}
