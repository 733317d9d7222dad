import * as fc from "fast-check"
import { expect, it } from "vitest"
import { backUpVersion } from "../../shared/backup/backUpVersion.ts"
import { readVersion } from "../../shared/backup/readVersion.ts"
import { buildRecord, parseRecord, serializeRecord } from "../../shared/record/record.ts"
import { unsealRecord } from "../../shared/record/unsealRecord.ts"
import { chainOf, isSame } from "../../shared/restore/compareRecord.ts"
import { SecretValue } from "../../shared/secretValue.ts"
import { formatRecordName } from "../../shared/store/blobName.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
import { aChain, certificateReadings, contentTypes, materialOf } from "../support/aChain.ts"
import { aChange, anObject } from "../support/builders.ts"
import { collect } from "../support/collect.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { propertyRuns } from "../support/propertyRuns.ts"
import { recipientPair } from "../support/recipientPair.ts"

const pairs = [await recipientPair("EC", "recovery-1"), await recipientPair("RSA", "recovery-2")]
const awkward = [
  "",
  "\0",
  "\uFEFF",
  "\uD800",
  "\uDFFF\uD800",
  "\uFFFD",
  "\u2028",
  "__proto__",
  "%00",
  "\\u0000",
  '"',
  "</script>",
]

/** Any text there is: whole characters, lone halves of them, and what tools have stumbled over. */
const anyText = fc.oneof(
  fc.string(),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(...awkward),
)
const anyTags = fc
  .array(fc.tuple(anyText, anyText), { maxLength: 15 })
  .map((tags) => Object.fromEntries(tags))
const anyTime = fc.option(
  fc.date({ noInvalidDate: true }).map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000)),
  { nil: undefined },
)

const anyReading = fc.record({
  name: fc.string({ unit: fc.constantFrom(..."abcyz0189-"), minLength: 1, maxLength: 127 }),
  value: anyText,
  contentType: fc.option(anyText, { nil: undefined }),
  tags: anyTags,
  enabled: fc.constant(true),
  created: anyTime,
  notBefore: anyTime,
  expires: anyTime,
})

const present = (members: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined))

it("keeps every value, content type, tag and time from the vault's answer to the opened record", async () => {
  await fc.assert(
    fc.asyncProperty(anyReading, async ({ name, value, contentType, tags, ...attributes }) => {
      const vault = createMemoryVault()
      const store = createMemoryStore()
      const object = anObject({ name })
      const given = {
        tags,
        attributes: { enabled: true, ...present(attributes) },
        ...present({ contentType }),
      }
      vault.set(object, { ...given, value: new SecretValue(value) })
      const clock = fakeClock()
      const recipients = pairs.map(({ recipient }) => recipient)
      const delivery = { receivedAt: clock.now(), failedAttempts: 0, replays: 0 }
      const outcome = await backUpVersion(aChange({ object }), delivery, {
        vault,
        store,
        clock,
        recipientsOf: async () => recipients,
        exclude: [],
      })
      expect(outcome).toMatchObject({ outcome: "stored" })
      const blob = formatRecordName(object)
      const [entry] = await collect(store.list(blob))
      for (const { openingKey } of pairs) {
        const bytes = await unsealRecord(
          await store.read(blob),
          blob,
          [openingKey],
          entry?.metadata["sha256"],
        )
        const record = parseRecord(bytes)
        expect(record.object.name).toBe(name)
        expect(isSame(record, await readVersion(object, vault))).toBe(true)
        expect(record.value).toBe(value)
        expect(record.contentType).toBe(contentType)
        expect(Object.entries(record.tags)).toEqual(Object.entries(tags))
        for (const key of ["created", "notBefore", "expires"] as const) {
          const text = record.attributes[key]
          expect(text === undefined ? undefined : new Date(text)).toEqual(attributes[key])
        }
      }
    }),
    propertyRuns(25),
  )
}, 300_000)

/** A policy as a vault may send it: JSON of any shape, of which only `key_props` means something here. */
const anyPolicy = fc
  .dictionary(
    fc.oneof(anyText, fc.constantFrom("x509_props", "lifetime_actions", "issuer", "attributes")),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 4 },
  )
  .map((policy) => ({ ...policy, key_props: { exportable: true } }))
const chains = [aChain(), aChain({ length: 2 }), aChain({ length: 3 })]

it("keeps certificate, policy, chain, key and every tag from the vault's answers to the opened record", async () => {
  const anyCertificate = fc.record({
    name: fc.string({ unit: fc.constantFrom(..."abcyz0189-"), minLength: 1, maxLength: 127 }),
    chain: fc.constantFrom(...chains),
    contentType: fc.constantFrom(...contentTypes),
    exportable: fc.boolean(),
    order: fc.nat({ max: 5 }),
    tags: anyTags,
    policy: fc.option(anyPolicy, { nil: undefined }),
    expires: anyTime,
    isSecretEvent: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(anyCertificate, async (given) => {
      const { name, chain, contentType, exportable, tags, policy, expires } = given
      const vault = createMemoryVault()
      const store = createMemoryStore()
      const object = anObject({ kind: "certificate", name })
      const ders = rotate(chain.certificates, given.order)
      const value = materialOf(exportable ? chain.key : undefined, ders, contentType)
      const attributes = { enabled: true, ...present({ expires }) }
      const readings = certificateReadings(chain, { contentType, value, tags, attributes })
      vault.setCertificate(object, { ...readings.certificate, ...present({ policy }) })
      vault.set({ ...object, kind: "secret" }, readings.secret)
      const clock = fakeClock()
      const asked = given.isSecretEvent ? { ...object, kind: "secret" as const } : object
      const outcome = await backUpVersion(
        aChange({ object: asked }),
        { receivedAt: clock.now(), failedAttempts: 0, replays: 0 },
        {
          vault,
          store,
          clock,
          recipientsOf: async () => pairs.map(({ recipient }) => recipient),
          exclude: [],
        },
      )
      const blob = formatRecordName(object)
      expect(outcome).toMatchObject({ outcome: "stored", blob })
      const record = parseRecord(await unsealRecord(await store.read(blob), blob, [pairs[0]!.openingKey]))
      expect(record.value).toBe(value)
      expect(Object.entries(record.tags)).toEqual(Object.entries(tags))
      expect(record.certificate?.cer).toBe(chain.certificates[0].toString("base64"))
      const sent = policy ?? readings.certificate.policy
      expect(JSON.stringify(record.certificate?.policy)).toBe(JSON.stringify(sent))
      expect(record.certificate?.privateKey).toBe(exportable ? "present" : "absentByPolicy")
      expect(
        record.attributes.expires === undefined ? undefined : new Date(record.attributes.expires),
      ).toEqual(expires)
      expect(isSame(record, await readVersion(object, vault))).toBe(true)
      expect(chainOf(record)).toBe("complete")
    }),
    propertyRuns(25),
  )
}, 300_000)

function rotate<T>(all: readonly T[], by: number): T[] {
  const at = by % all.length
  return [...all.slice(at), ...all.slice(0, at)]
}

it("reads every record back as it was built", () => {
  fc.assert(
    fc.property(anyText, anyTags, (value, tags) => {
      const reading = { id: "x", tags, attributes: { enabled: true }, managed: false }
      const record = buildRecord({ object: anObject(), secret: reading }, aChange().event, value, new Date(0))
      expect(parseRecord(serializeRecord(record))).toEqual(record)
    }),
    propertyRuns(200),
  )
})

it("gives a record or one of two codes for any bytes, and never quotes them", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        let code: unknown
        try {
          parseRecord(bytes)
        } catch (error) {
          code = (error as { code?: unknown }).code
        }
        expect(code).toBe("ERR_SEAL_INTEGRITY")
      },
    ),
    propertyRuns(200),
  )
})
