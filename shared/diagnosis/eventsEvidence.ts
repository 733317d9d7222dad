import type { CallAnswer } from "./harmlessCall.ts"

/** What the management plane says of the way of an event. What is absent was not told. */
export interface EventsEvidence {
  /** Id of the event subscription. */
  readonly id: string
  readonly provider?: CallAnswer
  readonly subscription?: CallAnswer
  readonly topic?: CallAnswer
  readonly namespaceRules?: CallAnswer
  readonly queue?: CallAnswer
  readonly deadLetterAccount?: CallAnswer
  /** Role assignments of the topic's identity that hold at the queue, and at the account of the dead letters. */
  readonly queueRoles?: CallAnswer
  readonly deadLetterRoles?: CallAnswer
}

/** Name of the resource of an id. */
export function nameOf(id: string): string {
  return id.split("/").at(-1) ?? ""
}

/** Name of the topic in the id of its event subscription. */
export function topicOf(id: string): string {
  return id.split("/").at(-3) ?? ""
}
