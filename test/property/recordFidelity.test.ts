import * as fc from "fast-check"
import { expect, it } from "vitest"
import { backUpVersion } from "../../shared/backup/backUpVersion.ts"
import { buildRecord, parseRecord, serializeRecord } from "../../shared/record/record.ts"
import { unsealRecord } from "../../shared/record/unsealRecord.ts"
import { SecretValue } from "../../shared/secretValue.ts"
import { formatRecordName } from "../../shared/store/blobName.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
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
    fc.asyncProperty(anyReading, async ({ value, contentType, tags, ...attributes }) => {
      const vault = createMemoryVault()
      const store = createMemoryStore()
      const object = anObject()
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
})

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
