import type { AuditStory } from "../auditReport.ts"
import { type Content, h } from "./element.ts"
import { formatDuration } from "./formatDuration.ts"
import { formatDay, formatTime } from "./formatTime.ts"
import { levelIcon } from "./icon.ts"
import { relativeTime } from "./relativeTime.ts"
import { hostOf, type Row, stateWords } from "./row.ts"

interface Moment {
  readonly title: string
  readonly time: string | null
  readonly what: Content
  /** Whole seconds only: its distance to the next moment is no measure. */
  readonly isCoarse?: boolean
}

/** One version from its change to its proof: every moment with its time and distance, and what identifies the blob. */
export function renderStory(row: Row, limitMs: number): HTMLElement[] {
  const { name, kind, vault, state, latencyMs, story } = row
  return [
    h(
      "header",
      { class: "story-head" },
      h(
        "div",
        {},
        h("p", { class: "soft" }, `${kind} in ${hostOf(vault)}`),
        h("h2", { id: "story-title", class: "wrap" }, name),
      ),
      h(
        "button",
        { type: "button", class: "close", "data-close": true, "aria-label": "Close the story" },
        "Close",
      ),
    ),
    h(
      "p",
      { class: `story-verdict level-${state === "within" ? "good" : "bad"}` },
      levelIcon(state === "within" ? "good" : "bad"),
      state === "gap"
        ? `Not protected: open for ${formatDuration(latencyMs)}`
        : `${formatDuration(latencyMs)}: ${stateWords[state]} of ${formatDuration(limitMs)}`.replace(
            "late of",
            "later than",
          ),
    ),
    ...(story ? storedStory(row, story) : gapStory(row)),
  ]
}

function storedStory({ key, latencyMs }: Row, story: AuditStory): HTMLElement[] {
  const { times, stages, attempt, replays, origin, kids, sha256, sizeBytes, blob, eventId, isPublicOnly } =
    story
  const day = formatDay(times.witnessedAt)
  const moments: readonly Moment[] = [
    {
      title: "Changed",
      time: times.changedAt,
      what: "the vault created the version (whole seconds)",
      isCoarse: true,
    },
    { title: "Event", time: times.eventAt, what: "Key Vault told Event Grid" },
    { title: "Queued", time: times.enqueuedAt, what: "its first message entered the queue" },
    {
      title: "Received",
      time: times.receivedAt,
      what: `the function got it${attempt > 1 ? `, at attempt ${attempt}` : ""}`,
    },
    { title: "Read", time: times.readAt, what: "the vault answered with exactly this version" },
    { title: "Put", time: times.putAt, what: "sealed, and sent in one request" },
    {
      title: "Witnessed",
      time: times.witnessedAt,
      what: `the storage service created the blob (whole seconds), which bounds the put`,
      isCoarse: true,
    },
  ]
  return [
    momentList(moments, latencyMs),
    h(
      "section",
      { class: "proof", "aria-labelledby": "proof-title" },
      h("h3", { id: "proof-title" }, "Proof"),
      h(
        "p",
        {},
        `The digest of ${day}, signed when that day has ended, covers this entry with all its times. Check it: `,
        h("code", {}, `kvbackup audit --prove ${day}`),
      ),
      facts([
        ["Version", h("code", {}, key)],
        ["Blob", h("code", {}, blob)],
        ["SHA-256 of the blob", h("code", {}, sha256)],
        [
          "Opens with",
          kids.length === 0
            ? "–"
            : h("ul", { class: "ids" }, ...kids.map((kid) => h("li", {}, h("code", {}, kid)))),
        ],
        ["Size", `${sizeBytes.toLocaleString("en-US")} bytes`],
        ["Origin", `${origin}${replays > 0 ? `, replayed ${replays} ×` : ""}`],
        ["Event id", eventId === null ? "–" : h("code", {}, eventId)],
        [
          "All that is ours",
          stages.queueToPut === null ? "–" : `${formatDuration(stages.queueToPut)} from queue to put`,
        ],
        ...(isPublicOnly
          ? ([["Private key", "not in the record: the policy keeps it in the vault"]] as const)
          : []),
      ]),
    ),
  ]
}

function gapStory({ key, gap }: Row): HTMLElement[] {
  if (!gap) return []
  const reasons: Readonly<Record<string, string>> = {
    disabled: "The version is disabled, so its value cannot be read. Enable it; reconcile backs it up then.",
    "value-absent": "The version has no value.",
    gone: "The vault does not have this version any more.",
  }
  return [
    momentList(
      [
        { title: "Changed", time: gap.since, what: "the earliest time that is known of the change" },
        {
          title: "Recorded",
          time: gap.witnessedAt,
          what: "the storage service created the gap record",
          isCoarse: true,
        },
      ],
      0,
    ),
    facts([
      ["Reason", `${gap.reason}: ${reasons[gap.reason] ?? ""}`],
      ["Code", gap.code === undefined ? "–" : h("code", {}, gap.code)],
      ["Version", h("code", {}, key)],
      ["Gap record", h("code", {}, gap.blob)],
    ]),
  ]
}

/** The moments from top to bottom, with what lies between them, and how large a part of the whole that is. */
function momentList(moments: readonly Moment[], wholeMs: number): HTMLElement {
  let before: Moment | undefined
  const items = moments.map((moment) => {
    const { title, time, what } = moment
    const isMeasured = before !== undefined && time !== null && before.time !== null
    const ms = isMeasured ? Date.parse(time) - Date.parse(before?.time ?? "") : undefined
    const isCoarse = moment.isCoarse === true || before?.isCoarse === true
    if (time !== null) before = moment
    return h(
      "li",
      { class: time === null && "absent" },
      h(
        "p",
        { class: "moment" },
        h("strong", {}, title),
        time === null
          ? h("span", { class: "soft" }, "not told")
          : h("time", { datetime: time }, formatTime(time)),
        time !== null && title === "Put" && relativeTime(time),
      ),
      h("p", { class: "soft" }, what),
      ms !== undefined &&
        h(
          "p",
          { class: "between" },
          !isCoarse &&
            wholeMs > 0 &&
            h("meter", {
              class: "share",
              min: 0,
              max: wholeMs,
              value: Math.max(0, ms),
              "aria-hidden": "true",
            }),
          h(
            "span",
            {},
            `${isCoarse ? "about " : ""}${ms < 0 ? formatDuration(ms) : `+${formatDuration(ms)}`}`,
          ),
          ms < 0 && h("span", { class: "soft" }, isCoarse ? " (cut to seconds)" : " (clocks disagree)"),
        ),
    )
  })
  return h("ol", { class: "moments", "aria-label": "From change to proof, times in UTC" }, ...items)
}

function facts(entries: readonly (readonly [string, Content])[]): HTMLElement {
  return h(
    "dl",
    { class: "facts" },
    ...entries.map(([term, detail]) => h("div", {}, h("dt", {}, term), h("dd", {}, detail))),
  )
}
