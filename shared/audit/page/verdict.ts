import type { AuditReport } from "../auditReport.ts"

/** How things stand: as a word, which goes with a shape and a colour. */
export type Level = "good" | "warn" | "bad" | "unknown"

/** What a person must know first. */
export interface Verdict {
  readonly level: Level
  readonly title: string
  /** Each a sentence; the most important first. */
  readonly reasons: readonly string[]
}

/** Judges a report. What could not be told wins over everything: no clean word without a whole answer. */
export function judge(report: AuditReport): Verdict {
  const { vaults, queues, objective, complete, canary } = report
  const gaps = sum(vaults.map(({ openGapCount }) => openGapCount))
  const publicOnly = sum(vaults.map(({ publicOnlyCount }) => publicOnlyCount))
  const records = sum(vaults.map((vault) => vault.records))
  const bad = [
    gaps > 0 && `${counted(gaps, "version is", "versions are")} known and not stored.`,
    queues &&
      queues.deadLettered > 0 &&
      `${counted(queues.deadLettered, "dead letter waits", "dead letters wait")} for a replay.`,
    queues &&
      queues.quarantined > 0 &&
      `${counted(queues.quarantined, "message is", "messages are")} in quarantine: only a person can decide about them.`,
    canary?.isOverdue === true &&
      canary.lastChangedAt !== null &&
      "The canary is overdue: changes may not get through.",
  ].filter(isSentence)
  const late = [
    objective.met === false &&
      objective.breaches > 0 &&
      `The objective is missed: ${counted(objective.breaches, "version was", "versions were")} stored later than the limit.`,
    publicOnly > 0 &&
      `${counted(publicOnly, "certificate is", "certificates are")} stored without the private key: its policy keeps it in the vault.`,
    queues &&
      queues.deferred > 0 &&
      `${counted(queues.deferred, "change is", "changes are")} deferred and tried again.`,
    canary?.lastChangedAt === null && "No canary has ever arrived.",
  ].filter(isSentence)
  if (!complete || vaults.some(({ protectedUpTo }) => protectedUpTo === "unknown")) {
    return {
      level: "unknown",
      title: "Could not tell",
      reasons: ["Part of the answer could not be read; what follows is what is known.", ...bad, ...late],
    }
  }
  if (bad.length > 0)
    return { level: "bad", title: "Not everything is protected", reasons: [...bad, ...late] }
  if (objective.met === false) return { level: "bad", title: "Protected, but too late", reasons: late }
  if (records === 0) {
    return {
      level: "unknown",
      title: "Nothing is stored yet",
      reasons: ["The store holds no version of these vaults. An empty store proves nothing.", ...late],
    }
  }
  if (late.length > 0) return { level: "warn", title: "Protected, with remarks", reasons: late }
  const waiting = queues?.waiting ?? 0
  return {
    level: "good",
    title: "Everything is protected",
    reasons: [
      waiting > 0
        ? `${counted(waiting, "change is", "changes are")} on the way; every other known change is stored.`
        : "Every known change is stored.",
    ],
  }
}

/** `1 version is`, `1,204 versions are`. */
export function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

function isSentence(text: string | false | undefined): text is string {
  return typeof text === "string"
}
