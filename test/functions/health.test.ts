import { type HttpRequest, InvocationContext } from "@azure/functions"
import { describe, expect, it } from "vitest"
import { createHealthHandler, type HealthApp } from "../../functions/health.ts"
import { fakeClock } from "../support/fakeClock.ts"

const request = {} as HttpRequest

function aHealth(check: () => Promise<void>) {
  const clock = fakeClock()
  let asked = 0
  const app: HealthApp = {
    clock,
    checkHealth: () => {
      asked += 1
      return check()
    },
  }
  const handler = createHealthHandler(() => app)
  return { clock, get: () => handler(request, new InvocationContext()), asked: () => asked }
}

const healthy = async () => {}
const broken = async () => {
  throw new Error("secret details hunter2")
}

describe("createHealthHandler", () => {
  it.each([
    { name: "in health", check: healthy, status: 200, body: "ok\n" },
    { name: "when the worker cannot do its job", check: broken, status: 503, body: "not ok\n" },
  ])("answers $status $name, and nothing more", async ({ check, status, body }) => {
    const { get } = aHealth(check)
    await expect(get()).resolves.toEqual({
      status,
      headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
      body,
    })
  })

  it.each([
    { name: "good", check: healthy },
    { name: "bad", check: broken },
  ])("repeats a $name answer for ten seconds and then asks again", async ({ check }) => {
    const { get, clock, asked } = aHealth(check)
    await get()
    clock.advance(9999)
    await get()
    expect(asked()).toBe(1)
    clock.advance(1)
    await get()
    expect(asked()).toBe(2)
  })

  it("asks once for all who come at the same time", async () => {
    let release = () => {}
    const { get, asked } = aHealth(() => new Promise((done) => (release = done)))
    const all = Promise.all(Array.from({ length: 50 }, () => get()))
    await new Promise((done) => setImmediate(done))
    release()
    expect(await all).toMatchObject(Array.from({ length: 50 }, () => ({ status: 200 })))
    expect(asked()).toBe(1)
  })

  it("tells that it recovered", async () => {
    let works = false
    const { get, clock } = aHealth(() => (works ? healthy() : broken()))
    await expect(get()).resolves.toMatchObject({ status: 503 })
    works = true
    clock.advance(10_000)
    await expect(get()).resolves.toMatchObject({ status: 200 })
  })

  it("answers 503 before the worker has started, and does not remember that", async () => {
    let worker: HealthApp | undefined
    const handler = createHealthHandler(() => {
      if (!worker) throw new Error("The worker has not started")
      return worker
    })
    await expect(handler(request, new InvocationContext())).resolves.toMatchObject({
      status: 503,
      body: "not ok\n",
    })
    worker = { clock: fakeClock(), checkHealth: healthy }
    await expect(handler(request, new InvocationContext())).resolves.toMatchObject({ status: 200 })
  })
})
