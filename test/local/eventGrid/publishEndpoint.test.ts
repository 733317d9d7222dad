import { AzureKeyCredential, EventGridPublisherClient } from "@azure/eventgrid"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import {
  type RunningPublishEndpoint,
  startPublishEndpoint,
} from "../../../local/eventGrid/publishEndpoint.ts"
import { createCertificateAuthority } from "../../../local/tls/certificateAuthority.ts"

const key = "local topic key"
const event = {
  id: "11111111-2222-3333-4444-555555555555",
  eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
  subject: "db-password",
  dataVersion: "1",
  data: { Id: "https://v.vault.azure.net/secrets/n/0123456789abcdef0123456789abcdef", NBF: null },
}

let plain: RunningPublishEndpoint
let secure: RunningPublishEndpoint
let caPem: string
let published: unknown[] = []

beforeAll(async () => {
  const authority = await createCertificateAuthority()
  caPem = authority.caPem
  const relay = { publish: (each: unknown) => void published.push(each) }
  const checkToken = async (token: string) => token === "good"
  plain = await startPublishEndpoint({ relay, key })
  secure = await startPublishEndpoint({ relay, key, checkToken, tls: await authority.issue([]) })
})
afterAll(async () => {
  await plain.stop()
  await secure.stop()
})
beforeEach(() => {
  published = []
})

const noRetry = { retryOptions: { maxRetries: 0 } }
const withToken = (token: string) => ({
  getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 60_000 }),
})

describe("startPublishEndpoint", () => {
  it("takes Event Grid events from the real client over plain HTTP", async () => {
    const options = { ...noRetry, allowInsecureConnection: true }
    const client = new EventGridPublisherClient(plain.url, "EventGrid", new AzureKeyCredential(key), options)
    await client.send([event, { ...event, id: "2" }])
    expect(published).toEqual([
      { ...event, eventTime: expect.any(String) as unknown },
      { ...event, id: "2", eventTime: expect.any(String) as unknown },
    ])
  })

  it("takes CloudEvents from the real client with a token over TLS", async () => {
    const options = { ...noRetry, tlsOptions: { ca: caPem } }
    const client = new EventGridPublisherClient(secure.url, "CloudEvent", withToken("good"), options)
    const { data, id } = event
    await client.send([{ type: event.eventType, source: "/topic", id, subject: "db-password", data }])
    expect(published).toMatchObject([
      { specversion: "1.0", type: event.eventType, source: "/topic", id, subject: "db-password", data },
    ])
  })

  it("refuses a wrong key, a wrong token and a token where none is taken", async () => {
    const tls = { ...noRetry, tlsOptions: { ca: caPem } }
    const insecure = { ...noRetry, allowInsecureConnection: true }
    const clients = [
      new EventGridPublisherClient(plain.url, "EventGrid", new AzureKeyCredential("wrong"), insecure),
      new EventGridPublisherClient(secure.url, "EventGrid", withToken("bad"), tls),
    ]
    for (const client of clients) {
      await expect(client.send([event])).rejects.toMatchObject({ statusCode: 401, code: "Unauthorized" })
    }
    const response = await fetch(`${plain.url}?api-version=2018-01-01`, {
      method: "POST",
      headers: { authorization: "Bearer good" },
      body: JSON.stringify([event]),
    })
    expect(response.status).toBe(401)
    expect(published).toEqual([])
  })

  it.each([
    { name: "text", body: "text", status: 400 },
    { name: "an array with a number", body: JSON.stringify([event, 1]), status: 400 },
    { name: "more than 1 MB", body: JSON.stringify([{ a: "x".repeat(1_048_576) }]), status: 413 },
  ])("refuses $name as a whole", async ({ body, status }) => {
    const headers = { "aeg-sas-key": key }
    const response = await fetch(`${plain.url}?api-version=2018-01-01`, { method: "POST", headers, body })
    expect(response.status).toBe(status)
    expect(published).toEqual([])
  })
})
