import type { AllowList } from "../change/allowList.ts"
import type { Clock } from "../clock.ts"
import { ServiceError } from "../errors.ts"
import type { Log } from "../log.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { CopySender } from "./copySender.ts"
import type { DeadLetterSource } from "./deadLetterSource.ts"
import { executeReplay, type ReplayProgress, type ReplayResult } from "./executeReplay.ts"
import { hashKey } from "./deadLetter.ts"
import { type JournalItem, keyOfItem } from "./journalRecord.ts"
import { makePlan, type MadePlan } from "./makePlan.ts"
import { type MemberSum, MemberSumBuilder } from "./memberSum.ts"
import type { ProtectedVersions } from "./protectedVersions.ts"
import type { ReplayFilter } from "./replayFilter.ts"
import type { ReplayJournal } from "./replayJournal.ts"
import { comparePlans, differenceKey, type ReplayPlan } from "./replayPlan.ts"
import type { RunnerLease } from "./runnerLease.ts"

/** Everything that a replay works with. */
export interface ReplayParts {
  readonly allowList: AllowList
  /** How often one message may be replayed. */
  readonly replayMax: number
  /** In the order in which they are replayed. */
  readonly sources: readonly DeadLetterSource[]
  readonly sender: CopySender
  readonly catalog: StoreCatalog
  readonly journal: ReplayJournal
  readonly versions: ProtectedVersions
  readonly lease: RunnerLease
  readonly clock: Clock
}

export interface PlanReplayOptions {
  readonly filter: ReplayFilter
  readonly signal?: AbortSignal
  readonly onLook?: (looked: number) => void
}

export interface RunReplayOptions extends PlanReplayOptions {
  /** A plan that was made before; without it, what is there is planned and done in one go. */
  readonly planned?: ReplayPlan
  /** Goes on although the set is not that of `planned` any more. */
  readonly replan?: boolean
  readonly maxPerSecond: number
  readonly batchSize?: number
  readonly maxMessages?: number
  readonly lockPatienceMs?: number
  readonly run: string
  /** Name of this machine, for whoever is kept waiting. */
  readonly host: string
  readonly newMessageId: () => string
  readonly log: Log
  /** Called with the plan that is about to be done. */
  readonly onPlan?: (plan: ReplayPlan) => void
  readonly onProgress?: (progress: ReplayProgress) => void
}

/**
 * The plan of what a replay would do. Writes nothing, takes nothing, needs no lease.
 *
 * @throws ServiceError when a source, the journal or the store cannot be read.
 */
export async function planReplay(parts: ReplayParts, options: PlanReplayOptions): Promise<ReplayPlan> {
  return (await lookAround(parts, options)).made.plan
}

/**
 * Plans and executes, alone: one runner works at a time.
 *
 * @throws ServiceError ERR_REPLAY_LEASE_HELD; ERR_REPLAY_PLAN_CHANGED, whose details are the difference; and whatever
 * stops an execution: then nothing is lost, run it again.
 */
export async function runReplay(parts: ReplayParts, options: RunReplayOptions): Promise<ReplayResult> {
  const { run, host, planned } = options
  const lease = await parts.lease.acquire({ run, host, since: parts.clock.now() })
  try {
    const signal = options.signal ? AbortSignal.any([options.signal, lease.signal]) : lease.signal
    const { made, state } = await lookAround(parts, { ...options, signal })
    if (planned && !options.replan) await assertSame(planned, made, parts.journal)
    // A plan that was done in part is the same plan, also where what is left of it has another digest.
    const plan = planned && !options.replan ? { ...made.plan, digest: planned.digest } : made.plan
    options.onPlan?.(plan)
    const result = await executeReplay({ ...parts, ...options, made: { ...made, plan }, state, signal })
    if (lease.signal.aborted) throw lease.signal.reason
    return result
  } finally {
    await lease.release()
  }
}

async function lookAround(
  parts: ReplayParts,
  { filter, signal, onLook }: PlanReplayOptions,
): Promise<{ readonly made: MadePlan; readonly state: Awaited<ReturnType<ReplayJournal["readState"]>> }> {
  const abort = signal ? { signal } : {}
  const state = await parts.journal.readState(abort)
  const { allowList, versions, replayMax, sources, clock } = parts
  const made = await makePlan({
    filter,
    allowList,
    versions,
    replayMax,
    sources,
    clock,
    journal: state,
    ...abort,
    ...(onLook ? { onProgress: onLook } : {}),
  })
  return { made, state }
}

async function assertSame(planned: ReplayPlan, made: MadePlan, journal: ReplayJournal): Promise<void> {
  const { plan: found } = made
  const plain = comparePlans(planned, found)
  if (plain.length === 0) return
  const { done } = await journal.readPlan(planned.digest)
  const differences = comparePlans(planned, found, sumDone(done, made))
  if (differences.length === 0) return
  const details = Object.fromEntries(
    differences.map(({ source, cause, planned: before, found: after }) => [
      `${source} ${cause}`,
      before === after ? `${before} planned, ${after} others found` : `${before} planned, ${after} found`,
    ]),
  )
  throw new ServiceError("ERR_REPLAY_PLAN_CHANGED", "The messages are not those of the plan any more", {
    details,
  })
}

/** Sums of what was done of a plan and is not found any more. */
function sumDone(done: readonly JournalItem[], { stillThere }: MadePlan): Map<string, MemberSum> {
  const builders = new Map<string, MemberSumBuilder>()
  for (const item of done) {
    const key = keyOfItem(item)
    if (item.source !== "event-grid" && stillThere.has(key)) continue
    const group = differenceKey(item.source, item.cause, item.action)
    const builder = builders.get(group) ?? new MemberSumBuilder()
    builder.add(hashKey(key))
    builders.set(group, builder)
  }
  return new Map([...builders].map(([group, builder]) => [group, builder.build()]))
}
