import { fileURLToPath } from "node:url"
import { BlobServiceClient } from "@azure/storage-blob"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { parseJournalBlob, parseJournalName } from "../../shared/deadLetter/journalRecord.ts"
import { peekPages } from "../../shared/queue/azurePeek.ts"
import { runCli } from "../support/runCli.ts"
import { type Journey, recordNameOf, startJourney } from "../support/startJourney.ts"
import { startNode } from "../support/startNode.ts"
import { expectedActions, type MadeLetter, makeDeadLetters } from "../support/tenCauses.ts"

const isSlow = process.env["SLOW"] === "1"
const each = isSlow ? 100 : 10
const kills = isSlow ? 64 : 6
const seed = Number(process.env["KILL_SEED"] ?? 20_260_301)

const runner = fileURLToPath(new URL("../support/replayRunner.ts", import.meta.url))
const steps = ["lease", "take", "intent", "send", "sent", "complete", "completed"] as const
const moments = ["before", "during", "after"] as const

let journey: Journey
let made: readonly MadeLetter[]

beforeAll(async () => {
  journey = await startJourney({ runsTimers: false, queueOptions: { lockDurationMs: 1500 } })
  made = await makeDeadLetters(journey, each)
}, 120_000)
afterAll(() => journey.stop())

/** The same numbers for the same seed (mulberry32). */
function randomOf(from: number): () => number {
  let state = from
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What an operator does who cannot wait for the lease of a killed runner to end. */
async function breakLease(): Promise<void> {
  const { blob, identities } = journey.cloud.file
  const token = identities["replay"]?.tokens.blob ?? ""
  const service = new BlobServiceClient(blob.url, {
    getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }),
  })
  const client = service.getContainerClient(blob.stateContainer).getBlobClient("replay.lease")
  await client
    .getBlobLeaseClient()
    .breakLease(0)
    .catch(() => {})
}

const run = (...argv: string[]) => startNode([runner, ...argv], { cwd: journey.directory }).end

/** MessageIds that the messages in quarantine had at first. */
async function originalsInQuarantine(): Promise<readonly string[]> {
  const receiver = journey.serviceBus.createReceiver(journey.cloud.file.serviceBus.quarantineQueue)
  const originals: string[] = []
  for await (const page of peekPages(receiver)) {
    originals.push(...page.map(({ applicationProperties: of }) => String(of?.["kvb-original-id"])))
  }
  await receiver.close()
  return originals
}

/** Every item that the journal has of each letter, by MessageId or id of its event's blob entry. */
async function readJournal() {
  const { backdoor } = journey.cloud.blob
  const { container } = journey.cloud.file.blob
  const copies = new Map<string, Set<string>>()
  const phases = new Map<string, Set<string>>()
  for (const name of backdoor.names(container, "journal/")) {
    const found = await backdoor.read({ container, name })
    const phase = parseJournalName(name)?.phase ?? ""
    for (const item of parseJournalBlob(name, found?.body ?? Buffer.alloc(0))) {
      const key = item.source === "event-grid" ? (item.objects[0] ?? "") : (item.messageId ?? "")
      copies.set(key, new Set([...(copies.get(key) ?? []), ...item.copies.map(({ messageId }) => messageId)]))
      phases.set(key, new Set([...(phases.get(key) ?? []), phase]))
    }
  }
  return { copies, phases }
}

describe(`C56: ${each * 10} dead letters of ten causes`, () => {
  it("are planned as what they are", async () => {
    const { exitCode, json } = await runCli(journey.directory, "replay", "--json")
    const { plan } = json<{
      plan: { groups: { source: string; cause: string; action: string; count: number }[] }
    }>()
    expect(exitCode).toBe(0)
    const found = new Map(plan.groups.map((group) => [`${group.source} ${group.cause}`, group]))
    expect(new Map([...found].map(([name, { action }]) => [name, action]))).toEqual(expectedActions)
    expect([...found.values()].map(({ count }) => count)).toEqual([...found].map(() => each))
  })

  it(`are accounted for, each once, when the runner is killed ${kills} times`, async () => {
    const random = randomOf(seed)
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!
    const boundaries: string[] = []
    for (let kill = 0; kill < kills; kill++) {
      const step = pick(steps)
      const most = { complete: 9, lease: 1, take: 2, intent: 2, send: 2, sent: 2, completed: 2 }[step]
      const boundary = `${step}:${1 + Math.floor(random() * most)}:${pick(moments)}`
      const { signal, stderr } = await run(boundary)
      expect(`${boundary} ${signal} ${stderr}`).toBe(`${boundary} SIGKILL `)
      boundaries.push(boundary)
      await breakLease()
    }
    const last = await run()
    expect(last.stderr).toBe("")
    expect(JSON.parse(last.stdout)).toMatchObject({
      undone: 0,
      unconfirmed: 0,
      refused: 0,
      interrupted: false,
    })
    const again = await run()
    expect(JSON.parse(again.stdout)).toMatchObject({ sent: 0, removed: 0, quarantined: 0 })
    await journey.control("POST /host", { action: "restart" })
    await journey.settled(60_000)

    const { queue } = journey.cloud.file.serviceBus
    const nothing = { active: 0, locked: 0, scheduled: 0, deferred: 0, deadLettered: 0 }
    expect(journey.cloud.serviceBus.counts()[queue]).toEqual(nothing)
    const names = new Set(journey.cloud.blob.backdoor.names(journey.cloud.file.blob.container, "v1/"))
    const held = await originalsInQuarantine()
    const { copies, phases } = await readJournal()

    const ledger: string[] = []
    for (const [index, { cause, fate, key, id }] of made.entries()) {
      const inJournal = key.startsWith("event-") ? (id ?? "") : key
      const isStored = id !== undefined && names.delete(recordNameOf(id))
      const metadata = id === undefined ? {} : await journey.metadata(id)
      const places = [
        ...(isStored && metadata["origin"] === "replay" && metadata["replays"] === "1" ? ["stored"] : []),
        ...(isStored && metadata["origin"] === "live" ? ["already stored"] : []),
        ...held.filter((original) => original === key).map(() => "quarantine"),
      ]
      const ids = copies.get(inJournal)?.size ?? 0
      ledger.push(
        `${String(index + 1).padStart(4)}  ${cause.padEnd(37)} ${key.padEnd(14)} ${places.join(" and ")}, ` +
          `${ids} MessageId, ${[...(phases.get(inJournal) ?? [])].sort().join(" ")}`,
      )
      // One fate, one MessageId however often it was sent, and the journal knows that it is done.
      expect({ key, places, ids }).toEqual({ key, places: [fate], ids: fate === "already stored" ? 0 : 1 })
      expect(phases.get(inJournal)).toContain("completed")
    }
    expect(names).toEqual(new Set())
    expect(held).toHaveLength(made.filter(({ fate }) => fate === "quarantine").length)
    expect(ledger).toHaveLength(each * 10)
    const count = (fate: string) => made.filter((letter) => letter.fate === fate).length
    process.stdout.write(
      `${ledger.join("\n")}\n${ledger.length} letters: ${count("stored")} stored, ${count("already stored")} were stored already, ` +
        `${count("quarantine")} in quarantine, 0 left; killed ${kills} times (seed ${seed}): ${boundaries.join(" ")}\n`,
    )
  }, 900_000)
})
