import type { FaultRule } from "../faults/faultBook.ts"
import { type DeliveredMessage, type Delivery, messageOf } from "./delivery.ts"
import { DeliveryError, outcomeOf } from "./deliveryFailure.ts"
import type { RelayClock } from "./relayClock.ts"
import { answerTimeoutMs, lateAnswerMs } from "./retrySchedule.ts"

export interface AttemptOptions {
  readonly delivery: Delivery
  readonly subscription: string
  readonly rule: FaultRule | undefined
  readonly clock: RelayClock
  readonly deliver: (message: DeliveredMessage) => Promise<void>
  /** Called when the endpoint takes the message after this attempt has timed out, but not much after. */
  readonly onLateSuccess: () => void
}

/**
 * Makes one attempt, with the fault that is planned for it.
 *
 * @throws what `deliver` throws, or a `DeliveryError`: `TimedOut` after 30 s of wall time without an answer.
 */
export async function sendOnce(options: AttemptOptions): Promise<void> {
  const { delivery, subscription, rule, deliver } = options
  if (rule?.effect === "status") {
    const { status = 503, code = outcomeOf(status) } = rule
    throw new DeliveryError(code, status)
  }
  const send = () => deliver(messageOf(delivery, subscription))
  await withinAnswerTimeout(rule?.effect === "hang" ? new Promise<never>(() => {}) : send(), options)
  if (rule?.effect === "cut") throw new DeliveryError("Aborted")
  if (rule?.effect === "duplicate") {
    delivery.attempts += 1
    await withinAnswerTimeout(send(), options)
  }
}

async function withinAnswerTimeout(
  work: Promise<void>,
  { clock, delivery, onLateSuccess }: AttemptOptions,
): Promise<void> {
  const startedAt = clock.now().getTime()
  const timeout = Promise.withResolvers<never>()
  let isOver = false
  const cancel = clock.scheduleUnscaled(answerTimeoutMs, () => {
    isOver = true
    timeout.reject(new DeliveryError("TimedOut"))
  })
  delivery.cancelTimeout = cancel
  const answer = async () => {
    await work
    if (isOver && clock.now().getTime() - startedAt <= lateAnswerMs) onLateSuccess()
  }
  try {
    await Promise.race([answer(), timeout.promise])
  } finally {
    cancel()
  }
}
