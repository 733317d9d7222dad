import type { ServiceBusClient, ServiceBusReceivedMessage, ServiceBusReceiver } from "@azure/service-bus"
import { settledWithin } from "./deadline.ts"
import { describeError } from "./describeError.ts"
import type { ServiceBusSettings } from "./hostSettings.ts"
import type { Invoke, TriggerInput } from "./invokeFunction.ts"
import { messageBytes, messageText } from "./messageBody.ts"
import type { Pump } from "./pump.ts"
import type { ServiceBusTrigger } from "./readTrigger.ts"
import { batchMetadata, messageMetadata } from "./triggerMetadata.ts"

export interface ServiceBusPumpOptions {
  readonly trigger: ServiceBusTrigger
  readonly client: ServiceBusClient
  readonly settings: ServiceBusSettings
  readonly invoke: Invoke
  /** Takes one line about an error of the connection or of settling. */
  log(message: string): void
}

/** How long an idle batch pump takes to notice that it is to stop. */
const batchWaitMs = 1000
const stopReceivingLimitMs = 1000
const pauseAfterErrorMs = 1000

/**
 * Receives messages in peek-lock mode and runs the function on each, as the Service Bus trigger does: a function
 * that returns completes its message, one that throws abandons it, so that it comes back at once with a higher
 * delivery count. With `autoComplete` off a message is left alone on success; its lock expires.
 *
 * Errors of the connection and of settling (a lost lock) are logged, one line each, and the pump lives on.
 */
export function startServiceBusPump(options: ServiceBusPumpOptions): Pump {
  return options.trigger.cardinality === "many" ? pumpBatches(options) : pumpMessages(options)
}

function pumpMessages(options: ServiceBusPumpOptions): Pump {
  const { trigger, settings, invoke, log } = options
  const { target } = trigger
  const receiver = openReceiver(options, settings.maxAutoLockRenewalMs)
  const active = new Set<Promise<void>>()

  async function handle(message: ServiceBusReceivedMessage): Promise<void> {
    if (await succeeds(invoke(target, () => messageInput(message, target.name, trigger.isBinary)))) {
      if (trigger.autoComplete ?? settings.autoCompleteMessages)
        await settle(receiver, "complete", message, log)
    } else {
      await settle(receiver, "abandon", message, log)
    }
  }
  const subscription = receiver.subscribe(
    {
      processMessage: async (message) => {
        const work = handle(message)
        active.add(work)
        await work
        active.delete(work)
      },
      processError: async ({ error, errorSource, entityPath }) => {
        log(
          `Message processing error (Action=${errorSource}, EntityPath=${entityPath}): ${describeError(error)}`,
        )
      },
    },
    { autoCompleteMessages: false, maxConcurrentCalls: settings.maxConcurrentCalls },
  )
  return {
    stop: async () => {
      // Without a connection the SDK would wait for one before it stops receiving.
      await settledWithin(stopReceivingLimitMs, subscription.close())
      await Promise.all(active)
      await receiver.close()
    },
  }
}

function pumpBatches(options: ServiceBusPumpOptions): Pump {
  const { trigger, settings, invoke, log } = options
  const { target } = trigger
  const receiver = openReceiver(options, 0)
  const stopping = new AbortController()

  async function receive(): Promise<ServiceBusReceivedMessage[]> {
    try {
      return await receiver.receiveMessages(settings.maxMessageBatchSize, { maxWaitTimeInMs: batchWaitMs })
    } catch (error) {
      log(
        `Message processing error (Action=receive, EntityPath=${receiver.entityPath}): ${describeError(error)}`,
      )
      await new Promise((resolve) => setTimeout(resolve, pauseAfterErrorMs))
      return []
    }
  }
  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const messages = await receive()
      if (messages.length === 0) continue
      const ok = await succeeds(invoke(target, () => batchInput(messages, target.name, trigger.isBinary)))
      if (ok && !(trigger.autoComplete ?? settings.autoCompleteMessages)) continue
      const how = ok ? "complete" : "abandon"
      await Promise.all(messages.map((message) => settle(receiver, how, message, log)))
    }
  }
  const done = loop()
  return {
    stop: async () => {
      stopping.abort()
      await done
      await receiver.close()
    },
  }
}

function openReceiver({ client, trigger }: ServiceBusPumpOptions, renewMs: number): ServiceBusReceiver {
  const receiverOptions = {
    receiveMode: "peekLock",
    maxAutoLockRenewalDurationInMs: renewMs,
    skipParsingBodyAsJson: true,
    skipConvertingDate: true,
  } as const
  const { entity } = trigger
  return typeof entity === "string"
    ? client.createReceiver(entity, receiverOptions)
    : client.createReceiver(entity.topic, entity.subscription, receiverOptions)
}

function messageInput(message: ServiceBusReceivedMessage, name: string, isBinary: boolean): TriggerInput {
  if (isBinary) {
    return {
      data: { bytes: messageBytes(message) },
      triggerMetadata: messageMetadata(message, undefined, name),
    }
  }
  const text = messageText(message)
  return { data: { string: text }, triggerMetadata: messageMetadata(message, text, name) }
}

function batchInput(messages: ServiceBusReceivedMessage[], name: string, isBinary: boolean): TriggerInput {
  const data = isBinary
    ? { collectionBytes: { bytes: messages.map(messageBytes) } }
    : { collectionString: { string: messages.map(messageText) } }
  return { data, triggerMetadata: batchMetadata(messages, name) }
}

/** The invoker has reported a failure already; what is left is to settle accordingly. */
async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch {
    return false
  }
}

async function settle(
  receiver: ServiceBusReceiver,
  how: "complete" | "abandon",
  message: ServiceBusReceivedMessage,
  log: ServiceBusPumpOptions["log"],
): Promise<void> {
  try {
    await (how === "complete" ? receiver.completeMessage(message) : receiver.abandonMessage(message))
  } catch (error) {
    const where = `Action=${how}, EntityPath=${receiver.entityPath}, SequenceNumber=${message.sequenceNumber}`
    log(`Message processing error (${where}): ${describeError(error)}`)
  }
}
