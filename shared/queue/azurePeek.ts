import type { ServiceBusReceivedMessage, ServiceBusReceiver } from "@azure/service-bus"

const pageSize = 250

type SequenceNumber = NonNullable<ServiceBusReceivedMessage["sequenceNumber"]>

/**
 * Where every queue begins. A client goes on where its last peek of a queue ended unless it is told where to begin
 * (`_lastPeekedSequenceNumber` in @azure/service-bus 7.9), and the number's class comes with a message only.
 */
let beginning: SequenceNumber | undefined

/** Everything in the receiver's queue from its beginning, page by page, in sequence order. Takes and locks nothing. */
export async function* peekPages(
  receiver: ServiceBusReceiver,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<readonly ServiceBusReceivedMessage[]> {
  let from = beginning
  for (;;) {
    const page = await receiver.peekMessages(pageSize, {
      ...(from ? { fromSequenceNumber: from } : {}),
      ...(signal ? { abortSignal: signal } : {}),
    })
    const last = page.at(-1)?.sequenceNumber
    if (last === undefined) return
    yield page
    beginning ??= last.sub(last)
    from = last.add(1)
  }
}
