import type { LedgerEntry } from "../store/ledgerEntry.ts"

/**
 * What lies between two moments of one version. The first two are upstream of this product (vault and Event Grid);
 * `queueToPut` is all that is ours, `eventToPut` what the objective measures, `changeToPut` the same without an event.
 */
export const stages = [
  "changeToEvent",
  "eventToQueue",
  "queueToFunction",
  "functionToRead",
  "readToPut",
  "putToWitness",
  "queueToPut",
  "eventToPut",
  "changeToPut",
] as const

export type Stage = (typeof stages)[number]

/** Raw signed differences in whole milliseconds; `undefined` where one of the two times does not exist. */
export type StageTimes = Readonly<Record<Stage, number | undefined>>

/** The stages of one entry. The service's time of creation is cut to whole seconds, so `putToWitness` may be -999. */
export function measureStages(entry: LedgerEntry, witnessedAt: Date): StageTimes {
  const { changedAt, eventAt, enqueuedAt, receivedAt, readAt, putAt } = entry
  return {
    changeToEvent: between(changedAt, eventAt),
    eventToQueue: between(eventAt, enqueuedAt),
    queueToFunction: between(enqueuedAt, receivedAt),
    functionToRead: between(receivedAt, readAt),
    readToPut: between(readAt, putAt),
    putToWitness: between(putAt, witnessedAt),
    queueToPut: between(enqueuedAt, putAt),
    eventToPut: between(eventAt, putAt),
    changeToPut: between(changedAt, putAt),
  }
}

/** The latency of one version: from its event, or from its change where it has none, to its put. */
export function latencyOf(stage: StageTimes): number | undefined {
  return stage.eventToPut ?? stage.changeToPut
}

function between(from: Date | undefined, to: Date | undefined): number | undefined {
  return from && to ? to.getTime() - from.getTime() : undefined
}
