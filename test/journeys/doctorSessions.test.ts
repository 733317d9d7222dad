import { describe, expect, it } from "vitest"
import { runDoctorIn } from "../support/runDoctorIn.ts"
import { startJourney } from "../support/startJourney.ts"

describe("doctor", () => {
  it("C16: a queue demands sessions, which neither Event Grid nor the worker has", async () => {
    const journey = await startJourney({
      runsTimers: false,
      queueOptions: { requiresSession: true },
      settings: { BACKUP_PAUSED: "true" },
    })
    try {
      const { failing, exitCode, findings } = await runDoctorIn(journey, { as: "backup" })
      expect({ failing, exitCode }).toEqual({
        failing: ["queue.sessions", "delivery.sessions"],
        exitCode: 30,
      })
      expect(findings.find(({ verdict }) => verdict === "queue.sessions")?.says).toContain("queue-sessions")
      expect(JSON.stringify(findings.find(({ verdict }) => verdict === "queue.sessions")?.fix)).toMatch(
        /az servicebus queue create .*--name keyvault-changes-plain --enable-session false/,
      )
    } finally {
      await journey.stop()
    }
  })
})
