import type { AllowList } from "../change/allowList.ts"
import { classify, type ClassifiedLetter } from "./classify.ts"
import { type DeadLetter, hashKey, keyOf } from "./deadLetter.ts"
import { decide, type ReplayDecision } from "./decide.ts"
import type { JournalState } from "./journalState.ts"
import type { ProtectedVersions } from "./protectedVersions.ts"
import { type ReplayFilter, selects } from "./replayFilter.ts"

/** What letters are judged by, apart from themselves. */
export interface JudgeOptions {
  readonly filter: ReplayFilter
  readonly allowList: AllowList
  readonly journal: JournalState
  readonly versions: ProtectedVersions
  readonly replayMax: number
  readonly signal?: AbortSignal
}

/** One letter that is selected, and what is done with it. */
export interface JudgedLetter {
  readonly letter: DeadLetter
  readonly key: string
  readonly hash: bigint
  readonly classified: ClassifiedLetter
  readonly decision: ReplayDecision
}

/**
 * Judges one page of letters: what each holds, whether the filter selects it, whether its versions are in the store. A
 * letter whose copies were accepted is always selected, because it only has to be removed.
 *
 * @throws ServiceError as StoreCatalog does.
 */
export async function judgeLetters(
  letters: readonly DeadLetter[],
  options: JudgeOptions,
): Promise<readonly JudgedLetter[]> {
  const { filter, allowList, journal, versions, replayMax, signal } = options
  const selected = letters.flatMap((letter) => {
    if (journal.isAccountedFor(letter)) return []
    const key = keyOf(letter)
    const wasSent = journal.wasSent(key)
    const classified = classify(letter, allowList)
    return wasSent || selects(filter, letter, classified) ? [{ letter, key, wasSent, classified }] : []
  })
  const objects = selected.flatMap(({ wasSent, classified }) =>
    wasSent ? [] : classified.changes.map(({ object }) => object),
  )
  const isStored = await versions.look(objects, signal ? { signal } : {})
  return selected.map(({ letter, key, wasSent, classified }) => ({
    letter,
    key,
    hash: hashKey(key),
    classified,
    decision: decide(letter, classified, {
      wasSent,
      isProtected: ({ object }) => isStored(object),
      replayMax,
      isNamed: filter.object !== undefined,
    }),
  }))
}
