import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { RunningFunctionsHost } from "../../../local/functionsHost/startFunctionsHost.ts"
import { bundleFixture, eventually, type FixtureApp, type FixtureHost, withoutQueues } from "./fixtureHost.ts"

let app: FixtureApp
const hosts: RunningFunctionsHost[] = []

beforeAll(async () => {
  app = await bundleFixture()
})
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.kill()))
})
afterAll(() => app.remove())

async function start(options: Parameters<FixtureApp["start"]>[0] = {}): Promise<FixtureHost> {
  const started = await app.start(options)
  hosts.push(started.host)
  return started
}

describe("timer functions", () => {
  it("run on demand one at a time, with the schedule's status", async () => {
    const { host, saw } = await start()
    await Promise.all([host.runTimer("tick"), host.runTimer("tick")])
    await eventually(() => saw("tick").length === 2)
    const nextYear = new Date().getUTCFullYear() + 1
    for (const seen of saw("tick")) {
      expect(seen).toEqual({
        running: 1,
        timer: {
          isPastDue: false,
          schedule: { adjustForDST: true },
          scheduleStatus: {
            last: "0001-01-01T00:00:00+00:00",
            next: `${nextYear}-01-01T00:00:00+00:00`,
            lastUpdated: "0001-01-01T00:00:00+00:00",
          },
        },
      })
    }
  })

  it("reject a run on demand with the function's error, and an unknown name", async () => {
    const { host } = await start({ env: { ...withoutQueues, FIXTURE_FAIL: "timer" } })
    await expect(host.runTimer("tick")).rejects.toThrow("the timer failed")
    await expect(host.runTimer("echo")).rejects.toThrow("There is no timer function echo")
  })

  it("run on their schedule, unless another host has the timers", async () => {
    const [listening, other] = await Promise.all([start({ runsTimers: true }), start()])
    await eventually(() => listening.saw("everySecond").length >= 2)
    expect(listening.saw("everySecond")[0]).toMatchObject({
      timer: { isPastDue: false, scheduleStatus: null },
    })
    expect(other.saw("everySecond")).toEqual([])
    await other.host.runTimer("everySecond")
    await eventually(() => other.saw("everySecond").length === 1)
  })
})

describe("HTTP functions", () => {
  it("get method, parameters, query, headers and body bytes, and give status, headers, cookies and bytes", async () => {
    const { host } = await start({ functionKey: "k" })
    const body = Buffer.from([0, 255, 1, 254])
    const response = await fetch(`${host.url}/api/Echo/a%20b?q=1&q=2`, {
      method: "POST",
      body,
      headers: { "X-In": "in", "x-functions-key": "k" },
    })
    expect(response.status).toBe(201)
    expect(response.headers.get("x-query")).toBe("1,2")
    expect(response.headers.get("x-method")).toBe("POST")
    expect(response.headers.get("set-cookie")).toBe("seen=yes; HttpOnly; SameSite=Lax")
    const answer = Buffer.from(await response.arrayBuffer())
    expect(answer).toEqual(Buffer.concat([Buffer.from("a b:in:"), body]))
  })

  it.each([
    { name: "no key", path: "/api/echo/a", status: 401 },
    { name: "a wrong key", path: "/api/echo/a?code=K", status: 401 },
    { name: "the key in the query", path: "/api/echo/a?code=k", status: 201 },
    { name: "an anonymous function", path: "/api/open", status: 200 },
    { name: "an unknown route", path: "/api/nope", status: 404 },
    { name: "no prefix", path: "/open", status: 404 },
    { name: "a function that throws", path: "/api/open?throw=yes", status: 500 },
    { name: "a function that returns nothing", path: "/api/open?empty=yes", status: 204 },
  ])("answer $name with $status", async ({ path, status }) => {
    const { host } = shared
    const response = await fetch(`${host.url}${path}`)
    expect(response.status).toBe(status)
  })

  it("answer a method that the function does not take with 404", async () => {
    const { host } = shared
    expect((await fetch(`${host.url}/api/echo/a?code=k`, { method: "DELETE" })).status).toBe(404)
  })

  it("fail when they run longer than host.json's functionTimeout", async () => {
    await app.writeHostJson({}, { functionTimeout: "00:00:01" })
    const { host, invocations } = await start()
    expect((await fetch(`${host.url}/api/open?waitMs=5000`)).status).toBe(500)
    await eventually(() => invocations.length === 1)
    expect(invocations).toMatchObject([
      { ok: false, error: "Timeout value of 1000 ms exceeded by function open" },
    ])
    await app.writeHostJson({})
  })

  it("are closed without a key to check", async () => {
    const { host } = await start()
    expect((await fetch(`${host.url}/api/echo/a?code=`)).status).toBe(401)
  })

  let shared: FixtureHost
  beforeAll(async () => {
    shared = await app.start({ functionKey: "k" })
  })
  afterAll(() => shared.host.stop())
})
