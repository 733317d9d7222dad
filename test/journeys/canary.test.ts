import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { readLocalCloud } from "../../cli/localCloud.ts"
import { main } from "../../cli/main.ts"
import { canaryAgeLimitMs } from "../../shared/audit/canary.ts"
import { openAzureCanary } from "../../shared/canary/azureCanaryParts.ts"
import { runCanary } from "../../shared/canary/runCanary.ts"
import { createAzureHttpClient } from "../../shared/azureHttpClient.ts"
import { createCredential } from "../../shared/azureCredential.ts"
import { systemClock } from "../../shared/clock.ts"
import { loadSettings } from "../../shared/config.ts"
import { capturingLog } from "../support/capturingLog.ts"
import { type LocalHttpsServer, startLocalHttpsServer } from "../support/localHttpsServer.ts"
import { silentTelemetry } from "../support/memoryTelemetry.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

const token = "b4d5a8f2-heartbeat-token"
const beats: string[] = []
let keep: string
let server: LocalHttpsServer
let journey: Journey
let secretUrl: string

beforeAll(async () => {
  keep = await mkdtemp(join(tmpdir(), "canary-"))
  server = await startLocalHttpsServer((request, response) => {
    beats.push(`${request.method} ${request.url}`)
    response.end("ok")
  })
  journey = await startJourney({
    keep,
    runsTimers: false,
    settings: { BACKUP_HEARTBEAT_URL: `${server.url}/ping/${token}` },
  })
  await server.trustLike(keep)
  secretUrl = `${journey.cloud.vaults[0]?.url}/secrets/kvbackup-canary`
})
afterEach(async () => {
  beats.length = 0
  await journey.control("DELETE /faults")
})
afterAll(async () => {
  await journey?.stop()
  await server?.stop()
  await rm(keep, { recursive: true, force: true })
})

const records = () =>
  journey.cloud.blob.backdoor
    .names(journey.cloud.file.blob.container, "v1/")
    .filter((name) => name.includes("/kvbackup-canary/"))

const metadataOf = async (name: string) => {
  const found = await journey.cloud.blob.backdoor.read({ container: journey.cloud.file.blob.container, name })
  return found?.metadata ?? {}
}

const said = (event: string) => journey.lines.filter((line) => line.includes(`"event":"${event}"`))

/** A day in less than half an hour: a canary's two minutes pass in two seconds. */
const fastClock = (speed = 60) => {
  const startedAt = Date.now()
  return {
    now: () => new Date(startedAt + (Date.now() - startedAt) * speed),
    sleep: (ms: number) => systemClock.sleep(ms / speed),
  }
}

/** Sends a canary from this process, by the product's own parts and as its identity. */
async function sendHere() {
  const { env } = readLocalCloud(journey.directory)
  const settings = loadSettings(
    { ...env, BACKUP_CANARY_SECRET: secretUrl, BACKUP_HEARTBEAT_URL: `${server.url}/ping/${token}` },
    ["BACKUP_STORE_URL"],
  )
  const log = capturingLog()
  const httpClient = createAzureHttpClient()
  const credential = createCredential("managedIdentity", settings.BACKUP_CANARY_CLIENT_ID)
  const parts = openAzureCanary({ settings, credential, httpClient, clock: fastClock() })
  const error = await runCanary(parts, { log, telemetry: silentTelemetry() }).catch(
    (thrown: unknown) => thrown,
  )
  await parts.close()
  await httpClient.close()
  return { error, log }
}

async function status() {
  let out = ""
  const { env } = readLocalCloud(journey.directory)
  const exitCode = await main(["status", "--json"], {
    out: (text) => (out += text),
    err: () => {},
    env: { ...env, BACKUP_CANARY_SECRET: secretUrl },
    cwd: journey.directory,
  })
  const { canary, queues } = JSON.parse(out) as {
    readonly canary?: { readonly ageMs: number | null; readonly isOverdue: boolean }
    readonly queues?: { readonly waiting: number }
  }
  return { exitCode, canary, queues }
}

describe("the canary of a cloud", () => {
  it("goes the whole way as its own identity, and the heartbeat tells the world", async () => {
    await journey.control("POST /functions/sendCanary")
    const [name] = records()
    expect(records()).toHaveLength(1)
    expect((await metadataOf(name ?? ""))["origin"]).toBe("canary")
    expect(beats).toEqual([`GET /ping/${token}`])
    expect(said("canary.proved")).toHaveLength(1)
    expect(journey.lines.filter((line) => line.includes(token))).toEqual([])
    expect(await status()).toMatchObject({ exitCode: 0, canary: { isOverdue: false } })
  })

  it("C11 nothing ever arrives: a canary whose event is lost is late, and no heartbeat goes out", async () => {
    await journey.control("POST /faults", {
      target: "eventgrid",
      match: { path: "/kvbackup-canary" },
      effect: "drop",
    })
    const stored = records().length
    const { error, log } = await sendHere()
    expect(error).toMatchObject({ code: "ERR_CANARY_LATE" })
    expect(log.entries().map(({ event, level }) => [event, level])).toEqual([
      ["canary.age", "info"],
      ["canary.late", "error"],
    ])
    expect(records()).toHaveLength(stored)
    expect(beats).toEqual([])
  })

  it("is judged anew by the next run, which is proved once events come again", async () => {
    const { error, log } = await sendHere()
    expect(error).toBeUndefined()
    expect(log.entries().at(-1)).toMatchObject({ event: "canary.proved" })
    expect(beats).toEqual([`GET /ping/${token}`])
  })

  it("may do nothing but set its one secret and list", async () => {
    await journey.control("PUT /roles", { canary: [] })
    await expect(journey.control("POST /functions/sendCanary")).rejects.toThrow()
    expect(said("canary.failed").at(-1)).toContain("ERR_STORE_FORBIDDEN")
    expect(beats).toEqual([])
  })

  it("C63 a trigger that sleeps: changes wait, no canary arrives, and the status shows how old the last one is", async () => {
    await journey.cloud.host.kill()
    await journey.set("c63", "x")
    const { container } = journey.cloud.file.blob
    const ageMs = canaryAgeLimitMs + 60_000
    for (const name of records()) {
      const metadata = { ...(await metadataOf(name)), changedat: new Date(Date.now() - ageMs).toISOString() }
      await journey.cloud.blob.backdoor.alter({ container, name }, { metadata })
    }
    const { exitCode, canary, queues } = await status()
    expect(exitCode).toBe(30)
    expect(queues?.waiting).toBe(1)
    expect(canary?.isOverdue).toBe(true)
    expect(canary?.ageMs).toBeGreaterThanOrEqual(ageMs)
  })
})
