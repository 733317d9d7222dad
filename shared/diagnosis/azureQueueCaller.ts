import { randomUUID } from "node:crypto"
import type { TokenCredential } from "@azure/core-auth"
import { ServiceBusClient } from "@azure/service-bus"
import { fromQueueError } from "../azureErrors.ts"
import type { QueueAnswer, QueueCaller } from "./caller.ts"
import type { QueueCall } from "./harmlessCall.ts"

const callTimeoutMs = 4000
const closeTimeoutMs = 500

/**
 * Asks with the Service Bus client: a sender link that sends nothing, a peek, and a session that nobody has.
 * See QueueCaller for the promise.
 */
export function createAzureQueueCaller(
  fullyQualifiedNamespace: string,
  credential: TokenCredential,
): QueueCaller {
  const client = new ServiceBusClient(fullyQualifiedNamespace, credential, {
    retryOptions: { maxRetries: 0, timeoutInMs: callTimeoutMs },
  })
  return {
    call: async (call, { signal } = {}) => {
      try {
        return await inTime(ask(client, call, signal))
      } catch (error) {
        return answerOf(call, error)
      }
    },
    close: () => soon(client.close(), closeTimeoutMs),
  }
}

async function ask(
  client: ServiceBusClient,
  { queue, ask }: QueueCall,
  abortSignal: AbortSignal | undefined,
): Promise<QueueAnswer> {
  const options = abortSignal ? { abortSignal } : {}
  if (ask === "send") {
    // Making a batch asks the link how large messages may be, and so opens it.
    await client.createSender(queue).createMessageBatch(options)
    return {}
  }
  if (ask === "sessions") {
    const receiver = await client.acceptSession(queue, `kvbackup-doctor-${randomUUID()}`, options)
    await soon(receiver.close(), closeTimeoutMs)
    return { needsSessions: true, error: "ERR_UNKNOWN" }
  }
  const deadLetters = ask === "peekDeadLetters"
  await client
    .createReceiver(queue, deadLetters ? { subQueueType: "deadLetter" } : {})
    .peekMessages(1, options)
  return {}
}

function answerOf({ ask, queue }: QueueCall, error: unknown): QueueAnswer {
  // What becomes of a refused session link: the client takes it for a session that somebody else has, and nobody can have
  // one of a fresh name. Whether the identity may receive at all, the peek tells.
  if (ask === "sessions" && codeOf(error) === "SessionCannotBeLocked") return {}
  return { error: fromQueueError(error, { queue }).code }
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined
}

/** The client's own limit does not cover every step. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(Object.assign(new Error("No answer in time"), { code: "ServiceTimeout" })),
      callTimeoutMs,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

async function soon(work: Promise<void>, limitMs: number): Promise<void> {
  const timer = new Promise<void>((resolve) => setTimeout(resolve, limitMs).unref())
  await Promise.race([work.catch(() => {}), timer])
}
