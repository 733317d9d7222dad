import type { InvocationContext, Timer } from "@azure/functions"
import { describe, expect, it } from "vitest"
import { createReplayDeadLettersHandler } from "../../functions/replayDeadLetters.ts"
import { ServiceError } from "../../shared/errors.ts"
import { anEventGridEvent, anObject } from "../support/builders.ts"
import { capturingLog } from "../support/capturingLog.ts"
import { aReplayWorld, type LetterSeed } from "../support/memoryReplay.ts"
import { silentTelemetry } from "../support/memoryTelemetry.ts"

const event = (version: number) => JSON.stringify(anEventGridEvent(anObject({ version })))
const coded = (version: number, code: string, more: Partial<LetterSeed> = {}): LetterSeed => ({
  body: event(version),
  properties: { "kvb-last-code": code },
  ...more,
})

async function runTimer(world: ReturnType<typeof aReplayWorld>) {
  const log = capturingLog()
  const handler = createReplayDeadLettersHandler(() => ({
    log,
    telemetry: silentTelemetry(),
    openReplay: () => world.parts,
  }))
  await handler({} as Timer, {} as InvocationContext)
  return log
}

describe("replayDeadLetters", () => {
  it.each([
    { name: "throttling", seed: coded(1, "ERR_VAULT_THROTTLED") },
    { name: "a network that did not answer", seed: coded(1, "ERR_STORE_UNAVAILABLE") },
    {
      name: "what was deferred for too long",
      seed: coded(1, "ERR_VAULT_UNAVAILABLE", { source: "quarantine" }),
    },
    {
      name: "a delivery of Event Grid that timed out",
      seed: { body: event(1), source: "event-grid", reason: "MaxDeliveryAttemptsExceeded/TimedOut" } as const,
    },
  ])("replays $name", async ({ seed }) => {
    const world = aReplayWorld()
    world.add(seed)
    await runTimer(world)
    expect(world.sent).toHaveLength(1)
  })

  it.each([
    { name: "a missing role", seed: coded(1, "ERR_VAULT_FORBIDDEN") },
    {
      name: "a missing role that lasted until it was given up",
      seed: coded(1, "ERR_STORE_FORBIDDEN", { source: "quarantine" }),
    },
    { name: "a closed firewall", seed: coded(1, "ERR_STORE_FIREWALL") },
    { name: "what is not known", seed: { body: event(1), reason: "MaxDeliveryCountExceeded" } },
    { name: "what is no event", seed: { body: "garbage" } },
    {
      name: "a refused delivery of Event Grid",
      seed: {
        body: event(1),
        source: "event-grid",
        reason: "UndeliverableDueToClientError/Forbidden",
      } as const,
    },
  ])("does not touch $name", async ({ seed }) => {
    const world = aReplayWorld()
    const letter = world.add(seed)
    await runTimer(world)
    expect([world.sent, world.quarantined, world.completed]).toEqual([[], [], []])
    expect(world.at(letter.source)).toEqual([letter])
  })

  it("does not go beyond the attempt cap", async () => {
    const world = aReplayWorld({ replayMax: 2 })
    world.add(
      coded(1, "ERR_VAULT_THROTTLED", {
        properties: { "kvb-last-code": "ERR_VAULT_THROTTLED", "kvb-replays": "2" },
      }),
    )
    await runTimer(world)
    expect([world.sent.length, world.quarantined.length]).toEqual([0, 1])
    await runTimer(world)
    expect([world.sent.length, world.quarantined.length]).toEqual([0, 1])
  })

  it("has a cap of its own, and takes its time", async () => {
    const world = aReplayWorld()
    for (let version = 1; version <= 700; version++) world.add(coded(version, "ERR_VAULT_THROTTLED"))
    const startMs = world.clock.now().getTime()
    await runTimer(world)
    expect(world.sent).toHaveLength(500)
    expect(world.clock.now().getTime() - startMs).toBeGreaterThanOrEqual(20_000)
    await runTimer(world)
    expect(world.sent).toHaveLength(700)
  })

  it("lets another replay do its work", async () => {
    const world = aReplayWorld()
    world.add(coded(1, "ERR_VAULT_THROTTLED"))
    await world.parts.lease.acquire({ run: "person", host: "jump", since: new Date() })
    const log = await runTimer(world)
    expect(world.sent).toEqual([])
    expect(log.entries()).toMatchObject([{ level: "info", event: "replay.anotherRuns", run: "person" }])
  })

  it("logs what stops it, and fails", async () => {
    const world = aReplayWorld()
    world.add(coded(1, "ERR_VAULT_THROTTLED"))
    const log = capturingLog()
    const sender = {
      send: async () => {
        throw new ServiceError("ERR_QUEUE_FORBIDDEN", "no")
      },
    }
    const handler = createReplayDeadLettersHandler(() => ({
      log,
      telemetry: silentTelemetry(),
      openReplay: () => ({ ...world.parts, sender }),
    }))
    await expect(handler({} as Timer, {} as InvocationContext)).rejects.toMatchObject({
      code: "ERR_QUEUE_FORBIDDEN",
    })
    expect(log.entries().at(-1)).toMatchObject({
      level: "error",
      event: "replay.failed",
      code: "ERR_QUEUE_FORBIDDEN",
    })
    expect(world.at("dead-letter")).toHaveLength(1)
  })
})
