import { describe, expect, it } from "vitest"
import { systemClock } from "../../../shared/clock.ts"
import { ServiceError } from "../../../shared/errors.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import {
  createVaultLimiter,
  limitVaultReader,
  type VaultLimiter,
} from "../../../shared/vault/vaultLimiter.ts"
import { anObject, aReading, host } from "../../support/builders.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { SecretValue } from "../../../shared/secretValue.ts"

const throttled = (retryAfterMs?: number) =>
  new ServiceError("ERR_VAULT_THROTTLED", "Key Vault answered 429", retryAfterMs ? { retryAfterMs } : {})
const fail = (error: Error) => async () => {
  throw error
}

/** Calls that stay open until they are told to end. */
function openCalls(limiter: VaultLimiter, count: number, priority?: "live" | "background") {
  const ends: (() => void)[] = []
  const results = Array.from({ length: count }, () =>
    limiter.run(host, () => new Promise<void>((resolve) => ends.push(resolve)), priority),
  )
  return { ends, results }
}

const tick = () => new Promise((resolve) => setImmediate(resolve))

describe("createVaultLimiter", () => {
  it("lets no more calls of one vault be under way than its limit, and other vaults alone", async () => {
    const limiter = createVaultLimiter({ clock: fakeClock(), initialLimit: 3 })
    const { ends, results } = openCalls(limiter, 5)
    await tick()
    expect(ends).toHaveLength(3)
    await expect(limiter.run("other.vault.azure.net", async () => "free")).resolves.toBe("free")
    ends[0]?.()
    await tick()
    expect(ends).toHaveLength(4)
    for (let round = 0; round < 2; round++) {
      for (const end of ends) end()
      await tick()
    }
    expect(ends).toHaveLength(5)
    for (const end of ends) end()
    await Promise.all(results)
  })

  it("sends a live call away whose turn was over a minute in coming, and makes no call for it", async () => {
    const clock = fakeClock()
    const limiter = createVaultLimiter({ clock, initialLimit: 1 })
    const first = openCalls(limiter, 1)
    await tick()
    let called = false
    const late = limiter.run(host, async () => {
      called = true
    })
    const background = limiter.run(host, async () => "reconciled", "background")
    clock.advance(60_001)
    first.ends[0]?.()
    await expect(late).rejects.toMatchObject({ code: "ERR_VAULT_THROTTLED", retryAfterMs: undefined })
    await expect(background).resolves.toBe("reconciled")
    expect(called).toBe(false)
    await Promise.all(first.results)
  })

  it("adds one after each round that went well, up to the most", async () => {
    const limiter = createVaultLimiter({ clock: fakeClock(), initialLimit: 2, maxLimit: 4 })
    const limits: number[] = []
    for (let call = 0; call < 12; call++) {
      await limiter.run(host, async () => {})
      limits.push(limiter.limitOf(host))
    }
    expect(limits).toEqual([2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4])
  })

  it("halves once for a burst of refusals, and never below one", async () => {
    const clock = fakeClock()
    const limiter = createVaultLimiter({ clock, initialLimit: 16 })
    const burst = Array.from({ length: 16 }, () => limiter.run(host, fail(throttled())))
    await Promise.allSettled(burst)
    expect(limiter.limitOf(host)).toBe(8)
    for (let round = 0; round < 6; round++) {
      clock.advance(60_000)
      await expect(limiter.run(host, fail(throttled()))).rejects.toThrow()
    }
    expect(limiter.limitOf(host)).toBe(1)
  })

  it("learns nothing from other failures", async () => {
    const limiter = createVaultLimiter({ clock: fakeClock(), initialLimit: 1 })
    const error = new ServiceError("ERR_VAULT_UNAVAILABLE", "cut")
    await expect(limiter.run(host, fail(error))).rejects.toBe(error)
    expect(limiter.limitOf(host)).toBe(1)
    await limiter.run(host, async () => {})
    expect(limiter.limitOf(host)).toBe(2)
  })

  it.each([
    { name: "a second when the answer names no pause", asked: undefined, sleeps: [1000] },
    { name: "as long as the vault asked", asked: 4000, sleeps: [4000] },
  ])("waits $name before the next call", async ({ asked, sleeps }) => {
    const clock = fakeClock()
    const limiter = createVaultLimiter({ clock })
    await expect(limiter.run(host, fail(throttled(asked)))).rejects.toThrow()
    await limiter.run(host, async () => {})
    expect(clock.sleeps).toEqual(sleeps)
  })

  it("sends callers away without a call while a long pause lasts, and tells what is left of it", async () => {
    const clock = fakeClock()
    const limiter = createVaultLimiter({ clock })
    await expect(limiter.run(host, fail(throttled(30_000)))).rejects.toThrow()
    clock.advance(10_000)
    let calls = 0
    const call = () => limiter.run(host, async () => void (calls += 1))
    await expect(call()).rejects.toMatchObject({ code: "ERR_VAULT_THROTTLED", retryAfterMs: 20_000 })
    expect(calls).toBe(0)
    clock.advance(20_000)
    await call()
    expect(calls).toBe(1)
  })

  it("lets background calls have half, and only what no live call waits for", async () => {
    const limiter = createVaultLimiter({ clock: fakeClock(), initialLimit: 4 })
    const background = openCalls(limiter, 4, "background")
    await tick()
    expect(background.ends).toHaveLength(2)
    const live = openCalls(limiter, 4)
    await tick()
    expect(live.ends).toHaveLength(2)
    background.ends[0]?.()
    await tick()
    expect(live.ends).toHaveLength(3)
    expect(background.ends).toHaveLength(2)
    for (let round = 0; round < 8; round++) {
      for (const end of [...live.ends, ...background.ends]) end()
      await tick()
    }
    await Promise.all([...background.results, ...live.results])
  })
})

describe("500 calls at once to a vault that takes 50 in a tenth of a second", () => {
  /** Ends when each call was answered; refused ones come back when they were asked to. @returns refusals. */
  async function callAll(through: (work: () => Promise<void>) => Promise<void>): Promise<number> {
    let refusals = 0
    let window = { index: 0, calls: 0 }
    const answer = async () => {
      await systemClock.sleep(1)
      const index = Math.floor(Date.now() / 100)
      if (window.index !== index) window = { index, calls: 0 }
      window.calls += 1
      if (window.calls <= 50) return
      refusals += 1
      throw throttled(100 * (index + 1) - Date.now() + 1)
    }
    const untilAnswered = async () => {
      for (;;) {
        try {
          return await through(answer)
        } catch (error) {
          await systemClock.sleep((error as ServiceError).retryAfterMs ?? 0)
        }
      }
    }
    await Promise.all(Array.from({ length: 500 }, untilAnswered))
    return refusals
  }

  it("are hardly ever refused", async () => {
    const limiter = createVaultLimiter({ clock: systemClock })
    const limited = await callAll((work) => limiter.run(host, work))
    const unlimited = await callAll((work) => work())
    expect(unlimited).toBeGreaterThan(1500)
    expect(limited).toBeLessThan(unlimited / 10)
  })
})

describe("limitVaultReader", () => {
  it("reads through the limiter and hands on what the vault says", async () => {
    const vault = createMemoryVault()
    vault.set(anObject(), { ...aReading(), value: new SecretValue("v") })
    const limiter = createVaultLimiter({ clock: fakeClock(), initialLimit: 1 })
    const reader = limitVaultReader(vault, limiter)
    await expect(reader.readSecret(anObject())).resolves.toMatchObject({ managed: false })
    expect(limiter.limitOf(host)).toBe(2)
    await expect(reader.readSecret(anObject({ version: 2 }))).rejects.toMatchObject({
      code: "ERR_VAULT_VERSION_ABSENT",
    })
    await expect(reader.readCertificate(anObject({ kind: "certificate" }))).rejects.toMatchObject({
      code: "ERR_VAULT_VERSION_ABSENT",
    })
  })
})
