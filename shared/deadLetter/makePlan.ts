import type { Clock } from "../clock.ts"
import { keyOf } from "./deadLetter.ts"
import type { DeadLetterSource } from "./deadLetterSource.ts"
import { judgeLetters, type JudgeOptions } from "./judgeLetters.ts"
import type { MemberSet } from "./memberSet.ts"
import { PlanBuilder, type ReplayPlan } from "./replayPlan.ts"

export interface MakePlanOptions extends JudgeOptions {
  readonly sources: readonly DeadLetterSource[]
  readonly clock: Clock
  /** Called after each page with the number of letters looked at. */
  readonly onProgress?: (looked: number) => void
}

/** A plan, and what executing it needs beside it. */
export interface MadePlan {
  readonly plan: ReplayPlan
  /** By place: the letters with which something is to be done. */
  readonly members: ReadonlyMap<string, MemberSet>
  /** Letters of open batches that are still where they were. */
  readonly stillThere: ReadonlySet<string>
  /** MessageIds of copies that an earlier run meant to send, and that wait at a place that was looked at. */
  readonly alreadyThere: ReadonlySet<string>
  /** Places that were looked at to the end. */
  readonly looked: ReadonlySet<string>
}

/**
 * Looks at every dead letter of the sources that the filter names, and tells what would be done. Takes nothing, changes
 * nothing, and keeps no letter: its memory grows by nine bytes for each.
 *
 * @throws ServiceError when a source, the journal or the store cannot be read.
 */
export async function makePlan(options: MakePlanOptions): Promise<MadePlan> {
  const { filter, journal, clock, signal } = options
  const builder = new PlanBuilder()
  const members = new Map<string, MemberSet>()
  const stillThere = new Set<string>()
  const looked = new Set<string>()
  const alreadyThere = new Set<string>()
  const meant = meantToBeSent(journal)
  let count = 0
  for (const source of options.sources) {
    if (!filter.from.includes(source.source)) continue
    const here = source.createMembers()
    members.set(source.place, here)
    const pages = source.list({
      isAccountedFor: (blob) => journal.isBlobAccountedFor(blob),
      ...(signal ? { signal } : {}),
    })
    for await (const page of pages) {
      for (const letter of page) {
        const key = keyOf(letter)
        const { messageId } = letter
        if (messageId !== undefined && meant.has(messageId)) alreadyThere.add(messageId)
        // An entry that a later batch accounts for keeps no earlier one open.
        if (journal.openWith(key).length > 0 && !journal.isAccountedFor(letter)) stillThere.add(key)
      }
      for (const { letter, hash, classified, decision } of await judgeLetters(page, options)) {
        builder.add(letter, classified, decision, hash)
        if (decision.action !== "leave") here.add(letter.id)
      }
      count += page.length
      options.onProgress?.(count)
    }
    looked.add(source.place)
  }
  return { plan: builder.build(filter, clock.now()), members, stillThere, alreadyThere, looked }
}

/** MessageIds of intents that did not get as far as `sent`. */
function meantToBeSent({ open }: JudgeOptions["journal"]): ReadonlySet<string> {
  const items = open.filter(({ isSent }) => !isSent).flatMap((batch) => [...batch.items.values()])
  return new Set(items.flatMap(({ copies }) => copies.map(({ messageId }) => messageId)))
}
