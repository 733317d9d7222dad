import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { readHistory } from "../../shared/deadLetter/replayHistory.ts"
import { anEventGridEvent, anObject } from "../support/builders.ts"
import { aReplayWorld, Killed, type LetterSeed } from "../support/memoryReplay.ts"
import { propertyRuns } from "../support/propertyRuns.ts"

const kinds = ["change", "protected", "garbage", "worn", "utf16", "skipped", "eventGrid", "held"] as const

/** A letter of one kind, about version `n`. */
function seedOf(kind: (typeof kinds)[number], n: number): LetterSeed {
  const event = anEventGridEvent(anObject({ version: n }))
  const body = JSON.stringify(event)
  switch (kind) {
    case "change":
    case "protected":
      return { body }
    case "garbage":
      return { body: `garbage ${n}` }
    case "worn":
      return { body, properties: { "kvb-replays": "3", "kvb-last-code": "ERR_VAULT_FORBIDDEN" } }
    case "utf16":
      return { body: Buffer.from(body, "utf16le") }
    case "skipped":
      return { body: JSON.stringify({ ...event, eventType: "Microsoft.KeyVault.SecretNearExpiry" }) }
    case "eventGrid":
      return { source: "event-grid", body }
    case "held":
      return {
        source: "quarantine",
        body,
        properties: { "kvb-replays": "1", "kvb-last-code": "ERR_UNKNOWN" },
      }
  }
}

const letters = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 25 })
/** After how many I/Os each run is killed; a half comes after the effect. */
const kills = fc.array(
  fc.integer({ min: 0, max: 60 }).map((half) => half / 2),
  { maxLength: 12 },
)

describe("runReplay, killed anywhere", () => {
  it("accounts for every letter, none twice in effect", async () => {
    await fc.assert(
      fc.asyncProperty(
        letters,
        kills,
        fc.constantFrom(0.2, 0.5, 100_000),
        async (made, stops, maxPerSecond) => {
          const world = aReplayWorld()
          const seeds = made.map((kind, index) => ({ kind, index, letter: world.add(seedOf(kind, index)) }))
          for (const { kind, index } of seeds) {
            if (kind === "protected") await world.protect(anObject({ version: index }))
          }
          for (const stop of stops) {
            world.killAt(stop)
            await world.run({ maxPerSecond }).catch((error: unknown) => {
              if (!(error instanceof Killed)) throw error
            })
            world.revive()
          }
          await world.run({ maxPerSecond })

          // One MessageId is one message: a broker that looks for duplicates, and the store, make copies one.
          const copies = new Map(world.sent.map(({ messageId, body }) => [messageId, String(body)]))
          const aside = new Map(world.quarantined.map(({ messageId, body }) => [messageId, String(body)]))
          const countWith = (all: Map<string, string>, n: number) => {
            const { version } = anObject({ version: n })
            return [...all.values()].filter((body) => body.includes(version)).length
          }
          for (const { kind, index } of seeds) {
            const isSent = ["change", "utf16", "eventGrid", "held"].includes(kind)
            expect({ kind, copies: countWith(copies, index) }).toEqual({ kind, copies: isSent ? 1 : 0 })
            expect(countWith(aside, index)).toBe(kind === "worn" ? 1 : 0)
          }
          expect(aside.size).toBe(world.quarantined.length)
          const garbage = [...aside.values()].filter((body) => body.startsWith("garbage")).sort()
          expect(garbage).toEqual(
            seeds.flatMap(({ kind, index }) => (kind === "garbage" ? [`garbage ${index}`] : [])).sort(),
          )
          expect(world.at("dead-letter")).toEqual([])
          // Each was removed once, and what Event Grid wrote stays as it is.
          const queued = seeds.filter(({ kind }) => kind !== "eventGrid")
          expect(
            world.completed.filter(({ id }) => queued.some(({ letter }) => letter.id === id)),
          ).toHaveLength(queued.length)
          expect(world.at("event-grid")).toHaveLength(seeds.length - queued.length)
          expect((await readHistory(world.store)).reduce((sum, { open }) => sum + open, 0)).toBe(0)
        },
      ),
      {
        ...propertyRuns(60),
        // Killed when a later batch had taken over an entry of Event Grid, before the earlier one was closed.
        examples: [
          [
            ["change", "change", "change", "change", "eventGrid", "change", "change", "held"],
            [23.5, 5.5, 6.5],
            0.5,
          ],
        ],
      },
    )
  })
})
