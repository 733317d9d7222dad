import { describe, expect, it } from "vitest"
import { createWriteDigestHandler } from "../../functions/writeDigest.ts"
import { ServiceError } from "../../shared/errors.ts"
import { aDigestStore, recordName } from "../support/aDigestStore.ts"
import { capturingLog } from "../support/capturingLog.ts"

async function aTimer() {
  const world = await aDigestStore()
  const log = capturingLog()
  const run = (over: Partial<typeof world.parts> = {}) =>
    createWriteDigestHandler(() => ({ log, openDigests: async () => ({ ...world.parts, ...over }) }))(
      {} as never,
      {} as never,
    )
  return { world, log, run }
}

describe("writeDigest", () => {
  it("says of each day that it is signed, and then that nothing was to be done", async () => {
    const { world, log, run } = await aTimer()
    world.put(recordName(1), "2026-11-23T10:00:00.000Z")
    await run()
    await run()
    expect(log.entries()).toMatchObject([
      {
        level: "info",
        event: "digest.written",
        day: "2026-11-23",
        blob: "digest/v1/2026-11-23.json",
        entries: 1,
        kid: "test-digest",
        outcome: "stored",
      },
      { event: "digest.written", day: "2026-11-24", entries: 0 },
      { event: "digest.upToDate", day: "2026-11-24" },
    ])
  })

  it("says that it failed, and fails, so that the host knows", async () => {
    const { log, run } = await aTimer()
    const putIfAbsent = () => Promise.reject(new ServiceError("ERR_STORE_FORBIDDEN", "no right to add"))
    await expect(run({ store: { putIfAbsent } })).rejects.toThrow("no right to add")
    expect(log.entries()).toMatchObject([
      { level: "error", event: "digest.failed", code: "ERR_STORE_FORBIDDEN" },
    ])
  })
})
