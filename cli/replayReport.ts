import type { ReplayResult } from "../shared/deadLetter/executeReplay.ts"
import type { HistoryRow } from "../shared/deadLetter/replayHistory.ts"
import { countOf, type PlanGroup, type ReplayPlan } from "../shared/deadLetter/replayPlan.ts"

const wording = {
  send: "send again",
  remove: "remove",
  quarantine: "to quarantine",
  leave: "leave",
} as const

/** The plan for people: a group each, with what would be done, since when, and one of its messages. */
export function formatReplayPlan(plan: ReplayPlan, file: string | undefined): string {
  if (plan.groups.length === 0) return "There is nothing to replay: no dead letter is selected.\n"
  const lines = plan.groups.flatMap(formatGroup)
  const total = countOf(plan)
  lines.push(
    "",
    `${total + countOf(plan, "leave")} messages: ${countOf(plan, "send")} to send again, ${countOf(plan, "remove")} to remove, ` +
      `${countOf(plan, "quarantine")} to quarantine, ${countOf(plan, "leave")} to leave`,
    `plan ${plan.digest}${file === undefined ? "" : `, written to ${file}`}`,
  )
  if (total > 0) {
    lines.push(
      `Nothing was done. To do it: kvbackup replay ${file === undefined ? "" : `--plan ${file} `}--execute`,
    )
  }
  return `${lines.join("\n")}\n`
}

function formatGroup(group: PlanGroup): string[] {
  const { source, cause, action, why, count, oldest, newest, sample } = group
  const times =
    oldest && newest
      ? oldest.getTime() === newest.getTime()
        ? `at ${oldest.toISOString()}`
        : `${oldest.toISOString()} to ${newest.toISOString()}`
      : "at an unknown time"
  const what = sample.objects[0] ?? `${sample.place} ${sample.id}`
  return [
    `${String(count).padStart(7)}  ${source.padEnd(11)}  ${cause}`,
    `         ${wording[action]}: ${why}`,
    `         ${times}`,
    `         such as ${what}`,
  ]
}

/** What an execution did, for people. */
export function formatReplayResult(result: ReplayResult, plan: ReplayPlan | undefined): string {
  const { sent, removed, quarantined, unconfirmed, refused, vanished, undone, interrupted, run } = result
  const rows: [string, number][] = [
    ["sent again", sent],
    ["removed", removed],
    ["moved to quarantine", quarantined],
    ["left", plan ? countOf(plan, "leave") : 0],
    ["sent, removal not confirmed", unconfirmed],
    ["too large to be sent", refused],
    ["gone when their turn came", vanished],
    ["not done", undone],
  ]
  return `${[
    ...rows
      .filter(([, count], index) => index < 4 || count > 0)
      .map(([label, count]) => `${label.padEnd(28)} ${count}`),
    ...(interrupted ? ["Interrupted. Nothing is lost: the next run goes on from here."] : []),
    `plan ${result.plan}`,
    `run  ${run}`,
  ].join("\n")}\n`
}

/** What was ever done, a plan each. */
export function formatHistory(rows: readonly HistoryRow[]): string {
  if (rows.length === 0) return "Nothing was ever replayed.\n"
  return `${rows
    .flatMap(({ plan, runs, firstAt, lastAt, batches, send, remove, quarantine, open }) => [
      `${firstAt.toISOString()} to ${lastAt.toISOString()}  plan ${plan.slice(0, 12)}`,
      `  ${send} sent again, ${remove} removed, ${quarantine} to quarantine, in ${batches} batches${
        open > 0 ? `; ${open} not confirmed, the next run ends them` : ""
      }`,
      ...runs.map((run) => `  run ${run}`),
    ])
    .join("\n")}\n`
}
