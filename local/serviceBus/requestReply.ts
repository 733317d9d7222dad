import rhea from "rhea"
import type { EventContext, Sender } from "rhea"

/** A request on a request-response link, as rhea decodes it. */
export interface BusRequest {
  readonly operation: string
  readonly properties: Readonly<Record<string, unknown>>
  readonly body: unknown
  /** Sends the answer; does nothing when the client has closed its receiving link. */
  reply(properties: Readonly<Record<string, unknown>>, body?: unknown): void
}

/** Reads the request that arrived on a link to `node` (`$cbs` or `queue/$management`), and accepts it. */
export function readRequest(context: EventContext, node: string): BusRequest | undefined {
  const { message, receiver, delivery } = context
  if (message === undefined || receiver === undefined || delivery === undefined) return undefined
  delivery.update(true, accepted())
  const properties: Readonly<Record<string, unknown>> = message.application_properties ?? {}
  return {
    operation: String(properties["operation"]),
    properties,
    body: message.body as unknown,
    reply: (answer, body) => {
      // The answer goes to the link of the same session whose target, or name, is the reply-to.
      const replyTo = message.reply_to
      const isFromNode = (link: Sender) => link.source?.address === node && link.is_open()
      const isAddressed = (link: Sender) =>
        isFromNode(link) && (link.target?.address === replyTo || link.name === replyTo)
      const link = receiver.session.find_sender(isAddressed) ?? receiver.session.find_sender(isFromNode)
      link?.send({
        ...(message.message_id === undefined ? {} : { correlation_id: message.message_id }),
        application_properties: answer,
        body,
      })
    },
  }
}

/** The outcome `accepted`, to be written with a delivery. */
export function accepted(): unknown {
  return outcome("accepted", {})
}

/** The outcome `rejected` with its error. */
export function rejected(error: { readonly condition: string; readonly description: string }): unknown {
  const { condition, description } = error
  return outcome("rejected", { error: { condition, description } })
}

function outcome(name: "accepted" | "rejected", fields: unknown): unknown {
  // The declarations leave out the constructors of outcomes.
  const constructors = rhea.message as unknown as Record<
    string,
    (fields: unknown) => { described(): unknown }
  >
  return constructors[name]?.(fields).described()
}
