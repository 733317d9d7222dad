import type { Clock } from "../clock.ts"
import type { Log } from "../log.ts"
import type { CopySender } from "./copySender.ts"
import type { DeadLetter } from "./deadLetter.ts"
import type { DeadLetterReceiver, DeadLetterSource } from "./deadLetterSource.ts"
import type { ReplayAction } from "./decide.ts"
import { judgeLetters, type JudgeOptions } from "./judgeLetters.ts"
import type { MadePlan } from "./makePlan.ts"
import type { MemberSet } from "./memberSet.ts"
import { createRateCap } from "./rateCap.ts"
import { type BatchContext, runBatch } from "./replayBatch.ts"
import type { ReplayJournal } from "./replayJournal.ts"
import { countOf } from "./replayPlan.ts"

export interface ExecuteReplayOptions extends Omit<JudgeOptions, "filter" | "journal"> {
  readonly made: MadePlan
  readonly sources: readonly DeadLetterSource[]
  readonly state: JudgeOptions["journal"]
  readonly journal: ReplayJournal
  readonly sender: CopySender
  readonly clock: Clock
  readonly log: Log
  /** Names this run in the journal: letters, digits, `_` and `-`, at most 64. */
  readonly run: string
  readonly newMessageId: () => string
  readonly maxPerSecond: number
  /** At most so many messages are under way at once. Default 100. */
  readonly batchSize?: number
  /** Stops after about so many messages. Default: no such limit. */
  readonly maxMessages?: number
  /** How long to wait for letters that another receiver has locked. Default 330 s: beyond the longest lock there is. */
  readonly lockPatienceMs?: number
  readonly onProgress?: (progress: ReplayProgress) => void
}

export interface ReplayProgress {
  readonly done: number
  readonly total: number
  /** Letters that are locked by another receiver, while they are waited for. */
  readonly waitingFor?: number
}

/** What became of the letters that the plan was about. */
export interface ReplayResult {
  readonly plan: string
  readonly run: string
  readonly sent: number
  readonly removed: number
  readonly quarantined: number
  /** Sent, but the broker did not confirm that the original is gone. */
  readonly unconfirmed: number
  /** The broker refuses the copy as too large. */
  readonly refused: number
  /** Not found any more: somebody else took them. */
  readonly vanished: number
  /** Not done: locked by another receiver, or the run stopped before. */
  readonly undone: number
  readonly interrupted: boolean
}

type Counts = { -readonly [Name in Exclude<keyof ReplayResult, "plan" | "run" | "interrupted">]: number }

/** How many letters that are not the plan's are given back at the end; the locks of others end by themselves. */
const maxHeld = 1000
const takeWaitMs = 2000
const defaultLockPatienceMs = 330_000

/**
 * Does what the plan says, batch by batch, and first ends what earlier runs left open. Stops between two batches when the
 * signal aborts; what is under way is recorded, and the next run goes on from there.
 *
 * @throws ServiceError when the journal, the store or a queue fails: nothing is lost, run it again.
 */
export async function executeReplay(options: ExecuteReplayOptions): Promise<ReplayResult> {
  const { made, state, journal, run, signal, clock } = options
  const { digest } = made.plan
  let { nextBatch } = await journal.readPlan(digest)
  const context: BatchContext = {
    plan: digest,
    run,
    journal,
    state,
    sender: options.sender,
    rate: createRateCap(options.maxPerSecond, clock, options.batchSize),
    alreadyThere: made.alreadyThere,
    newMessageId: options.newMessageId,
    nextBatch: () => nextBatch++,
    ...(signal ? { signal } : {}),
  }
  const counts: Counts = {
    sent: 0,
    removed: 0,
    quarantined: 0,
    unconfirmed: 0,
    refused: 0,
    vanished: 0,
    undone: 0,
  }
  await closeGone(options)
  for (const source of options.sources) {
    const members = made.members.get(source.place)
    if (!members || members.size === 0 || isOver(options, counts)) continue
    await replaySource(source, members, counts, context, options)
  }
  counts.unconfirmed = unconfirmedIn(made, state)
  for (const members of made.members.values()) counts.undone += members.size
  counts.undone = Math.max(0, counts.undone - counts.unconfirmed)
  const result = { plan: digest, run, ...counts, interrupted: signal?.aborted === true }
  options.log.info("replay.ended", result)
  return result
}

/** Batches whose letters are gone need no more than the record of it. */
async function closeGone({ made, state, journal, run }: ExecuteReplayOptions): Promise<void> {
  for (const batch of state.open) {
    const items = new Map(batch.items)
    for (const [key, item] of batch.items) {
      if (!made.looked.has(item.place) || made.stillThere.has(key)) continue
      batch.outstanding.delete(key)
      if (!batch.isSent) items.set(key, { ...item, isGone: true })
    }
    if (batch.outstanding.size > 0) continue
    const name = { plan: batch.plan, batch: batch.batch, phase: "completed", run } as const
    await journal.append(name, [...items.values()])
  }
}

/** Letters at the places that were looked at, whose copies were accepted and whose removal was not confirmed. */
function unconfirmedIn({ looked }: MadePlan, state: JudgeOptions["journal"]): number {
  const keys = state.open
    .filter(({ isSent }) => isSent)
    .flatMap(({ outstanding, items }) =>
      [...outstanding].filter((key) => looked.has(items.get(key)?.place ?? "")),
    )
  return new Set(keys).size
}

async function replaySource(
  source: DeadLetterSource,
  members: MemberSet,
  counts: Counts,
  context: BatchContext,
  options: ExecuteReplayOptions,
): Promise<void> {
  const { state, clock, signal, lockPatienceMs = defaultLockPatienceMs } = options
  const receiver = source.open({
    isAccountedFor: (blob) => state.isBlobAccountedFor(blob),
    ...(signal ? { signal } : {}),
  })
  const held = new Map<string, DeadLetter>()
  let progressedAtMs = clock.now().getTime()
  try {
    while (members.size > 0 && !isOver(options, counts)) {
      const taken = await receiver.take(context.rate.batchSize, {
        waitMs: takeWaitMs,
        ...(signal ? { signal } : {}),
      })
      const ours = taken.filter(({ id }) => members.has(id))
      for (const letter of taken) {
        if (!members.has(letter.id) && held.size < maxHeld) held.set(letter.id, letter)
      }
      if (ours.length > 0) {
        await replayLetters(ours, receiver, members, counts, context, options)
        progressedAtMs = clock.now().getTime()
      } else if (taken.length === 0) {
        if (clock.now().getTime() - progressedAtMs > lockPatienceMs) return
        counts.vanished += await forgetVanished(source, members)
        reportProgress(options, counts, members.size)
        if (source.source === "event-grid") return
      }
    }
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    await receiver.release([...held.values()])
    await receiver.close()
  }
}

const countNameOf = { send: "sent", remove: "removed", quarantine: "quarantined" } as const

async function replayLetters(
  letters: readonly DeadLetter[],
  receiver: DeadLetterReceiver,
  members: MemberSet,
  counts: Counts,
  context: BatchContext,
  options: ExecuteReplayOptions,
): Promise<void> {
  const { made, state, ...rest } = options
  const judged = await judgeLetters(letters, { ...rest, filter: made.plan.filter, journal: state })
  const toDo = judged.filter(({ decision }) => decision.action !== "leave")
  const sentBefore = toDo.filter(({ key }) => made.stillThere.has(key) && state.wasSent(key))
  let result
  try {
    result = await runBatch(toDo, receiver, context)
  } catch (error) {
    await receiver.release(letters)
    throw error
  }
  for (const { decision } of result.accepted) count(decision.action)
  counts.removed += sentBefore.filter(({ letter }) => result.gone.includes(letter.id)).length
  for (const id of result.gone) members.delete(id)
  for (const id of result.refused) {
    counts.refused += 1
    members.delete(id)
  }
  // What has become somebody's decision since the plan was made stays.
  const left = judged.filter(({ decision }) => decision.action === "leave").map(({ letter }) => letter)
  const notSelected = letters.filter((letter) => !judged.some((one) => one.letter === letter))
  const kept = [...left, ...notSelected, ...letters.filter(({ id }) => result.refused.includes(id))]
  for (const { id } of [...left, ...notSelected]) members.delete(id)
  await receiver.release(kept)
  reportProgress(options, counts)

  function count(action: ReplayAction): void {
    if (action !== "leave") counts[countNameOf[action]] += 1
  }
}

/** Letters that are not there any more were taken by somebody else. @returns how many. */
async function forgetVanished(source: DeadLetterSource, members: MemberSet): Promise<number> {
  const before = members.size
  const present: string[] = []
  for await (const page of source.list()) {
    present.push(...page.map(({ id }) => id).filter((id) => members.has(id)))
  }
  if (present.length === before) return 0
  const here = new Set(present)
  members.keepOnly((id) => here.has(id))
  return before - members.size
}

function doneOf({ sent, removed, quarantined }: Counts): number {
  return sent + removed + quarantined
}

function isOver({ signal, maxMessages = Infinity }: ExecuteReplayOptions, counts: Counts): boolean {
  return signal?.aborted === true || doneOf(counts) >= maxMessages
}

function reportProgress(options: ExecuteReplayOptions, counts: Counts, waitingFor?: number): void {
  options.onProgress?.({
    done: doneOf(counts),
    total: countOf(options.made.plan),
    ...(waitingFor === undefined ? {} : { waitingFor }),
  })
}
