import { describe, expect, it } from "vitest"
import { type ErrorCode, ServiceError } from "../../../shared/errors.ts"
import { createVaultLimiter } from "../../../shared/vault/vaultLimiter.ts"
import { createBackgroundPace } from "../../../shared/vault/vaultPace.ts"
import { host } from "../../support/builders.ts"
import { fakeClock } from "../../support/fakeClock.ts"

/** A call that fails with these codes, one after the other, and then succeeds. */
function aCall(failures: readonly { readonly code: ErrorCode; readonly retryAfterMs?: number }[]) {
  const left = [...failures]
  let calls = 0
  return {
    get calls() {
      return calls
    },
    call: async () => {
      calls += 1
      const failure = left.shift()
      if (failure) {
        const { code, ...rest } = failure
        throw new ServiceError(code, "refused", rest)
      }
      return "page"
    },
  }
}

function aPace() {
  const clock = fakeClock()
  const limiter = createVaultLimiter({ clock })
  return { clock, limiter, pace: createBackgroundPace({ limiter, clock }) }
}

describe("createBackgroundPace", () => {
  it("gives what the call gives", async () => {
    const { pace, clock } = aPace()
    await expect(pace(host, aCall([]).call)).resolves.toBe("page")
    expect(clock.sleeps).toEqual([])
  })

  it.each(["ERR_VAULT_UNAVAILABLE", "ERR_VAULT_THROTTLED"] as const)(
    "tries %s again, later each time",
    async (code) => {
      const { pace, clock } = aPace()
      const call = aCall([{ code }, { code }, { code }])
      await expect(pace(host, call.call)).resolves.toBe("page")
      expect(call.calls).toBe(4)
      expect(clock.sleeps.slice(0, 1)).toEqual([500])
    },
  )

  it("outlasts the ten seconds over which a vault counts, where it names no pause (C32)", async () => {
    const { pace, clock } = aPace()
    const startMs = clock.now().getTime()
    const throttled = Array.from({ length: 7 }, () => ({ code: "ERR_VAULT_THROTTLED" }) as const)
    await expect(pace(host, aCall(throttled).call)).resolves.toBe("page")
    expect(clock.now().getTime() - startMs).toBeGreaterThan(20_000)
    await expect(pace(host, aCall([...throttled, ...throttled]).call)).rejects.toMatchObject({
      code: "ERR_VAULT_THROTTLED",
    })
  })

  it("waits as long as the vault asks, and halves its share", async () => {
    const { pace, clock, limiter } = aPace()
    await expect(
      pace(host, aCall([{ code: "ERR_VAULT_THROTTLED", retryAfterMs: 12_000 }]).call),
    ).resolves.toBe("page")
    expect(clock.sleeps).toEqual([12_000])
    expect(limiter.limitOf(host)).toBe(8)
  })

  it.each([
    { name: "a role that is missing", failures: [{ code: "ERR_VAULT_FORBIDDEN" }], calls: 1 },
    { name: "an answer that is none", failures: [{ code: "ERR_VAULT_RESPONSE_INVALID" }], calls: 1 },
    {
      name: "a pause of more than a minute",
      failures: [{ code: "ERR_VAULT_THROTTLED", retryAfterMs: 61_000 }],
      calls: 1,
    },
    {
      name: "what does not pass",
      failures: Array.from({ length: 9 }, () => ({ code: "ERR_VAULT_UNAVAILABLE" }) as const),
      calls: 4,
    },
  ] as const)("gives up on $name", async ({ failures, calls }) => {
    const { pace } = aPace()
    const call = aCall(failures)
    await expect(pace(host, call.call)).rejects.toMatchObject({ code: failures[0]?.code })
    expect(call.calls).toBe(calls)
  })
})
