import { fork } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
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

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("startFunctionsHost", () => {
  it("lists what is enabled, and gives the app its settings and no more", async () => {
    process.env["FIXTURE_OF_PARENT"] = "x"
    const settings = { ...withoutQueues, FIXTURE_SETTING: "setting-value" }
    const { host } = await start({ env: settings, functionKey: "key-value" })
    expect(host.functions).toEqual([
      { name: "tick", type: "timerTrigger" },
      { name: "everySecond", type: "timerTrigger" },
      { name: "echo", type: "httpTrigger" },
      { name: "open", type: "httpTrigger" },
    ])
    const { env } = (await (await fetch(`${host.url}/api/open`)).json()) as { env: string[] }
    const given = [...Object.keys(settings), "NODE_EXTRA_CA_CERTS"]
    expect(env.filter((name) => !["PATH", "HOME", "TZ"].includes(name)).sort()).toEqual(given.sort())
    const commandLine = await readFile(`/proc/${host.pid}/cmdline`, "utf8")
    expect(commandLine).toContain("main.ts")
    expect(commandLine).not.toMatch(/setting-value|key-value/)
  })

  it.each([
    { name: "the entry file throws", fail: "load", text: "ERR_FIXTURE: no such setting" },
    { name: "an appStart hook throws", fail: "appStart", text: "the store has no policy" },
  ])("fails with the error's code and message, not its stack, when $name", async ({ fail, text }) => {
    const failed = app.start({ env: { ...withoutQueues, FIXTURE_FAIL: fail } })
    await expect(failed).rejects.toThrow(`The functions host failed to start: ${text}`)
    await expect(failed).rejects.not.toThrow(/\n| at /)
  })

  it.each([
    {
      name: "a connection without settings",
      env: { "AzureWebJobs.receiveMany.Disabled": "false" },
      text: "'Bus' is missing",
    },
    {
      name: "an unresolved setting in a binding",
      env: { "AzureWebJobs.receive.Disabled": "false" },
      text: "'%FIXTURE_QUEUE%' does not resolve",
    },
  ])("fails for $name", async ({ env, text }) => {
    await expect(app.start({ env: { ...withoutQueues, ...env } })).rejects.toThrow(text)
  })

  it("fails for a bundle that is absent, is no program, or registers nothing", async () => {
    await expect(app.start({ bundle: "/nowhere.cjs" })).rejects.toThrow("/nowhere.cjs does not exist")
    const empty = join(app.directory, "empty.cjs")
    await writeFile(empty, "")
    await expect(app.start({ bundle: empty })).rejects.toThrow("The app registered no functions")
    const broken = join(app.directory, "broken.cjs")
    await writeFile(broken, "const = 1")
    await expect(app.start({ bundle: broken })).rejects.toThrow("failed to start: ")
  })

  it("reports log levels, categories and invocations", async () => {
    const { host, logs, invocations } = await start({ functionKey: "k" })
    await fetch(`${host.url}/api/echo/a?code=k`)
    await eventually(() => invocations.length > 0)
    const { invocationId } = invocations[0]!
    expect(invocations).toMatchObject([{ function: "echo", ok: true }])
    expect(logs).toContainEqual({
      level: "warning",
      category: "user",
      function: "echo",
      invocationId,
      message: "echo warns",
    })
    expect(logs.map((line) => line.message)).toContain("the ***")
    await eventually(() => logs.find((line) => line.message === "echo prints an error"))
    expect(logs).toContainEqual({ level: "error", category: "user", message: "echo prints an error" })
    expect(logs.find((line) => line.message === "echo debugs")).toBeUndefined()
    expect(logs).toContainEqual({
      level: "information",
      category: "user",
      message: "appStart hookData=object",
    })
  })

  it("lets running invocations end on stop, runs appTerminate and exits with 0", async () => {
    const { host, logs, invocations } = await start()
    const slow = fetch(`${host.url}/api/open?waitMs=400`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await host.stop()
    await expect(slow.then((response) => response.json())).resolves.toMatchObject({ waited: 400 })
    await expect(host.whenExit).resolves.toEqual({ code: 0, signal: null })
    expect(logs.map((line) => line.message)).toContain("appTerminate")
    expect(invocations).toMatchObject([{ function: "open", ok: true }])
    await host.stop()
  })

  it("drains on SIGTERM too", async () => {
    const { host } = await start()
    const slow = fetch(`${host.url}/api/open?waitMs=300`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    process.kill(host.pid, "SIGTERM")
    expect((await slow).status).toBe(200)
    await expect(host.whenExit).resolves.toEqual({ code: 0, signal: null })
  })

  it("does not wait for an invocation longer than the limit", async () => {
    const { host, logs } = await start()
    const cut = fetch(`${host.url}/api/open?waitMs=20000`).catch(() => "cut")
    await new Promise((resolve) => setTimeout(resolve, 100))
    await host.stop({ limitMs: 200 })
    await expect(cut).resolves.toBe("cut")
    expect((await host.whenExit).code).toBe(0)
    expect(logs.map((line) => line.message)).toContain("Stopped after 200 ms with 1 invocations running")
  })

  it("restarts on the same port with another process, also after a kill", async () => {
    const { host } = await start()
    const { pid, url } = host
    await host.restart()
    expect(host.pid).not.toBe(pid)
    expect(host.url).toBe(url)
    await host.kill()
    await expect(host.whenExit).resolves.toEqual({ code: null, signal: "SIGKILL" })
    await expect(host.runTimer("tick")).rejects.toThrow("The functions host is not running")
    await host.restart()
    expect((await fetch(`${url}/api/open`)).status).toBe(200)
    expect(isRunning(host.pid)).toBe(true)
  })

  it("tells the code of a crash, and the error that nobody caught", async () => {
    const { host, logs } = await start()
    await fetch(`${host.url}/api/open?crash=yes`).catch(() => {})
    await expect(host.whenExit).resolves.toEqual({ code: 1, signal: null })
    expect(logs).toContainEqual(
      expect.objectContaining({ level: "error", message: "Worker uncaught exception: out of reach" }),
    )
  })

  it("ends the child when its parent is gone", async () => {
    const program = join(app.directory, "parent.ts")
    const moduleUrl = new URL("../../../local/functionsHost/startFunctionsHost.ts", import.meta.url).href
    await writeFile(
      program,
      `import { startFunctionsHost } from ${JSON.stringify(moduleUrl)}
       const options = JSON.parse(process.env.OPTIONS)
       const host = await startFunctionsHost({ ...options, onLog: () => {} })
       process.send(host.pid)`,
    )
    const options = {
      appDirectory: app.directory,
      bundle: join(app.directory, "index.cjs"),
      caFile: join(app.directory, "ca.pem"),
      env: withoutQueues,
    }
    const parent = fork(program, [], {
      env: { OPTIONS: JSON.stringify(options) },
      execArgv: [],
      stdio: "ignore",
    })
    const pid = await new Promise<number>((resolve) => parent.once("message", resolve as () => void))
    expect(isRunning(pid)).toBe(true)
    parent.kill("SIGKILL")
    await eventually(() => !isRunning(pid))
  })
})
