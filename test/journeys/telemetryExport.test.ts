import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buffer } from "node:stream/consumers"
import { gunzipSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createCanary, findCanaries, randomCanaryText } from "../support/canary.ts"
import { changeMessageForm, eventFacts } from "../support/eventForms.ts"
import { type LocalHttpsServer, startLocalHttpsServer } from "../support/localHttpsServer.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

/** One item as Application Insights takes it. */
interface Envelope {
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
  readonly data: {
    readonly baseType: string
    readonly baseData: {
      readonly name?: string
      readonly id?: string
      readonly metrics?: readonly { readonly name: string; readonly value: number; readonly count?: number }[]
      readonly properties?: Readonly<Record<string, string>>
    }
  }
}

const key = "12345678-1234-4123-8123-123456789012"
const posts: { readonly path: string; readonly authorization: string; readonly body: Buffer }[] = []
let keep: string
let server: LocalHttpsServer
let isBroken = false

beforeAll(async () => {
  keep = await mkdtemp(join(tmpdir(), "telemetry-"))
  server = await startLocalHttpsServer(async (request, response) => {
    const sent = await buffer(request)
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent
    if (isBroken) {
      response.writeHead(500).end()
      return
    }
    const { authorization = "" } = request.headers
    posts.push({ path: request.url ?? "", authorization, body })
    const count = envelopesOf(body).length
    response.writeHead(200, { "content-type": "application/json" })
    response.end(JSON.stringify({ itemsReceived: count, itemsAccepted: count, errors: [] }))
  })
})
afterAll(async () => {
  await server.stop()
  await rm(keep, { recursive: true, force: true })
})

function envelopesOf(body: Buffer): readonly Envelope[] {
  const text = body.toString("utf8")
  return text.startsWith("[")
    ? (JSON.parse(text) as Envelope[])
    : text.split("\n").map((line) => JSON.parse(line) as Envelope)
}

const settings = (more: Readonly<Record<string, string>> = {}) => ({
  APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${key};IngestionEndpoint=${server.url}/`,
  ...more,
})

async function withCloud(work: (journey: Journey) => Promise<void>, more?: Readonly<Record<string, string>>) {
  const journey = await startJourney({ keep, runsTimers: false, settings: settings(more) })
  try {
    await server.trustLike(keep)
    await work(journey)
  } finally {
    await journey.stop()
  }
  return journey
}

describe("the real Azure Monitor exporter", () => {
  it("sends outcomes and the trace of a change as the identity it is given, and what is left when the app ends", async () => {
    const secret = randomCanaryText()
    let version = ""
    let clientId = ""
    // The client id is known once the cloud is kept: the second cloud is the same one.
    await withCloud(async ({ cloud }) => {
      clientId = cloud.file.identities["backup"]?.clientId ?? ""
    })
    posts.length = 0
    await withCloud(
      async (journey) => {
        const id = await journey.set("exported", secret)
        await journey.settled()
        version = id.split("/").at(-1) ?? ""
      },
      { APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `Authorization=AAD;ClientId=${clientId}` },
    )
    expect(posts.length).toBeGreaterThan(0)
    expect(new Set(posts.map(({ path }) => path))).toEqual(new Set(["/v2.1/track"]))
    const [, claims = ""] = (posts[0]?.authorization ?? "").replace("Bearer ", "").split(".")
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({
      aud: "https://monitor.azure.com",
      appid: clientId,
    })

    const envelopes = posts.flatMap(({ body }) => envelopesOf(body))
    const metrics = envelopes.flatMap(({ data: { baseData } }) =>
      (baseData.metrics ?? []).map((metric) => ({ ...metric, properties: baseData.properties })),
    )
    expect(metrics.filter(({ name }) => name === "kvbackup.changes")).toMatchObject([
      { value: 1, properties: { "kvbackup.outcome": "stored", "kvbackup.origin": "live" } },
    ])
    expect(metrics.filter(({ name }) => name === "kvbackup.change.latency")).toMatchObject([{ count: 1 }])
    const ofChange = envelopes.find(
      ({ data: { baseData } }) => baseData.properties?.["kvbackup.version"] === version,
    )
    const operation = ofChange?.tags["ai.operation.id"] ?? "none"
    const trace = envelopes.filter(({ tags }) => tags["ai.operation.id"] === operation)
    expect(trace.map(({ data }) => data.baseData.name).sort()).toEqual([
      "back up version",
      "keyvault-changes deliver",
      "put",
      "read",
      "seal",
    ])
    const places = new Map(posts.map(({ body }, index) => [`post ${index}`, body]))
    expect(findCanaries(places, [createCanary(secret)])).toEqual([])
    expect(posts.filter(({ body }) => body.includes("exported"))).toEqual([])
  })

  it("sends one trace of a sender's Diagnostic-Id, a deferral and the second attempt, through broker and host", async () => {
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    posts.length = 0
    await withCloud(
      async (journey) => {
        const id = await journey.set("traced", "x")
        await journey.settled()
        await journey.control("POST /faults", {
          target: "keyvault",
          match: { method: "GET", path: "/secrets/traced" },
          effect: "status",
          status: 503,
          count: 1,
        })
        const sender = journey.serviceBus.createSender(journey.cloud.file.serviceBus.queue)
        await sender.sendMessages({
          body: changeMessageForm(eventFacts(id)),
          applicationProperties: { "Diagnostic-Id": `00-${trace}-00f067aa0ba902b7-01` },
        })
        await sender.close()
        await journey.settled()
        expect(journey.outcomes(id).map(({ outcome }) => outcome)).toEqual([
          "stored",
          "deferred",
          "alreadyStored",
        ])
      },
      { BACKUP_RETRY_FIRST_DELAY: "100ms" },
    )
    const spans = posts
      .flatMap(({ body }) => envelopesOf(body))
      .filter(({ tags }) => tags["ai.operation.id"] === trace)
      .map(({ data, tags }) => ({ ...data.baseData, parent: tags["ai.operation.parentId"] }))
    const [first, second] = spans.filter(({ name }) => name === "keyvault-changes deliver")
    expect(first?.parent).toBe("00f067aa0ba902b7")
    expect(second?.parent).toBe(first?.id)
    expect(spans.map(({ name }) => name).sort()).toEqual([
      "back up version",
      "back up version",
      "keyvault-changes deliver",
      "keyvault-changes deliver",
      "put",
      "read",
      "read",
      "seal",
    ])
  })

  it.each([
    { name: "the service answers with errors", more: {}, event: "telemetry.exportFailed", broken: true },
    {
      name: "the authentication is not understood",
      more: { APPLICATIONINSIGHTS_AUTHENTICATION_STRING: "Authorization=Key" },
      event: "telemetry.notStarted",
      broken: false,
    },
    {
      name: "the connection string is none",
      more: { APPLICATIONINSIGHTS_CONNECTION_STRING: "soon" },
      event: "telemetry.notStarted",
      broken: false,
    },
    {
      name: "no token can be had",
      more: { APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `Authorization=AAD;ClientId=${key}` },
      event: "telemetry.exportFailed",
      broken: false,
    },
  ])("stands in no backup's way when $name, and the log says so", async ({ more, event, broken }) => {
    isBroken = broken
    posts.length = 0
    const { lines } = await withCloud(async (journey) => {
      const id = await journey.set("not-exported", "x")
      await journey.settled()
      expect(journey.outcomes(id)).toMatchObject([{ outcome: "stored" }])
    }, more)
    isBroken = false
    expect(lines.filter((line) => line.includes(`"event":"${event}"`))).not.toEqual([])
    expect(posts).toEqual([])
  })
})
