import { beforeEach, describe, expect, it } from "vitest"
import { formatDigestName } from "../../../shared/digest/digestNames.ts"
import { openDigestKeyFile } from "../../../shared/digest/localDigestKey.ts"
import { judgeProof, type Proof } from "../../../shared/digest/proof.ts"
import { proveDigests } from "../../../shared/digest/proveDigests.ts"
import { digestSchema, signDigest } from "../../../shared/digest/signedDigest.ts"
import { sha256Of } from "../../../shared/digest/collectEntries.ts"
import { ServiceError } from "../../../shared/errors.ts"
import { aDigestJwk, aDigestStore, keyFile, publicJwk, recordName } from "../../support/aDigestStore.ts"
import { collect } from "../../support/collect.ts"

/** Five days, 20 to 24 November; the 22nd has no entry. */
const days = ["2026-11-20", "2026-11-21", "2026-11-23", "2026-11-24"]
const perDay = 5
let world: Awaited<ReturnType<typeof aDigestStore>>

beforeEach(async () => {
  world = await aDigestStore()
  let index = 0
  for (const day of days) {
    for (let of = 0; of < perDay; of++) world.put(recordName((index += 7) % 100), `${day}T10:00:0${of}.000Z`)
  }
  world.put("gaps/v1/payments.vault.azure.net/secrets/a/01.gone.json", "2026-11-21T23:59:59.000Z", {
    code: "c",
  })
  await world.write()
})

const statuses = (proof: Proof) => Object.fromEntries(proof.days.map(({ day, status }) => [day, status]))
const proved = Object.fromEntries(
  ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"].map((day) => [day, "proved"]),
)
const blobOf = (name: string) => world.blobs.get(name)!
const firstOf = (day: string) =>
  [...world.blobs].find(
    ([name, { createdAt }]) => name.startsWith("v1/") && createdAt.toISOString().startsWith(day),
  )![0]
const payloadOf = (name: string) =>
  digestSchema.parse(
    JSON.parse(
      Buffer.from(JSON.parse(Buffer.from(blobOf(name).body).toString()).payload, "base64url").toString(),
    ),
  )

describe("proveDigests", () => {
  it("proves every day of an untouched store, those without entries too", async () => {
    const proof = await world.prove()
    expect(statuses(proof)).toEqual(proved)
    expect(proof).toMatchObject({ findings: [], more: 0, from: "2026-11-20", to: "2026-11-24" })
    expect(proof).toMatchObject({ chainBegins: "2026-11-20", lastClosedDay: "2026-11-24" })
    expect(proof.days.map(({ entries }) => entries)).toEqual([5, 6, 0, 5, 5])
    expect(proof.days[0]?.storedAt).toEqual(new Date("2026-11-25T00:30:00.000Z"))
    expect(judgeProof(proof)).toBe("proved")
  })

  it("names the blob and the field of one metadata byte that was changed", async () => {
    const name = firstOf("2026-11-23")
    blobOf(name).metadata = { ...blobOf(name).metadata, putat: "2026-11-23T10:00:00.001Z" }
    const proof = await world.prove()
    expect(statuses(proof)).toEqual({ ...proved, "2026-11-23": "wrong" })
    expect(proof.findings).toEqual([
      {
        kind: "entryChanged",
        day: "2026-11-23",
        blob: name,
        changes: [
          { field: "metadata.putat", was: "2026-11-23T10:00:00.000Z", is: "2026-11-23T10:00:00.001Z" },
        ],
      },
    ])
    expect(judgeProof(proof)).toBe("wrong")
  })

  it("names an entry that was removed, also the only gap record", async () => {
    world.blobs.delete("gaps/v1/payments.vault.azure.net/secrets/a/01.gone.json")
    const removed = firstOf("2026-11-24")
    world.blobs.delete(removed)
    expect((await world.prove()).findings).toEqual([
      {
        kind: "entryRemoved",
        day: "2026-11-21",
        blob: "gaps/v1/payments.vault.azure.net/secrets/a/01.gone.json",
      },
      { kind: "entryRemoved", day: "2026-11-24", blob: removed },
    ])
  })

  it("names an entry that was added later with an old time, on a day without entries too", async () => {
    world.put(recordName(900), "2026-11-22T10:00:00.000Z")
    world.put(recordName(901), "2026-11-20T10:00:00.000Z")
    expect((await world.prove()).findings).toEqual([
      { kind: "entryAdded", day: "2026-11-20", blob: recordName(901) },
      { kind: "entryAdded", day: "2026-11-22", blob: recordName(900) },
    ])
  })

  it("names an entry that is dated before the chain began, and accuses no day of having no digest", async () => {
    world.put(recordName(900), "2019-05-05T10:00:00.000Z")
    const proof = await world.prove()
    expect(proof.findings).toEqual([{ kind: "entryAdded", day: "2019-05-05", blob: recordName(900) }])
    expect(statuses(proof)).toEqual(proved)
  })

  it("names both days of an entry that was removed and put again", async () => {
    const name = firstOf("2026-11-20")
    blobOf(name).createdAt = new Date("2026-11-24T12:00:00.000Z")
    expect((await world.prove()).findings).toEqual([
      {
        kind: "entryChanged",
        day: "2026-11-20",
        blob: name,
        changes: [{ field: "createdAt", was: "2026-11-20T10:00:00.000Z", is: "2026-11-24T12:00:00.000Z" }],
      },
      { kind: "entryAdded", day: "2026-11-24", blob: name },
    ])
  })

  it.each(["2026-11-20", "2026-11-22", "2026-11-23", "2026-11-24"])(
    "names the missing day when the digest of %s was removed, and no other",
    async (day) => {
      world.blobs.delete(formatDigestName(day, 0))
      world.clock.advance(3 * 3_600_000)
      const proof = await world.prove()
      expect(proof.findings).toEqual([{ kind: "digestMissing", day }])
      expect(statuses(proof)).toEqual({ ...proved, [day]: "wrong" })
    },
  )

  it("misses the first digest also where its day had no entry", async () => {
    const quiet = await aDigestStore({ now: "2026-11-21T00:30:00.000Z" })
    await quiet.write()
    quiet.clock.advance(2 * 86_400_000)
    await quiet.write()
    quiet.blobs.delete(formatDigestName("2026-11-20", 0))
    expect((await quiet.prove()).findings).toEqual([{ kind: "digestMissing", day: "2026-11-20" }])
  })

  it("names a digest of which one byte was changed", async () => {
    const blob = formatDigestName("2026-11-21", 0)
    const text = Buffer.from(blobOf(blob).body).toString()
    const at = text.indexOf('"payload":"') + 60
    const other = text[at] === "A" ? "B" : "A"
    blobOf(blob).body = Buffer.from(text.slice(0, at) + other + text.slice(at + 1))
    const { findings } = await world.prove()
    expect(findings).toEqual([{ kind: "digestForged", day: "2026-11-21", blob, kid: "test-digest" }])
  })

  it("names a digest that was signed again with another key, under the same kid or another", async () => {
    for (const kid of ["test-digest", "somebody-else"]) {
      const blob = formatDigestName("2026-11-21", 0)
      const { signer } = await openDigestKeyFile(keyFile(await aDigestJwk("ES384", kid)))
      blobOf(blob).body = await signDigest(payloadOf(blob), signer)
      const kind = kid === "test-digest" ? "digestForged" : "digestUntrusted"
      const proof = await world.prove()
      expect(proof.findings).toEqual([{ kind, day: "2026-11-21", blob, kid }])
      expect(statuses(proof)).toEqual({ ...proved, "2026-11-21": "wrong" })
    }
  })

  it("finds a day that the holder of the key has rewritten, by the digest after it", async () => {
    const name = firstOf("2026-11-21")
    world.blobs.delete(name)
    const blob = formatDigestName("2026-11-21", 0)
    world.blobs.delete(blob)
    const old = new Map(world.blobs)
    for (const gone of ["2026-11-22", "2026-11-23", "2026-11-24"])
      world.blobs.delete(formatDigestName(gone, 0))
    await world.write()
    const rewritten = blobOf(blob)
    world.blobs.clear()
    for (const [name, kept] of [...old, [blob, rewritten] as const]) world.blobs.set(name, kept)
    expect((await world.prove()).findings).toEqual([
      // What the first digest of the day named is still there.
      {
        kind: "listUnnamed",
        day: "2026-11-21",
        blob: expect.stringMatching(/^digest\/entries\/v1\/2026-11-21\//),
      },
      {
        kind: "chainBroken",
        day: "2026-11-22",
        blob: formatDigestName("2026-11-22", 0),
        why: "previousDiffers",
      },
    ])
  })

  it.each([
    { name: "the newest digest", gone: ["2026-11-24"] },
    { name: "every digest", gone: ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"] },
  ])(
    "finds an entry that was removed together with $name, though the timer has signed again",
    async ({ gone }) => {
      world.blobs.delete(firstOf("2026-11-24"))
      for (const day of gone) world.blobs.delete(formatDigestName(day, 0))
      await world.write()
      const proof = await world.prove()
      expect(proof.findings).toEqual([
        {
          kind: "listUnnamed",
          day: "2026-11-24",
          blob: expect.stringMatching(/^digest\/entries\/v1\/2026-11-24\//),
        },
      ])
      expect(judgeProof(proof)).toBe("wrong")
    },
  )

  it("could not tell of a day when the digest it was chained to cannot be read", async () => {
    const before = formatDigestName("2026-11-22", 0)
    const reader = {
      read: (name: string) =>
        name === before
          ? Promise.reject(new ServiceError("ERR_STORE_UNAVAILABLE", "away"))
          : world.parts.reader.read(name),
    }
    const proof = await proveDigests({ ...world.parts, reader }, { from: "2026-11-23", to: "2026-11-23" })
    expect(proof.days).toMatchObject([{ status: "unknown", code: "ERR_STORE_UNAVAILABLE" }])
    expect(judgeProof(proof)).toBe("unknown")
  })

  it("takes a true digest that was put under its next name as well for what it is", async () => {
    const { body } = blobOf(formatDigestName("2026-11-22", 0))
    world.put("digest/v1/2026-11-22.1.json", "2026-11-23T09:00:00.000Z")
    blobOf("digest/v1/2026-11-22.1.json").body = body
    expect(judgeProof(await world.prove())).toBe("proved")
  })

  it("finds a digest that begins the chain anew, or leaves days out, whoever has signed it", async () => {
    const blob = formatDigestName("2026-11-23", 0)
    const { previous, ...rest } = payloadOf(blob)
    blobOf(blob).body = await signDigest(rest, world.parts.signer)
    const finding = { kind: "chainBroken", day: "2026-11-23", blob }
    const { findings } = await world.prove("2026-11-23")
    expect(findings).toEqual([{ ...finding, why: "beginsAnew" }])
    const skipping = { ...rest, previous: { ...previous!, day: "2026-11-21" } }
    blobOf(blob).body = await signDigest(skipping, world.parts.signer)
    expect((await world.prove("2026-11-23")).findings).toEqual([{ ...finding, why: "skipsDays" }])
    // The digest after it was chained to the true one.
    expect((await world.prove()).findings).toContainEqual({
      kind: "chainBroken",
      day: "2026-11-24",
      blob: formatDigestName("2026-11-24", 0),
      why: "previousDiffers",
    })
  })

  it("finds a second digest of a day, and one that counts its entries wrongly", async () => {
    const blob = formatDigestName("2026-11-24", 0)
    const digest = payloadOf(blob)
    const more = { ...digest, entries: { ...digest.entries, count: 4 } }
    const second = formatDigestName("2026-11-24", 3)
    world.blobs.set(second, { ...blobOf(blob), body: await signDigest(more, world.parts.signer) })
    expect((await world.prove("2026-11-24")).findings).toEqual([
      { kind: "digestForked", day: "2026-11-24", blob: second },
    ])
    world.blobs.delete(blob)
    expect((await world.prove("2026-11-24")).findings).toEqual([
      { kind: "dayDiffers", day: "2026-11-24", expected: 4, found: 5 },
    ])
  })

  it("takes no digest of another day or another store for its own", async () => {
    const { body } = blobOf(formatDigestName("2026-11-21", 0))
    blobOf(formatDigestName("2026-11-22", 0)).body = body
    const blob = formatDigestName("2026-11-22", 0)
    expect((await world.prove()).findings).toEqual([
      { kind: "digestMisplaced", day: "2026-11-22", blob, of: `${world.parts.storeName} 2026-11-21` },
    ])
    const { findings } = await world.prove("2026-11-20", { storeName: "https://other.example/c" })
    expect(findings).toMatchObject([{ kind: "digestMisplaced", day: "2026-11-20" }])
  })

  it("names a digest that was stored before its day was over", async () => {
    const blob = formatDigestName("2026-11-24", 0)
    blobOf(blob).createdAt = new Date("2026-11-24T23:59:59.000Z")
    expect((await world.prove()).findings).toMatchObject([{ kind: "digestEarly", day: "2026-11-24", blob }])
  })

  it("names digests that lie where none can be", async () => {
    const body = Buffer.from("{}")
    for (const day of ["0001-01-01", "2031-01-01"]) {
      world.put(formatDigestName(day, 0), "2026-11-24T10:00:00.000Z")
      blobOf(formatDigestName(day, 0)).body = body
    }
    const proof = await world.prove()
    expect(proof.findings).toMatchObject([
      { kind: "digestMalformed", day: "0001-01-01" },
      { kind: "digestEarly", day: "2031-01-01" },
    ])
    expect(statuses(proof)).toEqual(proved)
  })

  it("says that a day differs where its list of entries was changed, too", async () => {
    const [list] = payloadOf(formatDigestName("2026-11-21", 0)).lists
    blobOf(list!.blob).body = Buffer.from("no gzip")
    expect(judgeProof(await world.prove())).toBe("proved")
    world.blobs.delete(firstOf("2026-11-21"))
    const broken = (await world.prove()).findings
    const [other] = payloadOf(formatDigestName("2026-11-24", 0)).lists
    blobOf(list!.blob).body = blobOf(other!.blob).body
    expect((await world.prove()).findings).toEqual(broken)
    expect(broken).toEqual([
      { kind: "listBroken", day: "2026-11-21", blob: list!.blob },
      { kind: "dayDiffers", day: "2026-11-21", expected: 6, found: 5 },
    ])
  })

  it("proves a single day, and a range, without what lies outside of it", async () => {
    world.blobs.delete(firstOf("2026-11-24"))
    expect(statuses(await world.prove("2026-11-21..2026-11-23"))).toEqual({
      "2026-11-21": "proved",
      "2026-11-22": "proved",
      "2026-11-23": "proved",
    })
    expect(judgeProof(await world.prove("2026-11-24"))).toBe("wrong")
    expect(statuses(await world.prove("2026-11-01..2026-11-20"))).toEqual({ "2026-11-20": "proved" })
  })

  it("proves no day that is not closed, and tells which is the last", async () => {
    const proof = await world.prove("2026-11-25")
    expect(proof).toMatchObject({ days: [], findings: [], lastClosedDay: "2026-11-24" })
    expect(judgeProof(proof)).toBe("unknown")
    expect(statuses(await world.prove("2026-11-24..2026-12-31"))).toEqual({ "2026-11-24": "proved" })
  })

  it("gives the timer its time before it misses a digest", async () => {
    world.clock.advance(86_400_000 - 10 * 60_000)
    expect(statuses(await world.prove("2026-11-24..2026-11-25"))).toEqual({
      "2026-11-24": "proved",
      "2026-11-25": "pending",
    })
    world.clock.advance(2 * 3_600_000)
    expect((await world.prove()).findings).toEqual([{ kind: "digestMissing", day: "2026-11-25" }])
  })

  it("proves nothing without a trusted key, and everything with its public half alone", async () => {
    const jwk = await aDigestJwk()
    const signed = await aDigestStore({ jwk })
    signed.put(recordName(1), "2026-11-24T10:00:00.000Z")
    await signed.write()
    const { trusted } = await openDigestKeyFile(keyFile({ keys: [publicJwk(jwk)] }))
    expect(judgeProof(await signed.prove("all", { keys: trusted }))).toBe("proved")
    const { trusted: other } = await openDigestKeyFile(keyFile(await aDigestJwk()))
    const { findings } = await signed.prove("all", { keys: other })
    expect(findings).toMatchObject([{ kind: "digestForged" }])
  })

  it("C62 could not tell when the listing fails half way, a digest cannot be read, or the key is not to be had", async () => {
    const failing = async () => {
      throw new ServiceError("ERR_STORE_UNAVAILABLE", "gone")
    }
    const { catalog } = world.parts
    const halfWay = {
      async *list(prefix: string) {
        let count = 0
        for await (const blob of catalog.list(prefix)) {
          if (prefix === "v1/" && (count += 1) > 4) await failing()
          yield blob
        }
      },
    }
    const listing = await world.prove("all", { catalog: halfWay })
    expect(listing).toMatchObject({ incomplete: "ERR_STORE_UNAVAILABLE", findings: [] })
    expect(new Set(Object.values(statuses(listing)))).toEqual(new Set(["unknown"]))
    expect(judgeProof(listing)).toBe("unknown")
    const unread = await world.prove("all", { reader: { read: failing } })
    expect(unread.days).toContainEqual({
      day: "2026-11-22",
      status: "unknown",
      code: "ERR_STORE_UNAVAILABLE",
    })
    expect(judgeProof(unread)).toBe("unknown")
    expect(judgeProof(await world.prove("all", { keys: { find: failing } }))).toBe("unknown")
  })

  it("does not trust a listing that is not in the order of names", async () => {
    const catalog = {
      async *list(prefix: string) {
        const all = await collect(world.parts.catalog.list(prefix))
        yield* all.toReversed()
      },
    }
    expect(await world.prove("all", { catalog })).toMatchObject({ incomplete: "ERR_DIGEST_LISTING" })
  })

  it("counts the bytes that a digest names as those that are stored", async () => {
    const { previous } = payloadOf(formatDigestName("2026-11-24", 0))
    expect(previous?.sha256).toBe(sha256Of(blobOf(formatDigestName("2026-11-23", 0)).body))
  })
})
