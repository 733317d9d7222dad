import type { ActivityFeed, OutcomeReported } from "../cloud/activity.ts"

/** What is known of one version since its vault had it. */
export interface TrackedVersion {
  readonly id: string
  readonly changedAt: Date
  /** Outcomes in the order the worker reported them; `deferred` is among them, and not the last word. */
  readonly outcomes: readonly OutcomeReported[]
}

/** Follows every version of a local cloud from change to outcome. */
export interface ChangeTracker {
  readonly versions: ReadonlyMap<string, TrackedVersion>
  /** When the store acknowledged this blob; the worker's own report of it may come first. */
  readonly storedAt: (blob: string) => Date | undefined
  /** Outcomes of messages that held no change (skipped events, poison). */
  readonly others: readonly OutcomeReported[]
  /** Resolves with true when `done` holds, checked after each activity; with false after `timeoutMs`. */
  readonly waitFor: (done: () => boolean, timeoutMs: number) => Promise<boolean>
  readonly stop: () => void
}

/** Starts to follow `feed`; what happened before is not known. */
export function createChangeTracker(feed: ActivityFeed): ChangeTracker {
  const versions = new Map<string, { id: string; changedAt: Date; outcomes: OutcomeReported[] }>()
  const storedAt = new Map<string, Date>()
  const others: OutcomeReported[] = []
  const waiting = new Set<() => void>()
  const stop = feed.subscribe((activity) => {
    if (activity.kind === "changed") {
      versions.set(activity.id, { id: activity.id, changedAt: activity.at, outcomes: [] })
    } else if (activity.kind === "stored") {
      storedAt.set(activity.blob, activity.at)
    } else {
      const version = activity.id === undefined ? undefined : versions.get(activity.id)
      if (version) version.outcomes.push(activity)
      else others.push(activity)
    }
    for (const check of waiting) check()
  })
  return {
    versions,
    others,
    storedAt: (blob) => storedAt.get(blob),
    stop,
    waitFor: (done, timeoutMs) =>
      new Promise((resolve) => {
        const finish = (result: boolean) => {
          clearTimeout(timer)
          waiting.delete(check)
          resolve(result)
        }
        const check = () => {
          if (done()) finish(true)
        }
        const timer = setTimeout(() => finish(false), timeoutMs)
        waiting.add(check)
        check()
      }),
  }
}

/** The outcome that stands: the last one that is not `deferred`; `undefined` while there is none. */
export function standingOutcome(version: TrackedVersion | undefined): OutcomeReported | undefined {
  return version?.outcomes.findLast(({ outcome }) => outcome !== "deferred")
}
