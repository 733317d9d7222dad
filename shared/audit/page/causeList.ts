import type { AuditQueues } from "../auditReport.ts"
import { h } from "./element.ts"
import { formatSecond } from "./formatTime.ts"
import { relativeTime } from "./relativeTime.ts"

const kinds = [
  {
    title: "Dead letters",
    pick: ({ deadLetteredBy }: AuditQueues) => deadLetteredBy,
    advice: "The broker gave up on them. kvbackup replay --from dead-letter plans what to do.",
  },
  {
    title: "Quarantine",
    pick: ({ quarantinedBy }: AuditQueues) => quarantinedBy,
    advice: "Only a person can decide about them. kvbackup replay --from quarantine lists them.",
  },
  {
    title: "Deferred",
    pick: ({ deferredBy }: AuditQueues) => deferredBy,
    advice: "They are tried again by themselves.",
  },
] as const

/** What did not get through, by cause, the most frequent first. */
export function renderCauses(queues: AuditQueues | undefined): HTMLElement[] {
  if (!queues) return [h("p", { class: "empty" }, "The queues are not part of a report of a closed period.")]
  const lists = kinds
    .map(({ title, pick, advice }) => ({ title, causes: pick(queues), advice }))
    .filter(({ causes }) => causes.length > 0)
  const incomplete = queues.complete
    ? []
    : [
        h(
          "p",
          { class: "note" },
          "There are more messages than were looked at; each figure is the least there are.",
        ),
      ]
  if (lists.length === 0)
    return [...incomplete, h("p", { class: "empty" }, "No dead letter, none in quarantine, none deferred.")]
  return [
    ...incomplete,
    ...lists.map(({ title, causes, advice }) => {
      const most = Math.max(...causes.map(({ count }) => count))
      return h(
        "div",
        { class: "cause-group", "data-key": title },
        h("h3", {}, title),
        h("p", { class: "soft" }, advice),
        h(
          "table",
          { class: "stacked" },
          h("caption", { class: "visually-hidden" }, `${title} by cause`),
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              h("th", { scope: "col" }, "cause"),
              h("th", { scope: "col", class: "number" }, "messages"),
              h("th", { scope: "col" }, title === "Deferred" ? "tried again" : "oldest since"),
            ),
          ),
          h(
            "tbody",
            {},
            ...causes.map(({ cause, count, oldest, next }) => {
              const time = title === "Deferred" ? next : oldest
              return h(
                "tr",
                { "data-key": cause },
                h("th", { scope: "row", class: "wrap" }, h("code", {}, cause)),
                h(
                  "td",
                  { class: "number", "data-label": "messages" },
                  count.toLocaleString("en-US"),
                  h("meter", { class: "share", min: 0, max: most, value: count, "aria-hidden": "true" }),
                ),
                h(
                  "td",
                  { "data-label": title === "Deferred" ? "tried again" : "oldest since" },
                  time === undefined ? "–" : h("time", { datetime: time }, `${formatSecond(time)} UTC`),
                  time !== undefined && title !== "Deferred" && relativeTime(time),
                ),
              )
            }),
          ),
        ),
      )
    }),
  ]
}
