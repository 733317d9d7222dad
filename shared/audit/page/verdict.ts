import type { Attention } from "../attention.ts"
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
  const { vaults, queues, query, complete, attention, prefixes } = report
  const remarks = [...attention.map((name) => sentences[name](report)), ...remarksOf(report)]
  const isEverythingStored = vaults.every(
    ({ protectedUpTo, openGapCount }) => openGapCount === 0 && (protectedUpTo ?? query.until) === query.until,
  )
  if (!complete || vaults.some(({ protectedUpTo }) => protectedUpTo === "unknown")) {
    const reason = "Part of the answer could not be read; what follows is what is known."
    return { level: "unknown", title: "Could not tell", reasons: [reason, ...remarks] }
  }
  if (attention.some((name) => name !== "public-only" && name !== "canary")) {
    return { level: "bad", title: badTitle(report, isEverythingStored), reasons: remarks }
  }
  if (prefixes.records === 0) {
    const reason = "The store holds no version of these vaults. An empty store proves nothing."
    return { level: "unknown", title: "Nothing is stored yet", reasons: [reason, ...remarks] }
  }
  if (remarks.length > 0) {
    return {
      level: "warn",
      title: isEverythingStored ? "Protected, with remarks" : "Almost everything is protected",
      reasons: remarks,
    }
  }
  const waiting = queues?.waiting ?? 0
  return {
    level: "good",
    title: query.isClosed
      ? "The objective was met"
      : isEverythingStored
        ? "Everything is protected"
        : "Protected but for what is on its way",
    reasons: [
      isEverythingStored
        ? "Every known change is stored."
        : `${counted(waiting, "change is", "changes are")} on the way; every other known change is stored.`,
    ],
  }
}

/** `1 version is`, `1,204 versions are`. */
export function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`
}

function badTitle({ attention, query }: AuditReport, isEverythingStored: boolean): string {
  if (!isEverythingStored) return "Not everything is protected"
  if (attention.includes("dead-letter") || attention.includes("quarantine"))
    return "Protected, but messages need attention"
  return query.isClosed ? "The objective was missed" : "Protected, but too late"
}

const sentences: Readonly<Record<Attention, (report: AuditReport) => string>> = {
  gap: ({ objective }) =>
    `${counted(objective.unprotected, "version is", "versions are")} known and not stored.`,
  "public-only": ({ vaults }) => {
    const count = vaults.reduce((sum, { publicOnlyCount }) => sum + publicOnlyCount, 0)
    return `${counted(count, "certificate is", "certificates are")} stored without the private key, which the policy keeps in the vault.`
  },
  objective: ({ objective: { breaches, unprotected } }) =>
    unprotected > 0
      ? `The objective is missed: ${breaches.toLocaleString("en-US")} stored too late, ${unprotected.toLocaleString("en-US")} not stored.`
      : `The objective is missed: ${counted(breaches, "version was", "versions were")} stored too late.`,
  waiting: () => "A change has been waiting for longer than the objective allows.",
  "dead-letter": ({ queues }) =>
    `${counted(queues?.deadLettered ?? 0, "dead letter waits", "dead letters wait")} for a replay.`,
  quarantine: ({ queues }) =>
    `${counted(queues?.quarantined ?? 0, "message is", "messages are")} in quarantine: only a person can decide.`,
  canary: ({ canary }) =>
    canary?.lastChangedAt === null
      ? "No canary has ever arrived."
      : "The canary is overdue: changes may not get through.",
}

/** What needs nobody yet, and should be known. */
function remarksOf({ queues }: AuditReport): readonly string[] {
  const deferred = queues?.deferred ?? 0
  return deferred > 0 ? [`${counted(deferred, "change is", "changes are")} deferred and tried again.`] : []
}
