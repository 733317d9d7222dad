import { randomUUID } from "node:crypto"
import type { ServiceBusReceivedMessage } from "@azure/service-bus"
import { formatDateTime, formatDateTimeOffset, formatUtcDateTime, toInvariantDateText } from "./hostDate.ts"
import type { RpcTypedData } from "./rpcTypes.ts"

/** Binding data by the host's own names; the library lower-cases first letters later. */
type BindingData = Record<string, RpcTypedData>

/**
 * The trigger metadata of one message, as the host sends it to the worker: strings as strings (which the
 * library then parses as JSON where it can), everything else as JSON; absent values are left out. The delivery
 * count starts at 1.
 *
 * The host copies every top-level property of a JSON body over these facts, whatever their case, except arrays
 * and nulls. An Event Grid event therefore replaces `Subject`.
 *
 * Not sent: the receiver and client objects that the host serializes among the metadata.
 *
 * Sources: https://github.com/Azure/azure-sdk-for-net (ServiceBusTriggerBindingStrategy.cs) and
 * https://github.com/Azure/azure-functions-host (Utility.ApplyBindingData, GrpcMessageConversionExtensions.cs)
 *
 * @param text - The body as text; undefined for a binary trigger, whose body is not looked into.
 */
export function messageMetadata(
  message: ServiceBusReceivedMessage,
  text: string | undefined,
  functionName: string,
): BindingData {
  const data: BindingData = {}
  for (const { name, value } of facts(message)) {
    const typed = value && typedFact(value)
    if (typed) data[name] = typed
  }
  data["sys"] = systemData(functionName)
  if (text !== undefined) applyBody(text, data)
  return data
}

/**
 * The trigger metadata of a batch: each fact once as an array named `<Fact>Array`. As in the host, a string
 * array leaves out absent and empty strings, so only arrays of facts that every message has are index-aligned.
 */
export function batchMetadata(
  messages: readonly ServiceBusReceivedMessage[],
  functionName: string,
): BindingData {
  const columns = new Map<string, (Fact | undefined)[]>()
  for (const message of messages) {
    for (const { name, value } of facts(message)) {
      const column = columns.get(name) ?? []
      column.push(value)
      columns.set(name, column)
    }
  }
  const data: BindingData = { sys: systemData(functionName) }
  for (const [name, column] of columns) data[`${name}Array`] = typedColumn(name, column)
  return data
}

type Fact = { readonly text: string } | { readonly json: string }

function typedFact(fact: Fact): RpcTypedData {
  return "text" in fact ? { string: fact.text } : { json: fact.json }
}

function typedColumn(name: string, column: readonly (Fact | undefined)[]): RpcTypedData {
  if (name === "SequenceNumber") {
    return {
      collectionSint64: { sint64: column.map((fact) => Number(fact && "json" in fact ? fact.json : 0)) },
    }
  }
  if (column.some((fact) => fact && "json" in fact)) {
    return { json: `[${column.map((fact) => (fact && "json" in fact ? fact.json : "null")).join(",")}]` }
  }
  const texts = column.flatMap((fact) => (fact && "text" in fact && fact.text !== "" ? [fact.text] : []))
  return { collectionString: { string: texts } }
}

function facts(message: ServiceBusReceivedMessage): { name: string; value: Fact | undefined }[] {
  const { enqueuedTimeUtc, expiresAtUtc } = message
  const properties = json(toPropertiesJson(message.applicationProperties ?? {}))
  const subject = textFact(message.subject)
  return [
    { name: "DeliveryCount", value: json(String((message.deliveryCount ?? 0) + 1)) },
    { name: "DeadLetterSource", value: textFact(message.deadLetterSource) },
    { name: "LockToken", value: textFact(message.lockToken) },
    { name: "ExpiresAtUtc", value: dateFact(expiresAtUtc, formatDateTime) },
    { name: "ExpiresAt", value: dateFact(expiresAtUtc, formatDateTimeOffset) },
    { name: "EnqueuedTimeUtc", value: dateFact(enqueuedTimeUtc, formatDateTime) },
    { name: "EnqueuedTime", value: dateFact(enqueuedTimeUtc, formatDateTimeOffset) },
    { name: "MessageId", value: idFact(message.messageId) },
    { name: "ContentType", value: textFact(message.contentType) },
    { name: "ReplyTo", value: textFact(message.replyTo) },
    { name: "SequenceNumber", value: json(message.sequenceNumber?.toString() ?? "0") },
    { name: "To", value: textFact(message.to) },
    { name: "Subject", value: subject },
    { name: "Label", value: subject },
    { name: "CorrelationId", value: idFact(message.correlationId) },
    { name: "ApplicationProperties", value: properties },
    { name: "UserProperties", value: properties },
    { name: "SessionId", value: textFact(message.sessionId) },
    { name: "ReplyToSessionId", value: textFact(message.replyToSessionId) },
    { name: "PartitionKey", value: textFact(message.partitionKey) },
  ]
}

function json(text: string): Fact {
  return { json: text }
}

function textFact(value: string | undefined): Fact | undefined {
  return value === undefined || value === null ? undefined : { text: value }
}

function dateFact(value: Date | undefined, format: (date: Date) => string): Fact | undefined {
  return value && json(`"${format(value)}"`)
}

function idFact(value: string | number | Buffer | undefined): Fact | undefined {
  if (value === undefined || value === null) return undefined
  return { text: Buffer.isBuffer(value) ? formatUuid(value) : String(value) }
}

function formatUuid(bytes: Buffer): string {
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

/** Application properties as JSON: dates as .NET writes them, 64-bit integers as digits, bytes as base64. */
function toPropertiesJson(properties: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(properties).map(
    ([name, value]) => `${JSON.stringify(name)}:${toPropertyJson(value)}`,
  )
  return `{${members.join(",")}}`
}

function toPropertyJson(value: unknown): string {
  if (value instanceof Date) return `"${formatUtcDateTime(value)}"`
  if (typeof value === "bigint") return value.toString()
  // The AMQP library hands over integers beyond 2^53 as their eight bytes.
  if (Buffer.isBuffer(value)) {
    return value.length === 8 ? value.readBigInt64BE().toString() : `"${value.toString("base64")}"`
  }
  return JSON.stringify(value ?? null)
}

function systemData(functionName: string): RpcTypedData {
  const utcNow = formatUtcDateTime(new Date())
  return {
    json: JSON.stringify({ MethodName: functionName, UtcNow: utcNow, RandGuid: randomUUID() }),
  }
}

function applyBody(text: string, data: BindingData): void {
  const parsed = parseObject(text)
  if (!parsed) return
  const names = new Map(Object.keys(data).map((name) => [name.toLowerCase(), name]))
  for (const [name, value] of Object.entries(parsed)) {
    const typed = bodyProperty(value)
    if (!typed) continue
    const known = names.get(name.toLowerCase())
    if (known === undefined) names.set(name.toLowerCase(), name)
    data[known ?? name] = typed
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  const trimmed = text.trim()
  if (!trimmed.startsWith("{") || !trimmed.endsWith("}")) return undefined
  try {
    const parsed: unknown = JSON.parse(trimmed)
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined
  } catch {
    return undefined
  }
}

/** The host makes a string of every scalar, in .NET's spelling, and keeps objects as JSON. */
function bodyProperty(value: unknown): RpcTypedData | undefined {
  if (value === null || Array.isArray(value)) return undefined
  if (typeof value === "object") return { json: JSON.stringify(value) }
  if (typeof value === "boolean") return { string: value ? "True" : "False" }
  if (typeof value === "string") return { string: toInvariantDateText(value) }
  return { string: String(value) }
}
