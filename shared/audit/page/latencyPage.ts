import type { AuditReport } from "../auditReport.ts"
import { describeUpdate } from "./announce.ts"
import { renderCauses } from "./causeList.ts"
import { type ChartFrame, createChartFrame } from "./chartFrame.ts"
import { distributionTable, stageTable, timelineTable } from "./chartTables.ts"
import { distributionOf, drawDistribution } from "./distributionChart.ts"
import { h } from "./element.ts"
import { applyFilter, isFiltering, noFilter } from "./filter.ts"
import { createFilterBar } from "./filterBar.ts"
import { isEverythingOpen, watchFolds } from "./fold.ts"
import { renderGaps } from "./gapList.ts"
import { renderGroups } from "./groupTable.ts"
import { renderHero, renderVaults } from "./hero.ts"
import { stageLegend, timelineLegend } from "./legend.ts"
import { morph } from "./morph.ts"
import { preparePrinting } from "./printing.ts"
import { renderProblems } from "./problemList.ts"
import { reportFacts } from "./reportFacts.ts"
import { type Row, rowsOf } from "./row.ts"
import { createSection, type Section } from "./section.ts"
import { drawStages, slowestOf } from "./stageChart.ts"
import { createStoryDialog } from "./storyDialog.ts"
import { renderTiles } from "./tiles.ts"
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
  let shown = rows

  const head = h("dl", { class: "report-facts" })
  const corner = h("div")
  const hero = h("section", { id: "state", class: "card hero", "aria-labelledby": "state-title" })
  const tiles = h("ul", { class: "tiles" })
  const problems = h("div", { id: "problems" })
  const announcement = h("p", { class: "visually-hidden", "aria-live": "polite" })
  const filterBar = createFilterBar((chosen) => {
    filter = chosen
    showFiltered()
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
    h(
      "div",
      { class: "lead" },
      hero,
      h(
        "section",
        { "aria-labelledby": "figures-title" },
        h("h2", { id: "figures-title", class: "visually-hidden" }, "Figures"),
        tiles,
      ),
    ),
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
  preparePrinting(main, story.element, showTables)
  watchFolds(main, showTables)
  body.addEventListener("click", ({ target }) => {
    const button =
      target instanceof Element ? target.closest("[data-story], [data-sort], [data-unfold]") : null
    const key = button?.getAttribute("data-story")
    const by = sortKey(button?.getAttribute("data-sort"))
    if (key) story.open(key)
    if (by) order = { by, isDescending: order.by === by ? !order.isDescending : by !== "name" }
    if (button?.hasAttribute("data-unfold")) isUnfolded = !isUnfolded
    if (button && !key) showTables()
  })

  function drawCharts(): void {
    const { limitMs } = report.query.objective
    const marked = shown.slice(0, mostMarks)
    const slow = slowestOf(shown)
    const bins = distributionOf(report)
    drawOrSay(timeline, timelineFrame, {
      data: [limitMs, report.timeline, marked],
      otherwise:
        report.timeline.length + rows.length === 0 && "Nothing was stored in this period: idle is not lag.",
      draw: (width) => drawTimeline(report, marked, width),
    })
    drawOrSay(distribution, distributionFrame, {
      data: [limitMs, bins],
      otherwise: bins.length === 0 && "Nothing was measured.",
      draw: (width) => drawDistribution(report, bins, width),
    })
    drawOrSay(slowest, stageFrame, {
      data: [limitMs, slow],
      otherwise: slow.length === 0 && "No stored version to show.",
      draw: (width) => drawStages(slow, limitMs, width),
    })
  }
  function showTables(): void {
    const slow = slowestOf(shown)
    const bins = distributionOf(report)
    morph(timelineFigures, report.timeline.length === 0 ? [] : [timelineTable(report)])
    morph(distributionFigures, bins.length === 0 ? [] : [distributionTable(bins)])
    morph(stageFigures, slow.length === 0 ? [] : [stageTable(slow)])
    morph(problems, renderProblems(report))
    morph(gaps.body, renderGaps(report, rows))
    morph(groups.body, renderGroups(report))
    morph(
      versions.body,
      renderVersions(shown, {
        order,
        isManyVaults: report.vaults.length > 1,
        isUnfolded: isUnfolded || isEverythingOpen(),
      }),
    )
  }
  function showFiltered(): void {
    shown = applyFilter(rows, filter)
    const all = rows.length.toLocaleString("en-US")
    filterBar.tell(
      isFiltering(filter) ? `${shown.length.toLocaleString("en-US")} of ${all} versions` : `${all} versions`,
    )
    drawCharts()
    showTables()
  }
  function show(): void {
    morph(head, reportFacts(report))
    morph(hero, renderHero(report))
    morph(tiles, renderTiles(report))
    vaults.element.hidden = report.vaults.length < 2
    morph(vaults.body, renderVaults(report))
    morph(causes.body, renderCauses(report.queues))
    filterBar.offer(report, rows)
    showFiltered()
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

/** A chart of `data`, or what is said in its place. */
interface Drawing {
  readonly data: unknown
  readonly otherwise: string | false
  readonly draw: (width: number) => SVGElement | HTMLElement
}

function drawOrSay(section: Section, frame: ChartFrame, { data, otherwise, draw }: Drawing): void {
  section.element.classList.toggle("is-empty", otherwise !== false)
  frame.draw(data, otherwise === false ? draw : () => h("p", { class: "empty" }, otherwise))
}

const hint = "Point at a mark, or step to it with Tab and the arrow keys; Enter opens its story."

function sortKey(text: string | null | undefined): SortOrder["by"] | undefined {
  return text === "name" || text === "at" || text === "latency" ? text : undefined
}
