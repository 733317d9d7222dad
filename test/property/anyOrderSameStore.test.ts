import { InvocationContext } from "@azure/functions"
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { createBackupVersionHandler } from "../../functions/backupVersion.ts"
import { createAllowList } from "../../shared/change/allowList.ts"
import { formatChangeMessage } from "../../shared/change/changeMessage.ts"
import { ServiceError } from "../../shared/errors.ts"
import type { OutgoingMessage } from "../../shared/queue/changeQueue.ts"
import { createMemoryChangeQueue } from "../../shared/queue/memoryChangeQueue.ts"
import { parseRecord } from "../../shared/record/record.ts"
import { unsealRecord } from "../../shared/record/unsealRecord.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
import { aChain, certificateReadings } from "../support/aChain.ts"
import { anEventOfKind, anObject, aReading, vault as vaultUrl } from "../support/builders.ts"
import { capturingLog } from "../support/capturingLog.ts"
import { collect } from "../support/collect.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { silentTelemetry } from "../support/memoryTelemetry.ts"
import { propertyRuns } from "../support/propertyRuns.ts"
import { recipientPair } from "../support/recipientPair.ts"

const pair = await recipientPair("EC", "recovery-1")

/** Six secret versions: four that can be read, one disabled, one that the vault has not. */
const secrets = Array.from({ length: 6 }, (_, n) =>
  anObject({ version: n + 1, name: n % 2 === 0 ? "a" : "b" }),
)
const [disabled, absent] = [4, 5]
/** Two certificate versions; of one the key stays in the vault. */
const certificates = [7, 8].map((version) => anObject({ kind: "certificate", name: "tls", version }))
const readings = [
  certificateReadings(aChain()),
  certificateReadings(aChain({ length: 2 }), { exportable: false }),
]
const objects = [...secrets, ...certificates]

type AnObject = (typeof objects)[0]
const asMessage = (object: AnObject) => JSON.parse(formatChangeMessage({ object, origin: "live" })) as unknown
const eventOf = (object: AnObject) =>
  anEventOfKind(object.kind === "certificate" ? "Certificate" : "Secret", object)
/** What may tell of a version. Of a certificate also its secret and its key; of a secret the same events again. */
const forms: readonly ((object: AnObject) => unknown)[] = [
  eventOf,
  (object) => {
    const { id, topic, subject, eventType, eventTime, data } = eventOf(object)
    return { id, source: topic, subject, type: eventType, time: eventTime, data, specversion: "1.0" }
  },
  asMessage,
  (object) => anEventOfKind("Secret", object),
  (object) => asMessage({ ...object, kind: "secret" }),
]
const keyEvents = certificates.map((object) => anEventOfKind("Key", object))

/** Delivers every message, and what is deferred again, until nothing is left; faults come as `faults` says. */
async function play(
  deliveries: readonly (readonly [object: number, form: number])[],
  faults: readonly boolean[],
) {
  const vault = createMemoryVault()
  const store = createMemoryStore()
  const changes = createMemoryChangeQueue()
  const quarantine = createMemoryChangeQueue()
  const clock = fakeClock()
  for (const [n, object] of secrets.entries()) {
    if (n !== absent)
      vault.set(object, aReading({ value: `value ${n}`, attributes: { enabled: n !== disabled } }))
  }
  for (const [n, object] of certificates.entries()) {
    vault.setCertificate(object, readings[n]!.certificate)
    vault.set({ ...object, kind: "secret" }, readings[n]!.secret)
  }
  const pending = [...faults]
  const fail = () => {
    if (pending.shift() === true) throw new ServiceError("ERR_UNKNOWN", "a fault")
  }
  const handler = createBackupVersionHandler(() => ({
    telemetry: silentTelemetry(),
    allowList: createAllowList([vaultUrl]),
    backup: {
      vault: {
        readSecret: async (object) => (fail(), vault.readSecret(object)),
        readCertificate: async (object) => (fail(), vault.readCertificate(object)),
      },
      store: {
        describeProtection: () => store.describeProtection(),
        putIfAbsent: async (...put) => {
          fail()
          const outcome = await store.putIfAbsent(...put)
          // The answer may be lost although the blob is there.
          fail()
          return outcome
        },
      },
      recipientsOf: async () => [pair.recipient],
      clock,
      exclude: [],
    },
    changes,
    quarantine,
    retry: { firstDelayMs: 15_000, maxDelayMs: 900_000, maxAgeMs: 86_400_000 },
    clock,
    log: capturingLog(),
  }))
  const deliver = (body: unknown, applicationProperties: OutgoingMessage["properties"] = {}) =>
    handler(body, new InvocationContext({ triggerMetadata: { messageId: "m", applicationProperties } }))
  for (const [n, form] of deliveries) {
    await deliver(forms[form]?.(objects[n]!))
    if (form % 2 === 0) await deliver(keyEvents[n % keyEvents.length])
  }
  for (let next = 0; next < changes.sent.length; next++) {
    const { body, properties } = changes.sent[next]!
    await deliver(JSON.parse(String(body)), properties)
  }
  expect(quarantine.sent).toEqual([])
  const contents: Record<string, unknown> = {}
  for (const { name } of await collect(store.list(""))) {
    const bytes = await store.read(name)
    const isRecord = name.startsWith("v1/")
    const json: unknown = isRecord
      ? parseRecord(await unsealRecord(bytes, name, [pair.openingKey]))
      : JSON.parse(Buffer.from(bytes).toString())
    // The first event that is backed up leaves its evidence: which one that is depends on the order.
    const {
      readAt: _readAt,
      triedAt: _triedAt,
      eventTime: _time,
      event: _event,
      ...rest
    } = json as Record<string, unknown>
    contents[name] = rest
  }
  return contents
}

const everyObject = objects.map((_, n) => [n, 0] as const)
const expected = await play(everyObject, [])

it("stores what the vault has, and why the rest is not there", () => {
  expect(Object.keys(expected).map((name) => name.split("/")[0])).toEqual([
    "gaps",
    "gaps",
    "v1",
    "v1",
    "v1",
    "v1",
    "v1",
    "v1",
  ])
  const kinds = Object.keys(expected).map((name) => name.split("/").at(-3))
  expect(kinds.filter((kind) => kind === "certificates")).toHaveLength(2)
})

it("leaves the same store after any order, repetition and form of the same changes, whatever fails on the way", async () => {
  const delivery = fc.tuple(fc.nat({ max: objects.length - 1 }), fc.nat({ max: forms.length - 1 }))
  const plan = fc
    .tuple(
      fc.array(delivery, { maxLength: 20 }),
      fc.tuple(...objects.map(() => fc.nat({ max: forms.length - 1 }))),
    )
    .chain(([more, once]) => {
      const all = [...once.map((form, n) => [n, form] as const), ...more]
      return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })
    })
  await fc.assert(
    fc.asyncProperty(plan, fc.array(fc.boolean(), { maxLength: 30 }), async (deliveries, faults) => {
      expect(await play(deliveries, faults)).toEqual(expected)
    }),
    propertyRuns(20),
  )
}, 120_000)
