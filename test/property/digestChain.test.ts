import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compareEntries, formatDigestEntry, parseDigestEntry } from "../../shared/digest/digestEntry.ts"
import { judgeProof } from "../../shared/digest/proof.ts"
import { aDigestJwk, aDigestStore, recordName } from "../support/aDigestStore.ts"
import { propertyRuns } from "../support/propertyRuns.ts"

const jwk = await aDigestJwk("ES256")
const metadata = fc.dictionary(
  fc.stringMatching(/^[a-z_][a-z0-9_]{0,12}$/).filter((key) => key !== "__proto__"),
  fc.string({ unit: "grapheme" }),
  { maxKeys: 6 },
)
const createdAt = fc
  .date({
    min: new Date("2026-11-20T00:00:00Z"),
    max: new Date("2026-11-24T23:59:59Z"),
    noInvalidDate: true,
  })
  .map((time) => new Date(Math.floor(time.getTime() / 1000) * 1000).toISOString())
const names = fc.uniqueArray(
  fc.oneof(
    fc.nat(400).map((index) => recordName(index)),
    fc.nat(400).map((index) => `gaps/v1/h/secrets/s${index}/${index}.gone.json`),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map((text) => `v1/${text}`),
  ),
  { minLength: 1, maxLength: 25 },
)
const store = names.chain((all) =>
  fc.tuple(...all.map((name) => fc.record({ name: fc.constant(name), createdAt, metadata }))),
)

describe("a chain of digests", () => {
  it("finds and names any single change of any entry, and nothing else", async () => {
    const change = fc.constantFrom("metadata", "newKey", "dropKey", "size", "remove", "add", "redate")
    await fc.assert(
      fc.asyncProperty(store, change, fc.nat(), fc.nat(), async (entries, kind, at, spot) => {
        const world = await aDigestStore({ jwk })
        for (const entry of entries) world.put(entry.name, entry.createdAt, entry.metadata)
        await world.write()
        const clean = await world.prove()
        expect(clean.findings).toEqual([])
        expect(judgeProof(clean)).toBe("proved")

        const { name } = entries[at % entries.length]!
        const blob = world.blobs.get(name)!
        const day = blob.createdAt.toISOString().slice(0, 10)
        const keys = Object.keys(blob.metadata)
        const key = keys[spot % Math.max(1, keys.length)] ?? "none"
        const { [key]: value = "", ...rest } = blob.metadata
        const expected = { kind: "entryChanged", day, blob: name }
        switch (kind) {
          case "metadata":
            blob.metadata = { ...rest, [key]: `${value}.` }
            break
          case "newKey":
            blob.metadata = { ...blob.metadata, zz_added: "" }
            break
          case "dropKey":
            if (keys.length === 0) return
            blob.metadata = rest
            break
          case "size":
            blob.body = Buffer.concat([blob.body, Buffer.from(" ")])
            break
          case "remove":
            world.blobs.delete(name)
            expected.kind = "entryRemoved"
            break
          case "add":
            expected.blob = `${name}~`
            world.put(expected.blob, blob.createdAt.toISOString(), blob.metadata)
            expected.kind = "entryAdded"
            break
          default:
            blob.createdAt = new Date(blob.createdAt.getTime() + 1000)
        }
        const proof = await world.prove()
        expect(judgeProof(proof)).toBe("wrong")
        expect(proof.findings[0]).toMatchObject(expected)
        const next = new Date(blob.createdAt).toISOString().slice(0, 10)
        // A blob that was dated over midnight is named on both days.
        const others = kind === "redate" && next !== day ? 1 : 0
        expect(proof.findings.length).toBeLessThanOrEqual(1 + others)
        const wrong = proof.days.filter(({ status }) => status !== "proved").map((each) => each.day)
        expect(wrong.filter((each) => each !== next)).toEqual(next === day ? [] : [day])
      }),
      propertyRuns(25),
    )
  }, 120_000)

  it("names exactly the digests that were removed", async () => {
    const removals = fc.subarray(["20", "21", "22", "23", "24"], { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(removals, async (removed) => {
        const world = await aDigestStore({ jwk })
        world.put(recordName(1), "2026-11-20T10:00:00.000Z")
        await world.write()
        world.clock.advance(2 * 3_600_000)
        for (const day of removed) world.blobs.delete(`digest/v1/2026-11-${day}.json`)
        const { findings } = await world.prove()
        expect(findings).toEqual(removed.map((day) => ({ kind: "digestMissing", day: `2026-11-${day}` })))
      }),
      propertyRuns(15),
    )
  })
})

describe("formatDigestEntry", () => {
  it("gives the same bytes in whatever order metadata comes, and reads back", () => {
    fc.assert(
      fc.property(
        metadata,
        fc.string({ unit: "grapheme" }),
        createdAt,
        fc.nat(),
        (data, name, time, size) => {
          const blob = { name, createdAt: new Date(time), sizeBytes: size, metadata: data }
          const turned = Object.fromEntries(Object.entries(data).toReversed())
          const line = formatDigestEntry(blob)
          expect(formatDigestEntry({ ...blob, metadata: turned })).toBe(line)
          expect(line.slice(0, -1)).not.toContain("\n")
          const read = parseDigestEntry(line)!
          expect(read).toEqual(blob)
          expect(compareEntries(read, blob)).toEqual([])
        },
      ),
      propertyRuns(200),
    )
  })
})
