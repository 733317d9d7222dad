import type { Stage } from "../stages.ts"

/** A stage in words, and whose it is. */
export interface StageWords {
  readonly stage: Stage
  readonly name: string
  /** What happens in it. */
  readonly what: string
  /** Name of its colour in the style sheet. */
  readonly colour: string
}

/** The stages that follow one another from the event to the put, in their order: their sum is the latency. */
export const latencyStages: readonly StageWords[] = [
  {
    stage: "eventToQueue",
    name: "event to queue",
    what: "Event Grid, upstream of us",
    colour: "--stage-queue",
  },
  {
    stage: "queueToFunction",
    name: "queue to function",
    what: "waiting in the queue, retries included",
    colour: "--stage-receive",
  },
  { stage: "functionToRead", name: "function to read", what: "asking the vault", colour: "--stage-read" },
  { stage: "readToPut", name: "read to put", what: "sealing", colour: "--stage-put" },
]

/** Every stage in words, for tables. */
export const stageNames: Readonly<Record<Stage, string>> = {
  changeToEvent: "change to event",
  eventToQueue: "event to queue",
  queueToFunction: "queue to function",
  functionToRead: "function to read",
  readToPut: "read to put",
  putToWitness: "put to witness",
  queueToPut: "queue to put: all that is ours",
  eventToPut: "event to put: the objective's",
  changeToPut: "change to put",
}
