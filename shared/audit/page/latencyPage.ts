import type { AuditReport } from "../auditReport.ts"
import { describeUpdate } from "./announce.ts"
import { renderCauses } from "./causeList.ts"
import { createChartFrame } from "./chartFrame.ts"
import { distributionTable, stageTable, timelineTable } from "./chartTables.ts"
import { distributionOf, drawDistribution } from "./distributionChart.ts"
import { h } from "./element.ts"
import { applyFilter, isFiltering, noFilter } from "./filter.ts"
import { createFilterBar } from "./filterBar.ts"
import { formatDuration } from "./formatDuration.ts"
import { formatSecond } from "./formatTime.ts"
import { renderGaps } from "./gapList.ts"
import { renderGroups } from "./groupTable.ts"
import { renderHero, renderVaults } from "./hero.ts"
import { morph } from "./morph.ts"
import { preparePrinting } from "./printing.ts"
import { renderProblems } from "./problemList.ts"
import { type Row, rowsOf } from "./row.ts"
import { createSection } from "./section.ts"
import { drawStages, slowestOf } from "./stageChart.ts"
import { latencyStages } from "./stageWords.ts"
import { createStoryDialog } from "./storyDialog.ts"
import { percentileName, renderTiles } from "./tiles.ts"
import { drawTimeline, markLabel } from "./timelineChart.ts"
import { renderVersions, type SortOrder } from "./versionTable.ts"

/** The page in the document. */
export interface LatencyPage {
  /** Shows another report in the place of the present one: filter, focus, folds and the open story stay. */
  readonly update: (report: AuditReport) => void
  /** Where the page tells how fresh it is. */
  readonly corner: HTMLElement
}

/** How many marks the timeline has at most: the slowest, of those that pass the filter. */
const mostMarks = 1000

/** Builds the page into `body`. */
export function createLatencyPage(body: HTMLElement, first: AuditReport): LatencyPage {
  let report = first
  let rows: readonly Row[] = rowsOf(first)
  let filter = noFilter
  let order: SortOrder = { by: "latency", isDescending: true }
  let isUnfolded = false

  const head = h("dl", { class: "report-facts" })
  const corner = h("div")
  const hero = h("section", { id: "state", class: "card hero", "aria-label": "State" })
  const tiles = h("ul", { class: "tiles" })
  const problems = h("div", { id: "problems" })
  const announcement = h("p", { class: "visually-hidden", "aria-live": "polite" })
  const filterBar = createFilterBar((chosen) => {
    filter = chosen
    showRows()
  })
  const story = createStoryDialog()
  const timeline = createSection(
    "timeline",
    "Latency over time",
    "From the event to the backup, by the time of storing. Bars: all versions. Marks: open gaps and the slowest; open one for its story.",
    timelineLegend(),
  )
  const distribution = createSection(
    "distribution",
    "How latencies are spread",
    "Bars: share of versions in each bin. Line: share stored within that time. All versions of the objective, whatever the filter.",
  )
  const slowest = createSection(
    "slowest",
    "Where the slowest lost their time",
    "One bar for each version, cut by stage.",
    stageLegend(),
  )
  const vaults = createSection("vaults", "Vault by vault", "What is protected of each, and how late it was.")
  const gaps = createSection("gaps", "Open gaps", "Versions that are known and not stored.")
  const causes = createSection(
    "causes",
    "Not through yet, by cause",
    "What the queues hold that is not simply on its way.",
  )
  const versions = createSection(
    "versions",
    "Versions",
    "Open gaps and the slowest. kvbackup audit --format csv has all.",
  )
  const groups = createSection(
    "groups",
    "Percentiles by stage and origin",
    "Raw differences of clocks, nearest rank. * fewer than 100 values: that p99 is the maximum.",
  )
  const readout = h("p", { class: "readout soft" })
  const tell = (key: string | undefined) => {
    const row = rows.find((one) => one.key === key)
    readout.textContent = row ? markLabel(row) : hint
  }
  readout.textContent = hint
  const frameOf = (section: { readonly body: HTMLElement }, onPoint: (key: string | undefined) => void) => {
    const place = h("div", { class: "chart" })
    section.body.append(place)
    return createChartFrame(place, { onPoint, onOpen: story.open })
  }
  const timelineFrame = frameOf(timeline, tell)
  const timelineFigures = h("div")
  timeline.body.append(readout, timelineFigures)
  const distributionFrame = frameOf(distribution, () => {})
  const distributionFigures = h("div")
  distribution.body.append(distributionFigures)
  const stageFrame = frameOf(slowest, () => {})
  const stageFigures = h("div")
  slowest.body.append(stageFigures)

  const main = h(
    "main",
    { id: "main", tabindex: -1 },
    problems,
    h("div", { class: "lead" }, hero, h("section", { "aria-label": "Figures" }, tiles)),
    announcement,
    vaults.element,
    filterBar.element,
    timeline.element,
    h("div", { class: "pair" }, distribution.element, slowest.element),
    h("div", { class: "pair" }, gaps.element, causes.element),
    versions.element,
    groups.element,
  )
  body.replaceChildren(
    h("a", { class: "skip", href: "#main" }, "Skip to the report"),
    h(
      "header",
      { class: "masthead" },
      h("div", {}, h("h1", {}, "Key Vault backup: when was it protected?"), head),
      corner,
    ),
    main,
    h("footer", { class: "soft" }, "All times are UTC. What each figure means: docs/audit.md."),
    story.element,
  )
  preparePrinting(main, story.element)
  body.addEventListener("click", ({ target }) => {
    const button =
      target instanceof Element ? target.closest("[data-story], [data-sort], [data-unfold]") : null
    const key = button?.getAttribute("data-story")
    const by = sortKey(button?.getAttribute("data-sort"))
    if (key) story.open(key)
    if (button?.hasAttribute("data-unfold")) {
      isUnfolded = !isUnfolded
      showRows()
    }
    if (by) {
      order = { by, isDescending: order.by === by ? !order.isDescending : by !== "name" }
      showRows()
    }
  })

  function showRows(): void {
    const shown = applyFilter(rows, filter)
    const marked = shown.slice(0, mostMarks)
    const isQuiet = report.timeline.length === 0 && rows.length === 0
    timeline.element.classList.toggle("is-empty", isQuiet)
    timelineFrame.draw((width) =>
      isQuiet
        ? h("p", { class: "empty" }, "Nothing was stored in this period: idle is not lag.")
        : drawTimeline(report, marked, width),
    )
    const slow = slowestOf(shown)
    slowest.element.classList.toggle("is-empty", slow.length === 0)
    stageFrame.draw((width) =>
      slow.length === 0
        ? h("p", { class: "empty" }, "No stored version to show.")
        : drawStages(slow, report.query.objective.limitMs, width),
    )
    morph(stageFigures, slow.length === 0 ? [] : [stageTable(slow)])
    morph(versions.body, renderVersions(shown, { order, isManyVaults: report.vaults.length > 1, isUnfolded }))
    const all = rows.length.toLocaleString("en-US")
    filterBar.tell(
      isFiltering(filter) ? `${shown.length.toLocaleString("en-US")} of ${all} versions` : `${all} versions`,
    )
  }
  function show(): void {
    morph(head, reportFacts(report))
    morph(problems, renderProblems(report))
    morph(hero, renderHero(report))
    morph(tiles, renderTiles(report))
    vaults.element.hidden = report.vaults.length < 2
    morph(vaults.body, renderVaults(report))
    filterBar.offer(report, rows)
    const bins = distributionOf(report)
    distributionFrame.draw((width) =>
      bins.length === 0
        ? h("p", { class: "empty" }, "Nothing was measured.")
        : drawDistribution(report, bins, width),
    )
    morph(distributionFigures, bins.length === 0 ? [] : [distributionTable(bins)])
    morph(timelineFigures, report.timeline.length === 0 ? [] : [timelineTable(report)])
    morph(gaps.body, renderGaps(report, rows))
    morph(causes.body, renderCauses(report.queues))
    morph(groups.body, renderGroups(report))
    showRows()
    story.update(rows, report.query.objective.limitMs)
  }
  show()
  return {
    corner,
    update: (next) => {
      const before = { report, rows }
      report = next
      rows = rowsOf(next)
      show()
      const words = describeUpdate(before, { report, rows })
      if (words !== undefined) announcement.textContent = words
    },
  }
}

const hint = "Point at a mark, or step to it with Tab and the arrow keys; Enter opens its story."

function sortKey(text: string | null | undefined): SortOrder["by"] | undefined {
  return text === "name" || text === "at" || text === "latency" ? text : undefined
}

function reportFacts({ query, vaults }: AuditReport): HTMLElement[] {
  const { percentile, limitMs } = query.objective
  const period = `${query.since === undefined ? "all" : `${formatSecond(query.since)}`} to ${formatSecond(query.until)} UTC`
  const [only] = vaults
  return [
    ["Period", period],
    ["Objective", `${percentileName(percentile)} within ${formatDuration(limitMs)}`],
    [
      vaults.length === 1 ? "Vault" : "Vaults",
      vaults.length === 1 ? (only?.vault ?? "") : String(vaults.length),
    ],
  ].map(([term, detail]) => h("div", {}, h("dt", {}, term), h("dd", {}, detail)))
}

function timelineLegend(): HTMLElement {
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

function stageLegend(): HTMLElement {
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
