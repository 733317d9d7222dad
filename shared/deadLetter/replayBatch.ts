import { formatVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import type { CopySender } from "./copySender.ts"
import type { DeadLetterReceiver } from "./deadLetterSource.ts"
import type { JournalItem } from "./journalRecord.ts"
import type { JournalState } from "./journalState.ts"
import type { JudgedLetter } from "./judgeLetters.ts"
import { changeToReplay, copyToQuarantine, copyToReplay, type MessageCopy } from "./messageCopy.ts"
import type { RateCap } from "./rateCap.ts"
import type { ReplayJournal } from "./replayJournal.ts"

export interface BatchContext {
  /** Digest of the plan. */
  readonly plan: string
  readonly run: string
  readonly journal: ReplayJournal
  readonly state: JournalState
  readonly sender: CopySender
  readonly rate: RateCap
  /** MessageIds of copies that need not be sent again. */
  readonly alreadyThere: ReadonlySet<string>
  readonly newMessageId: () => string
  readonly nextBatch: () => number
  readonly signal?: AbortSignal
}

export interface BatchResult {
  /** Letters whose copies were accepted, or that needed none. */
  readonly accepted: readonly JudgedLetter[]
  /** Ids of letters that are not to be met again. */
  readonly gone: readonly string[]
  /** Ids of letters whose copies the broker refuses for good. */
  readonly refused: readonly string[]
  /** Ids of letters whose removal was not confirmed. */
  readonly unconfirmed: readonly string[]
}

interface Prepared {
  readonly judged: JudgedLetter
  readonly copies: readonly MessageCopy[]
  readonly item: JournalItem
}

/**
 * Replays one batch of letters that are locked: intent, send, sent, complete, completed. Every step may be repeated, and
 * none is taken before the one in front of it is on record:
 *
 * - after the intent, nothing may have been sent, or all: the next run sends it with the same MessageIds;
 * - after `sent`, nothing or all may be removed: the next run only removes;
 * - before `completed`, all is done but the record of it.
 *
 * @throws ServiceError from the journal or the sender; then the letters are still locked, and none was removed before its
 * copies were accepted.
 */
export async function runBatch(
  letters: readonly JudgedLetter[],
  receiver: DeadLetterReceiver,
  context: BatchContext,
): Promise<BatchResult> {
  const { plan, run, journal, state, sender } = context
  const wasSent = (judged: JudgedLetter) => state.wasSent(judged.key)
  const planned = letters.filter((judged) => !wasSent(judged)).map((judged) => prepare(judged, context))
  const copyCount = planned.reduce((sum, { copies }) => sum + copies.length, 0)
  await context.rate.wait(copyCount, context.signal ? { signal: context.signal } : {})
  const locked = await extendLocks(letters, receiver)
  const fresh = planned.filter(({ judged }) => locked.has(judged))

  let accepted: readonly Prepared[] = []
  const batch = fresh.length > 0 ? context.nextBatch() : 0
  const write = (phase: "intent" | "sent" | "completed", prepared: readonly Prepared[]) =>
    journal.append(
      { plan, batch, phase, run },
      prepared.map(({ item }) => item),
    )
  if (fresh.length > 0) {
    await write("intent", fresh)
    const refused = await sender.send(
      fresh.flatMap(({ copies }) => copies.filter(({ messageId }) => !context.alreadyThere.has(messageId))),
    )
    accepted = fresh.filter(({ copies }) => !copies.some(({ messageId }) => refused.has(messageId)))
    await write("sent", accepted)
  }

  const oldOnes = letters.filter((judged) => locked.has(judged) && wasSent(judged))
  const toRemove = [...oldOnes, ...accepted.map(({ judged }) => judged)]
  const confirmed = await complete(toRemove, receiver)
  const unconfirmed = toRemove.filter((judged) => !confirmed.has(judged))
  if (fresh.length > 0) {
    const outstanding = accepted.filter(({ judged }) => !confirmed.has(judged))
    if (outstanding.length === 0) await write("completed", accepted)
    else {
      const items = new Map(accepted.map(({ judged, item }) => [judged.key, item]))
      const keys = new Set(outstanding.map(({ judged }) => judged.key))
      state.keepOpen({ plan, batch, isSent: true, items, outstanding: keys })
    }
  }
  for (const { key } of confirmed) {
    for (const closed of state.settle(key)) {
      const name = { plan: closed.plan, batch: closed.batch, phase: "completed", run } as const
      await journal.append(name, [...closed.items.values()])
    }
  }
  return {
    accepted: accepted.map(({ judged }) => judged),
    gone: [...confirmed].map(({ letter }) => letter.id),
    refused: fresh.filter((one) => !accepted.includes(one)).map(({ judged }) => judged.letter.id),
    unconfirmed: unconfirmed.map(({ letter }) => letter.id),
  }
}

function prepare(judged: JudgedLetter, context: BatchContext): Prepared {
  const { letter, key, classified, decision } = judged
  const { place, id, messageId, at, source, entries } = letter
  const kinds: ("message" | "quarantine" | number)[] = []
  if (decision.action === "send") {
    if (decision.changes.length > 0) kinds.push(...decision.changes.keys())
    else kinds.push("message")
    if (decision.code !== undefined) kinds.push("quarantine")
  } else if (decision.action === "quarantine") kinds.push("quarantine")
  const known = earlierIds(key, kinds.length, context.state)
  const copies = kinds.map((kind, index) => {
    const options = { messageId: known?.[index] ?? context.newMessageId(), plan: context.plan }
    const change = typeof kind === "number" ? decision.changes[kind] : undefined
    if (change) return changeToReplay(letter, change, options)
    if (kind === "message") return copyToReplay(letter, options)
    return copyToQuarantine(letter, {
      ...options,
      ...(decision.code === undefined ? {} : { code: decision.code }),
    })
  })
  return {
    judged,
    copies,
    item: {
      place,
      id,
      ...(messageId === undefined ? {} : { messageId }),
      ...(at ? { at } : {}),
      source,
      cause: classified.cause,
      action: decision.action,
      objects: classified.changes.map(({ object }) => formatVersionUrl(object)),
      copies: copies.map((copy) => ({ queue: copy.queue, messageId: copy.messageId })),
      ...(entries === undefined ? {} : { entries }),
    },
  }
}

/** MessageIds of an intent that did not get as far as `sent`: where a copy was accepted, another one changes nothing. */
function earlierIds(key: string, count: number, state: JournalState): readonly string[] | undefined {
  const copies = state
    .openWith(key)
    .map(({ items }) => items.get(key)?.copies ?? [])
    .find(({ length }) => length === count)
  return copies?.map(({ messageId }) => messageId)
}

async function extendLocks(
  letters: readonly JudgedLetter[],
  receiver: DeadLetterReceiver,
): Promise<ReadonlySet<JudgedLetter>> {
  const locked = new Set<JudgedLetter>()
  await Promise.all(
    letters.map(async (judged) => {
      try {
        await receiver.extend(judged.letter)
        locked.add(judged)
      } catch (error) {
        if (!isLockLost(error)) throw error
      }
    }),
  )
  return locked
}

/** A removal that fails is found out about later: the letter comes again, and is only removed then. */
async function complete(
  letters: readonly JudgedLetter[],
  receiver: DeadLetterReceiver,
): Promise<ReadonlySet<JudgedLetter>> {
  const confirmed = new Set<JudgedLetter>()
  await Promise.all(
    letters.map(async (judged) => {
      try {
        await receiver.complete(judged.letter)
        confirmed.add(judged)
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error
      }
    }),
  )
  return confirmed
}

function isLockLost(error: unknown): boolean {
  return error instanceof ServiceError && error.code === "ERR_QUEUE_LOCK_LOST"
}
