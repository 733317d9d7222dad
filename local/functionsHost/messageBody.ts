import { isUtf8 } from "node:buffer"
import type { ServiceBusReceivedMessage } from "@azure/service-bus"

/**
 * The text that a Service Bus trigger makes of a message body, as the extension's converter does: a data
 * section is read as UTF-8, or as what its byte order mark says; bytes that are not UTF-8 become replacement
 * characters. An AMQP value section is taken when it is a string. Not done: strings written by .NET's binary
 * DataContract serializer, which the extension decodes.
 *
 * @throws Error for a body of another kind; the invocation fails, so the broker dead-letters it in the end.
 *
 * Source: https://github.com/Azure/azure-sdk-for-net (Microsoft.Azure.WebJobs.Extensions.ServiceBus,
 * MessageToStringConverter.cs)
 */
export function messageText(message: ServiceBusReceivedMessage): string {
  const { body, _rawAmqpMessage: raw } = message as { body: unknown } & ServiceBusReceivedMessage
  if (Buffer.isBuffer(body) && raw.bodyType === "data") return decode(body)
  if (raw.bodyType === "value") {
    if (typeof body === "string") return body
    throw new Error(`A message with a body of type ${typeof body} cannot be bound to a string.`)
  }
  throw new Error("A sequence body message cannot be bound to a string.")
}

/** The bytes of a message body, for a trigger with `dataType: "binary"`. */
export function messageBytes(message: ServiceBusReceivedMessage): Buffer {
  const body: unknown = message.body
  if (Buffer.isBuffer(body)) return body
  if (typeof body === "string") return Buffer.from(body)
  throw new Error(`A message with a body of type ${typeof body} cannot be bound to bytes.`)
}

const byteOrderMarks = [
  { mark: Buffer.from([0xef, 0xbb, 0xbf]), encoding: "utf-8" },
  { mark: Buffer.from([0xff, 0xfe]), encoding: "utf-16le" },
  { mark: Buffer.from([0xfe, 0xff]), encoding: "utf-16be" },
] as const

function decode(bytes: Buffer): string {
  const found = byteOrderMarks.find(({ mark }) => bytes.subarray(0, mark.length).equals(mark))
  if (!found) return bytes.toString("utf8")
  // The fallback for bytes that are not UTF-8 decodes all of them, the mark included.
  if (found.encoding === "utf-8" && !isUtf8(bytes)) return bytes.toString("utf8")
  return new TextDecoder(found.encoding).decode(bytes)
}
