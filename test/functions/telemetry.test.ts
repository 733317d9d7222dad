import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import { describe, expect, it } from "vitest"
import { copyToReplay } from "../../shared/deadLetter/messageCopy.ts"
import { ServiceError } from "../../shared/errors.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { metricDescriptions, type MetricName } from "../../shared/telemetry/instruments.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
import { aDeadLetter } from "../shared/deadLetter/aDeadLetter.ts"
import { aHandler } from "../support/aHandler.ts"
import { anEventGridEvent, anObject, aReading, host, vault as vaultUrl } from "../support/builders.ts"
import { createCanary, findCanaries, randomCanaryText } from "../support/canary.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { memoryTelemetry } from "../support/memoryTelemetry.ts"
import { recipientPair } from "../support/recipientPair.ts"

const { recipient } = await recipientPair("EC")
const traceId = "0af7651916cd43dd8448eb211c80319c"
const senderSpan = "b7ad6b7169203331"
const traceparent = `00-${traceId}-${senderSpan}-01`
const hostTraceparent = "00-11111111111111111111111111111111-2222222222222222-00"

/** A worker whose telemetry is kept, with one secret in its vault. */
function aWorker(conventions: "old" | "new" | "both" = "old") {
  const clock = fakeClock()
  const kept = memoryTelemetry(clock, conventions)
  const vault = createMemoryVault()
  const store = createMemoryStore()
  const faults: { vault?: ServiceError; store?: ServiceError } = {}
  vault.set(anObject(), aReading({ value: "x" }))
  const handler = aHandler({
    vaults: [vaultUrl],
    vault: {
      readSecret: async (object) => {
        if (faults.vault) throw faults.vault
        return vault.readSecret(object)
      },
      readCertificate: (object) => vault.readCertificate(object),
    },
    store: {
      describeProtection: () => store.describeProtection(),
      putIfAbsent: async (...put) => {
        if (faults.store) throw faults.store
        return store.putIfAbsent(...put)
      },
    },
    recipients: [recipient],
    clock,
    telemetry: kept.telemetry,
  })
  const named = (name: string) => kept.spans().filter((span) => span.name === name)
  return { ...kept, ...handler, vault, faults, clock, named }
}

const work = "keyvault-changes deliver"

describe("one trace from event to blob", () => {
  it("has a span of the message, of the change in it, and of each stage", async () => {
    const { deliver, spans } = aWorker()
    await deliver(anEventGridEvent())
    const [read, seal, put, change, message] = spans()
    expect(spans().map(({ name }) => name)).toEqual(["read", "seal", "put", "back up version", work])
    expect(new Set(spans().map((span) => span.spanContext().traceId)).size).toBe(1)
    for (const stage of [read, seal, put]) {
      expect(stage?.parentSpanContext?.spanId).toBe(change?.spanContext().spanId)
    }
    expect(change?.parentSpanContext?.spanId).toBe(message?.spanContext().spanId)
    expect(message?.parentSpanContext).toBeUndefined()
    expect([read, seal, put, change, message].map((span) => span?.kind)).toEqual([
      SpanKind.CLIENT,
      SpanKind.INTERNAL,
      SpanKind.CLIENT,
      SpanKind.INTERNAL,
      SpanKind.CONSUMER,
    ])
    expect(change?.attributes).toEqual({
      "kvbackup.outcome": "stored",
      "kvbackup.origin": "live",
      "kvbackup.vault": host,
      "kvbackup.kind": "secret",
      "kvbackup.version": anObject().version,
    })
  })

  it.each([
    { name: "traceparent", properties: { traceparent } },
    { name: "Diagnostic-Id, as the host spells it", properties: { "diagnostic-Id": traceparent } },
    {
      name: "traceparent, where both are",
      properties: { traceparent, "diagnostic-Id": hostTraceparent },
    },
  ])("goes on from the sender's $name", async ({ properties }) => {
    const { deliver, named } = aWorker()
    await deliver(anEventGridEvent(), properties, hostTraceparent)
    const [message] = named(work)
    expect(message?.spanContext().traceId).toBe(traceId)
    expect(message?.parentSpanContext?.spanId).toBe(senderSpan)
    expect(message?.links.map(({ context }) => context.spanId)).toEqual(["2222222222222222"])
  })

  it.each([{ properties: {} }, { properties: { traceparent: "soon", "diagnostic-Id": "|old.1." } }])(
    "goes on from the host's where the sender wrote none that can be read: $properties",
    async ({ properties }) => {
      const { deliver, named } = aWorker()
      await deliver(anEventGridEvent(), properties, hostTraceparent)
      expect(named(work)[0]?.parentSpanContext?.spanId).toBe("2222222222222222")
      expect(named(work)[0]?.links).toEqual([])
    },
  )

  it("holds every attempt: the copy of a deferred change carries it, and so does a replay of it", async () => {
    const { deliver, faults, changes, named } = aWorker()
    faults.vault = new ServiceError("ERR_VAULT_UNAVAILABLE", "no")
    await deliver(anEventGridEvent(), { traceparent })
    const [copy] = changes.sent
    const [first] = named(work)
    expect(copy?.properties["traceparent"]).toBe(`00-${traceId}-${first?.spanContext().spanId}-01`)
    const replayed = copyToReplay(
      aDeadLetter({ body: Buffer.from(String(copy?.body)), properties: { ...copy?.properties } }),
      { messageId: "fresh", plan: "p" },
    )
    delete faults.vault
    await deliver(JSON.parse(String(replayed.body)), replayed.envelope.properties as Record<string, string>)
    const [, second] = named(work)
    expect(second?.spanContext().traceId).toBe(traceId)
    expect(second?.parentSpanContext?.spanId).toBe(first?.spanContext().spanId)
    expect(named("put")[0]?.spanContext().traceId).toBe(traceId)
  })

  it("has failed spans with their code alone, and none of the message that was dealt with", async () => {
    const { deliver, faults, named } = aWorker()
    faults.store = new ServiceError("ERR_STORE_FIREWALL", "closed to db-password")
    await deliver(anEventGridEvent())
    for (const name of ["put", "back up version"]) {
      const [span] = named(name)
      expect(span?.status).toEqual({ code: SpanStatusCode.ERROR })
      expect(span?.attributes["error.type"]).toBe("ERR_STORE_FIREWALL")
      expect(span?.events).toEqual([])
    }
    expect(named("read")[0]?.status.code).toBe(SpanStatusCode.UNSET)
    expect(named(work)[0]?.status.code).toBe(SpanStatusCode.UNSET)
  })

  it("ends also when the message is given back", async () => {
    const { deliver, named } = aWorker()
    await expect(deliver(`{"id":"\uFFFD"}`)).rejects.toMatchObject({ code: "ERR_EVENT_LOSSY" })
    expect(named(work)[0]?.attributes["error.type"]).toBe("ERR_EVENT_LOSSY")
    expect(named(work)[0]?.ended).toBe(true)
  })

  it("has one span for each change of an array", async () => {
    const { deliver, named, vault } = aWorker()
    vault.set(anObject({ version: 2 }), aReading({ value: "y" }))
    await deliver([anEventGridEvent(), anEventGridEvent(anObject({ version: 2 }))])
    expect(named("back up version").map(({ attributes }) => attributes["kvbackup.version"])).toEqual([
      anObject().version,
      anObject({ version: 2 }).version,
    ])
    expect(named(work)).toHaveLength(1)
  })

  it("is written by the newer names where they are asked for", async () => {
    const { deliver, named } = aWorker("new")
    await deliver(anEventGridEvent())
    expect(named("process keyvault-changes")[0]?.attributes).toMatchObject({
      "messaging.operation.type": "process",
    })
    expect(named(work)).toEqual([])
  })

  it("without an SDK nothing is written on copies but what the sender wrote", async () => {
    const vault = createMemoryVault()
    const handler = aHandler({
      vaults: [vaultUrl],
      vault,
      store: createMemoryStore(),
      recipients: [recipient],
    })
    const failing = {
      ...vault,
      readSecret: async () => Promise.reject(new ServiceError("ERR_VAULT_UNAVAILABLE", "no")),
    }
    const deferring = aHandler({
      vaults: [vaultUrl],
      vault: failing,
      store: createMemoryStore(),
      recipients: [recipient],
    })
    const host = "00-11111111111111111111111111111111-2222222222222222-01"
    await handler.deliver("garbage", {}, host)
    expect(handler.quarantine.sent[0]?.properties).not.toHaveProperty("traceparent")
    await deferring.deliver(anEventGridEvent(), { traceparent }, host)
    expect(deferring.changes.sent[0]?.properties["traceparent"]).toBe(traceparent)
  })
})

describe("metrics of the work", () => {
  it("count each outcome by code, origin and vault", async () => {
    const { deliver, points, faults, vault } = aWorker()
    await deliver(anEventGridEvent())
    await deliver(anEventGridEvent())
    await deliver({ ...anEventGridEvent(), eventType: "Microsoft.KeyVault.SecretNearExpiry" })
    await deliver("garbage")
    vault.set(anObject({ version: 3 }), aReading({ value: "z", attributes: { enabled: false } }))
    await deliver(anEventGridEvent(anObject({ version: 3 })))
    await deliver(anEventGridEvent(anObject({ version: 4 })))
    faults.vault = new ServiceError("ERR_VAULT_THROTTLED", "no")
    await deliver(anEventGridEvent(anObject({ version: 5 })), { "kvb-origin": "reconcile" })
    const live = { "kvbackup.origin": "live", "kvbackup.vault": host }
    const of = (outcome: string, more = {}) => ({
      attributes: { "kvbackup.outcome": outcome, ...more },
      value: 1,
    })
    expect(await points("kvbackup.changes")).toEqual([
      of("stored", live),
      of("alreadyStored", live),
      of("skipped"),
      of("poison", { "error.type": "ERR_EVENT_MALFORMED" }),
      of("unreadable", { ...live, "error.type": "ERR_VAULT_VERSION_DISABLED" }),
      of("gone", { ...live, "error.type": "ERR_VAULT_VERSION_ABSENT" }),
      of("deferred", { ...live, "kvbackup.origin": "reconcile", "error.type": "ERR_VAULT_THROTTLED" }),
    ])
  })

  it("time each stored change from its event to the PUT, as the ledger has it, and no repetition", async () => {
    const { deliver, points } = aWorker()
    await deliver(anEventGridEvent())
    await deliver(anEventGridEvent())
    // 10:00:00.123 to 10:00:05.000.
    expect(await points("kvbackup.change.latency")).toEqual([
      {
        attributes: { "kvbackup.origin": "live", "kvbackup.vault": host, "kvbackup.deferred": false },
        value: { count: 1, sum: 4.877 },
      },
    ])
  })

  it("take a restored version for what it is, although its event looks like any other", async () => {
    const { deliver, points, vault } = aWorker()
    vault.set(anObject(), aReading({ value: "x", tags: { "kvb-restored-from": "elsewhere" } }))
    await deliver(anEventGridEvent())
    const [point] = await points("kvbackup.changes")
    expect(point?.attributes["kvbackup.origin"]).toBe("restore")
  })

  it("time each stage, the failed ones apart", async () => {
    const { deliver, points, faults } = aWorker()
    await deliver(anEventGridEvent())
    faults.vault = new ServiceError("ERR_VAULT_UNAVAILABLE", "no")
    await deliver(anEventGridEvent())
    const counts = (await points("kvbackup.stage.duration")).map(({ attributes, value }) => [
      attributes["kvbackup.stage"],
      attributes["error.type"],
      typeof value === "number" ? value : value.count,
    ])
    expect(counts).toEqual([
      ["read", undefined, 1],
      ["seal", undefined, 1],
      ["put", undefined, 1],
      ["read", "ERR_VAULT_UNAVAILABLE", 1],
    ])
  })

  it("tell deferrals by cause with the delay to the next attempt, and what went to quarantine", async () => {
    const { deliver, points, faults } = aWorker()
    faults.vault = new ServiceError("ERR_VAULT_THROTTLED", "no", { retryAfterMs: 120_000 })
    await deliver(anEventGridEvent())
    await deliver("garbage")
    expect(await points("kvbackup.deferral.delay")).toEqual([
      { attributes: { "error.type": "ERR_VAULT_THROTTLED" }, value: { count: 1, sum: 120 } },
    ])
    expect(await points("kvbackup.quarantined")).toEqual([
      { attributes: { "error.type": "ERR_EVENT_MALFORMED" }, value: 1 },
    ])
  })
})

it("no value, no tag and no name is in any metric or span, and no attribute but those that are documented", async () => {
  const secret = randomCanaryText()
  const [name, tag, messageBody] = [1, 2, 3].map(randomCanaryText)
  const { deliver, vault, spans, metrics, faults } = aWorker("both")
  const object = anObject({ name: name ?? "" })
  const event = anEventGridEvent(object)
  vault.set(object, aReading({ value: secret, tags: { owner: tag ?? "" }, contentType: tag ?? "" }))
  await deliver(event, { traceparent })
  await deliver(event)
  await deliver(`{"x": "${messageBody}"}`)
  faults.store = new ServiceError("ERR_STORE_UNAVAILABLE", `no ${secret}`, { cause: new Error(secret) })
  await deliver(event)
  faults.vault = new ServiceError("ERR_UNKNOWN", secret)
  await deliver(event)

  const spanKeys = new Set(spans().flatMap(({ attributes }) => Object.keys(attributes)))
  expect([...spanKeys].sort()).toEqual([
    "error.type",
    "kvbackup.kind",
    "kvbackup.origin",
    "kvbackup.outcome",
    "kvbackup.stage",
    "kvbackup.vault",
    "kvbackup.version",
    "messaging.destination.name",
    "messaging.message.id",
    "messaging.operation",
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.system",
  ])
  const kept = await metrics()
  expect(kept.length).toBeGreaterThan(4)
  for (const { descriptor, dataPoints } of kept) {
    const { attributes: allowed, unit } = metricDescriptions[descriptor.name as MetricName]
    expect(descriptor.unit).toBe(unit)
    for (const { attributes } of dataPoints) {
      const others = Object.keys(attributes).filter((key) => !(allowed as readonly string[]).includes(key))
      expect(others).toEqual([])
    }
  }
  const places = new Map([
    ["metrics", Buffer.from(JSON.stringify(kept))],
    ...spans().map((span, index) => {
      const { name, attributes, events, links, status, resource } = span
      const text = JSON.stringify({ name, attributes, events, links, status, resource: resource.attributes })
      return [`span ${index}`, Buffer.from(text)] as const
    }),
  ])
  const canaries = [secret, name, tag, messageBody].map((text) => createCanary(text ?? ""))
  expect(findCanaries(places, canaries)).toEqual([])
})
