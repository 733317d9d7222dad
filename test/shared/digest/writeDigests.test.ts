import { createHash } from "node:crypto"
import { gunzipSync } from "node:zlib"
import { flattenedVerify, importJWK, type JWK } from "jose"
import { describe, expect, it } from "vitest"
import { createEntryCollector } from "../../../shared/digest/collectEntries.ts"
import { formatDigestName } from "../../../shared/digest/digestNames.ts"
import { joinTrustedKeys } from "../../../shared/digest/digestKey.ts"
import { openDigestKeyFile } from "../../../shared/digest/localDigestKey.ts"
import { judgeProof } from "../../../shared/digest/proof.ts"
import { type Digest, signDigest } from "../../../shared/digest/signedDigest.ts"
import { ServiceError } from "../../../shared/errors.ts"
import { aDigestJwk, aDigestStore, keyFile, publicJwk, recordName } from "../../support/aDigestStore.ts"

type World = Awaited<ReturnType<typeof aDigestStore>>
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex")
const payloadOf = ({ blobs }: World, name: string) =>
  JSON.parse(
    Buffer.from(JSON.parse(Buffer.from(blobs.get(name)!.body).toString()).payload, "base64url").toString(),
  ) as Digest
const digestsIn = ({ blobs }: World) =>
  [...blobs.keys()].filter((name) => name.startsWith("digest/v1/")).sort()

describe("writeMissingDigests", () => {
  it("signs name, creation time, size and all metadata of the day's entries, and the digest before", async () => {
    const jwk = await aDigestJwk()
    const world = await aDigestStore({ jwk, now: "2026-11-24T00:30:00.000Z" })
    world.put(recordName(2), "2026-11-23T10:00:00.000Z", { putat: "x", a: "\u00e9\u2028", kid: "k" })
    world.put(recordName(1), "2026-11-23T00:00:00.000Z", { z: "1" })
    await world.write()
    world.clock.advance(86_400_000)
    await expect(world.write()).resolves.toEqual({
      lastClosedDay: "2026-11-24",
      written: [
        {
          day: "2026-11-24",
          blob: "digest/v1/2026-11-24.json",
          entries: 0,
          kid: "test-digest",
          outcome: "stored",
        },
      ],
    })
    const lines = [
      `{"createdAt":"2026-11-23T00:00:00.000Z","metadata":{"z":"1"},"name":"${recordName(1)}","size":${recordName(1).length}}\n`,
      `{"createdAt":"2026-11-23T10:00:00.000Z","metadata":{"a":"\u00e9\u2028","kid":"k","putat":"x"},"name":"${recordName(2)}","size":${recordName(1).length}}\n`,
    ].join("")
    const { body, metadata } = world.blobs.get("digest/v1/2026-11-23.json")!
    const { payload, protectedHeader } = await flattenedVerify(
      JSON.parse(Buffer.from(body).toString()),
      await importJWK(publicJwk(jwk) as JWK, "ES384"),
    )
    expect(protectedHeader).toEqual({ alg: "ES384", kid: "test-digest", typ: "kvb-digest+json" })
    const digest = JSON.parse(Buffer.from(payload).toString())
    expect(digest).toEqual({
      format: "keyvault-digest/1",
      store: world.parts.storeName,
      day: "2026-11-23",
      entries: { count: 2, sha256: sha256(lines) },
      lists: [
        {
          blob: `digest/entries/v1/2026-11-23/${sha256(lines)}.jsonl.gz`,
          count: 2,
          sizeBytes: Buffer.byteLength(lines),
          sha256: sha256(lines),
        },
      ],
      madeAt: "2026-11-24T00:30:00.000Z",
    })
    expect(gunzipSync(world.blobs.get(digest.lists[0].blob)!.body).toString()).toBe(lines)
    expect(metadata).toEqual({
      format: "keyvault-digest/1",
      putat: "2026-11-24T00:30:00.000Z",
      sha256: sha256(body),
    })
    expect(payloadOf(world, "digest/v1/2026-11-24.json")).toMatchObject({
      previous: { day: "2026-11-23", blob: "digest/v1/2026-11-23.json", sha256: sha256(body) },
      entries: { count: 0, sha256: sha256("") },
      lists: [],
    })
  })

  it("begins with the day before in an empty store, and does nothing twice on a day", async () => {
    const world = await aDigestStore()
    expect((await world.write()).written).toMatchObject([{ day: "2026-11-24", entries: 0 }])
    expect(payloadOf(world, formatDigestName("2026-11-24", 0)).previous).toBeUndefined()
    const before = new Map(world.blobs)
    const catalog = {
      list: (prefix: string) => {
        // Where nothing is to be done, a large store is not listed for it.
        expect(prefix).toBe("digest/v1/")
        return world.parts.catalog.list(prefix)
      },
    }
    await expect(world.write({ catalog })).resolves.toEqual({ lastClosedDay: "2026-11-24", written: [] })
    expect(world.blobs).toEqual(before)
  })

  it("closes a day a quarter of an hour after its end, and today never", async () => {
    const world = await aDigestStore({ now: "2026-11-25T00:14:59.000Z" })
    world.put(recordName(1), "2026-11-24T23:59:59.000Z")
    world.put(recordName(2), "2026-11-25T00:00:00.000Z")
    expect((await world.write()).written).toMatchObject([{ day: "2026-11-23", entries: 0 }])
    world.clock.advance(1000)
    expect((await world.write()).written).toMatchObject([{ day: "2026-11-24", entries: 1 }])
  })

  it("catches up every day after a long pause, in order, from one listing", async () => {
    const world = await aDigestStore({ now: "2026-08-01T00:30:00.000Z" })
    for (let day = 0; day < 116; day++) {
      const createdAt = new Date(Date.UTC(2026, 7, 1, 12) + day * 86_400_000).toISOString()
      world.put(recordName(day), createdAt)
      world.put(recordName(500 + day), createdAt)
    }
    await world.write()
    world.clock.advance(116 * 86_400_000)
    let listings = 0
    const catalog = {
      list: (prefix: string) => {
        if (prefix === "v1/") listings += 1
        return world.parts.catalog.list(prefix)
      },
    }
    const { written } = await world.write({ catalog })
    expect(listings).toBe(1)
    expect(written).toHaveLength(116)
    expect(written.map(({ day }) => day)).toEqual(written.map(({ day }) => day).toSorted())
    expect(written.every(({ entries }) => entries === 2)).toBe(true)
    expect(judgeProof(await world.prove())).toBe("proved")
  })

  it("goes on after the last digest when it was cut off anywhere", async () => {
    for (let puts = 0; puts < 12; puts++) {
      const world = await aDigestStore()
      for (let day = 20; day < 25; day++) world.put(recordName(day), `2026-11-${day}T10:00:00.000Z`)
      let left = puts
      const store = {
        putIfAbsent: async (...parameters: Parameters<typeof world.parts.store.putIfAbsent>) => {
          if ((left -= 1) < 0) throw new ServiceError("ERR_STORE_UNAVAILABLE", "cut off")
          return world.parts.store.putIfAbsent(...parameters)
        },
      }
      await world.write({ store }).catch(() => {})
      await world.write()
      const proof = await world.prove()
      expect(proof.days).toHaveLength(5)
      expect(judgeProof(proof)).toBe("proved")
      // Each day has one digest and one list: what a run wrote before it ended was used by the next.
      expect([...world.blobs.keys()].filter((name) => name.startsWith("digest/"))).toHaveLength(10)
    }
  })

  it("takes the digest of a run that was faster", async () => {
    const world = await aDigestStore()
    world.put(recordName(1), "2026-11-24T10:00:00.000Z")
    let isFirst = true
    const store = {
      putIfAbsent: async (...parameters: Parameters<typeof world.parts.store.putIfAbsent>) => {
        if (isFirst && parameters[0].startsWith("digest/v1/")) {
          isFirst = false
          await world.write()
        }
        return world.parts.store.putIfAbsent(...parameters)
      },
    }
    expect((await world.write({ store })).written).toMatchObject([{ outcome: "alreadyStored" }])
    expect(judgeProof(await world.prove())).toBe("proved")
  })

  it("writes no removed digest anew", async () => {
    const world = await aDigestStore({ now: "2026-11-24T00:30:00.000Z" })
    await world.write()
    world.clock.advance(86_400_000)
    await world.write()
    world.blobs.delete("digest/v1/2026-11-23.json")
    world.clock.advance(86_400_000)
    expect((await world.write()).written).toMatchObject([{ day: "2026-11-25" }])
    expect(digestsIn(world)).toEqual(["digest/v1/2026-11-24.json", "digest/v1/2026-11-25.json"])
  })

  it("writes under the next name where somebody else has taken a digest's, or that of its list", async () => {
    const other = await aDigestStore()
    other.put(recordName(1), "2026-11-24T10:00:00.000Z")
    await other.write()
    const world = await aDigestStore({ now: "2026-11-24T00:30:00.000Z" })
    await world.write()
    world.clock.advance(86_400_000)
    world.put(recordName(1), "2026-11-24T10:00:00.000Z")
    world.put("digest/v1/2026-11-24.1.json", "2026-11-20T10:00:00.000Z")
    world.put("digest/v1/2031-01-01.json", "2026-11-20T10:00:00.000Z")
    for (const [name, blob] of other.blobs) {
      const body = name.startsWith("digest/entries") ? Buffer.from("planted") : blob.body
      if (name.startsWith("digest/")) world.blobs.set(name, { ...blob, body })
    }
    expect((await world.write()).written).toMatchObject([{ blob: "digest/v1/2026-11-24.2.json" }])
    const [list] = payloadOf(world, "digest/v1/2026-11-24.2.json").lists
    expect(list?.blob).toMatch(/^digest\/entries\/v1\/2026-11-24\/[0-9a-f]{64}-[0-9a-f]{16}\.jsonl\.gz$/)
    const proof = await world.prove()
    expect(proof.findings.map(({ kind }) => kind)).toEqual(["digestForged", "digestMalformed", "digestEarly"])
    world.blobs.delete(recordName(1))
    expect((await world.prove()).findings).toContainEqual({
      kind: "entryRemoved",
      day: "2026-11-24",
      blob: recordName(1),
    })
  })

  it("does not take a digest of another store that the same key has signed for its own", async () => {
    const jwk = await aDigestJwk()
    const there = await aDigestStore({ jwk })
    await there.write({ storeName: "https://there.example/backups" })
    const here = await aDigestStore({ jwk, now: "2026-11-24T00:30:00.000Z" })
    await here.write()
    here.clock.advance(86_400_000)
    here.blobs.set("digest/v1/2026-11-24.json", there.blobs.get("digest/v1/2026-11-24.json")!)
    expect((await here.write()).written).toMatchObject([{ blob: "digest/v1/2026-11-24.1.json" }])
  })

  it("does not begin a new chain where it trusts none of the digests that are there", async () => {
    const world = await aDigestStore({ now: "2026-11-24T00:30:00.000Z" })
    await world.write()
    world.clock.advance(86_400_000)
    const next = await openDigestKeyFile(keyFile(await aDigestJwk("ES256", "next")))
    const alone = world.write({ signer: next.signer, keys: next.trusted })
    await expect(alone).rejects.toMatchObject({ code: "ERR_DIGEST_CHAIN" })
    const keys = joinTrustedKeys([next.trusted, world.parts.keys])
    expect((await world.write({ signer: next.signer, keys })).written).toMatchObject([{ kid: "next" }])
    expect(judgeProof(await world.prove("all", { keys }))).toBe("proved")
  })

  it("writes nothing when the key cannot sign", async () => {
    const world = await aDigestStore()
    world.put(recordName(1), "2026-11-24T10:00:00.000Z")
    const { signer } = await openDigestKeyFile(keyFile(publicJwk(await aDigestJwk())))
    await expect(world.write({ signer })).rejects.toMatchObject({ code: "ERR_DIGEST_KEY" })
    expect(world.blobs.size).toBe(1)
    const stranger = await openDigestKeyFile(keyFile(await aDigestJwk()))
    const written = world.write({ signer: stranger.signer })
    await expect(written).rejects.toMatchObject({ code: "ERR_DIGEST_KEY" })
    expect(digestsIn(world)).toEqual([])
  })

  it.each(["ES256", "ES384", "ES512", "PS256"])(
    "signs with %s, without kid under the thumbprint",
    async (alg) => {
      const jwk = await aDigestJwk(alg, "")
      const world = await aDigestStore({ jwk: { keys: [publicJwk(await aDigestJwk()), jwk] } })
      const { written } = await world.write()
      expect(written[0]?.kid).toMatch(/^[\w-]{43}$/)
      expect(judgeProof(await world.prove())).toBe("proved")
    },
  )
})

describe("createEntryCollector", () => {
  it("holds a bounded number of bytes however many days are under way, and lists everything once", async () => {
    const world = await aDigestStore()
    const { store, reader } = world.parts
    const lists = new Map<string, string[]>()
    const collector = createEntryCollector({ store, reader, pendingBytes: 4000, listSizeBytes: 1000 })
    for (let index = 0; index < 600; index++) {
      const day = `2026-11-${String(1 + (index % 20)).padStart(2, "0")}`
      const line = `{"name":"${recordName(index)}"}\n`
      lists.set(day, [...(lists.get(day) ?? []), line])
      await collector.add(day, line)
      if (index % 25 !== 24) continue
      // What is not written yet is at most what may be pending.
      const written = [...world.blobs.values()].reduce((sum, { body }) => sum + gunzipSync(body).length, 0)
      expect((index + 1) * line.length - written).toBeLessThanOrEqual(4000)
    }
    for (const [day, lines] of lists) {
      const { entries, lists: of } = await collector.finish(day)
      expect(entries).toEqual({ count: 30, sha256: sha256(lines.join("")) })
      expect(of.every(({ sizeBytes }) => sizeBytes <= 1000)).toBe(true)
      const text = of.map(({ blob }) => gunzipSync(world.blobs.get(blob)!.body).toString()).join("")
      expect(text).toBe(lines.join(""))
    }
  })
})

describe("openDigestKeyFile", () => {
  const open = async (content: object | string) =>
    openDigestKeyFile(typeof content === "string" ? content : keyFile(content))

  it.each([
    ["no file", async () => "/nowhere/key.json"],
    ["no key", async () => ({ keys: [] })],
    ["a symmetric key", async () => ({ kty: "oct", k: "AAAA", kid: "a" })],
    ["a curve that signs no digests", async () => ({ kty: "EC", crv: "secp256k1", x: "AA", y: "AA" })],
    ["half a key", async () => ({ kty: "EC", crv: "P-384", x: "AA", kid: "a" })],
  ])("refuses %s and quotes nothing of it", async (_name, content) => {
    const error = await open(await content()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: "ERR_DIGEST_KEY" })
    expect(String(error)).not.toContain("AA")
  })

  it("proves a signature only with the algorithm of its own kind", async () => {
    const jwk = await aDigestJwk("PS256")
    const { signer, trusted } = await open(jwk)
    const other = { ...signer, describe: async () => ({ alg: "ES256" as const, kid: "test-digest" }) }
    const { openDigest } = await import("../../../shared/digest/signedDigest.ts")
    const world = await aDigestStore()
    await world.write()
    const digest = payloadOf(world, "digest/v1/2026-11-24.json")
    const bytes = await signDigest(digest, other)
    await expect(openDigest(bytes, trusted)).resolves.toEqual({ kind: "untrusted", kid: "test-digest" })
  })
})
