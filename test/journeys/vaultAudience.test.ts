import { afterEach, describe, expect, it } from "vitest"
import { type Journey, startJourney } from "../support/startJourney.ts"

const journeys: Journey[] = []
afterEach(async () => {
  for (const journey of journeys.splice(0)) await journey.stop()
})

/** A worker that checks challenges, as in production, and knows the audience of its vaults by its setting. */
async function aJourney(audience: string): Promise<Journey> {
  const journey = await startJourney({
    settings: {
      BACKUP_VAULT_CHALLENGE_CHECK: "on",
      BACKUP_VAULT_AUDIENCE: audience,
      BACKUP_RETRY_FIRST_DELAY: "50ms",
      BACKUP_RETRY_MAX_DELAY: "100ms",
      BACKUP_RETRY_MAX_AGE: "1s",
    },
  })
  journeys.push(journey)
  return journey
}

describe("BACKUP_VAULT_AUDIENCE, in the worker", () => {
  it("lets it read a vault whose host says nothing of its audience, although the challenge is checked", async () => {
    const journey = await aJourney("https://vault.azure.net")
    const id = await journey.set("a", "hunter2")
    await journey.settled()
    expect(journey.outcomes(id)).toMatchObject([{ outcome: "stored" }])
  })

  it("lets a vault of another audience have no token: its change is deferred and named in quarantine, not lost", async () => {
    const journey = await aJourney("https://vault.azure.cn")
    const id = await journey.set("a", "hunter2")
    await journey.settled()
    expect(new Set(journey.outcomes(id).map(({ outcome, code }) => `${outcome} ${code}`))).toEqual(
      new Set(["deferred ERR_VAULT_CHALLENGE"]),
    )
    expect(
      journey.lines.filter((line) => line.includes("BACKUP_VAULT_AUDIENCE, https://vault.azure.cn")),
    ).not.toEqual([])
    const [message] = await journey.peek("quarantine")
    expect(message?.applicationProperties).toMatchObject({ "kvb-last-code": "ERR_VAULT_CHALLENGE" })
  })
})
