import { SecretClient } from "@azure/keyvault-secrets"
import { ServiceBusClient } from "@azure/service-bus"
import { BlobServiceClient } from "@azure/storage-blob"
import { ManagedIdentityCredential } from "@azure/identity"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { FaultRule } from "../../../local/faults/faultBook.ts"
import { type Journey, startJourney } from "../../support/startJourney.ts"

/** What clients as they come, with no option set but what 127.0.0.1 needs, tell and do about failures. */

let journey: Journey
beforeAll(async () => {
  journey = await startJourney({ queueOptions: { lockDurationMs: 1000 } })
  // Nobody else may meet the faults.
  await journey.cloud.host.kill()
})
afterAll(() => journey?.stop())
afterEach(() => journey.cloud.faults.clear())

const user = () => journey.cloud.file.identities["user"]!
const tokenFor = (audience: "vault" | "blob" | "serviceBus") => ({
  getToken: async () => ({
    token: user().tokens[audience],
    expiresOnTimestamp: Date.now() + 86_400_000,
  }),
})

/** Plans answers with a status, and tells how long `work` takes in spite of them. */
async function timeUnder(rule: Omit<FaultRule, "effect">, work: () => Promise<unknown>): Promise<number> {
  await work()
  journey.cloud.faults.add({ effect: "status", ...rule })
  const startedMs = performance.now()
  await work()
  expect(journey.cloud.faults.list()).toEqual([])
  return performance.now() - startedMs
}

describe.each(["TLS and a token", "plain TCP and the connection string"])(
  "ServiceBusClient over %s",
  (way) => {
    let client: ServiceBusClient
    let queue: string
    beforeEach(() => {
      const { serviceBus } = journey.cloud.file
      queue = serviceBus.quarantineQueue
      client = way.startsWith("TLS")
        ? new ServiceBusClient(serviceBus.fullyQualifiedNamespace, tokenFor("serviceBus"))
        : new ServiceBusClient(serviceBus.connectionString)
    })
    afterEach(() => client.close())

    it("tells MessageLockLost, also for a message it completed already", async () => {
      await client.createSender(queue).sendMessages({ body: "slow" })
      const receiver = client.createReceiver(queue, { maxAutoLockRenewalDurationInMs: 0 })
      const [message] = await receiver.receiveMessages(1)
      await new Promise((resolve) => setTimeout(resolve, 1200))
      const lost = { code: "MessageLockLost", retryable: false }
      await expect(receiver.completeMessage(message!)).rejects.toMatchObject(lost)
      await expect(receiver.renewMessageLock(message!)).rejects.toMatchObject({ code: "MessageLockLost" })
      const [again] = await receiver.receiveMessages(1)
      expect(again!.deliveryCount).toBe(1)
      await receiver.completeMessage(again!)
      await expect(receiver.completeMessage(again!)).rejects.toThrow()
    })

    it("renews a lock by itself as long as a handler works", async () => {
      await client.createSender(queue).sendMessages({ body: "long" })
      const deliveries: number[] = []
      await new Promise<void>((resolve, reject) => {
        client.createReceiver(queue).subscribe({
          processMessage: async (message) => {
            deliveries.push(message.deliveryCount!)
            await new Promise((done) => setTimeout(done, 1500))
            resolve()
          },
          processError: async ({ error }) => reject(error),
        })
      })
      expect(deliveries).toEqual([0])
    })

    it("tells MessagingEntityNotFound", async () => {
      const missing = { code: "MessagingEntityNotFound", retryable: false }
      await expect(client.createSender("none").sendMessages({ body: 1 })).rejects.toMatchObject(missing)
      await expect(client.createReceiver("none").receiveMessages(1)).rejects.toMatchObject(missing)
    })

    it("tells MessageSizeExceeded", async () => {
      await expect(
        client.createSender(queue).sendMessages({ body: Buffer.alloc(300_000) }),
      ).rejects.toMatchObject({
        code: "MessageSizeExceeded",
        retryable: false,
      })
    })
  },
)

describe("ServiceBusClient", () => {
  /** A client of an identity without any role on the queue. */
  function strangerTo(retryOptions: { maxRetries: number; retryDelayInMs?: number }) {
    const { identities, serviceBus } = journey.cloud.file
    const token = identities["canary"]!.tokens.serviceBus
    const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) }
    return new ServiceBusClient(serviceBus.fullyQualifiedNamespace, credential, { retryOptions })
  }

  it("tells UnauthorizedAccess to an identity without the role, as something that may pass", async () => {
    const { queue } = journey.cloud.file.serviceBus
    const client = strangerTo({ maxRetries: 0 })
    const refused = { code: "UnauthorizedAccess", retryable: true }
    await expect(client.createSender(queue).sendMessages({ body: 1 })).rejects.toMatchObject(refused)
    await expect(client.createReceiver(queue).peekMessages(1)).rejects.toMatchObject(refused)
    await client.close()
  })

  it("goes on trying without the role, and gets through once it is there", async () => {
    const { queue } = journey.cloud.file.serviceBus
    const client = strangerTo({ maxRetries: 20, retryDelayInMs: 200 })
    const sent = client.createSender(queue).sendMessages({ body: 1 })
    const canary = journey.cloud.access.roles()["canary"]!
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(journey.cloud.serviceBus.counts()[queue]!.active).toBe(0)
    journey.cloud.access.setRoles({ canary: ["Microsoft.ServiceBus/namespaces/messages/send/action"] })
    await sent
    expect(journey.cloud.serviceBus.counts()[queue]!.active).toBe(1)
    journey.cloud.access.setRoles({ canary })
    await client.close()
  })

  it("tells ServiceBusy when it is told not to retry, and gets through when it may", async () => {
    const { serviceBus } = journey.cloud.file
    const match = { method: "send" }
    const busy: FaultRule = { target: "servicebus", match, effect: "status", status: 503, count: 1 }
    const attempt = async (retryOptions: { maxRetries: number; retryDelayInMs?: number }) => {
      const client = new ServiceBusClient(serviceBus.fullyQualifiedNamespace, tokenFor("serviceBus"), {
        retryOptions,
      })
      journey.cloud.faults.add(busy)
      await client
        .createSender(serviceBus.quarantineQueue)
        .sendMessages({ body: 1 })
        .finally(() => client.close())
    }
    await expect(attempt({ maxRetries: 0 })).rejects.toMatchObject({ code: "ServiceBusy", retryable: true })
    await attempt({ maxRetries: 1, retryDelayInMs: 100 })
  })
})

describe("SecretClient", () => {
  const secrets = () =>
    new SecretClient(journey.cloud.file.vaults[0]!.url, tokenFor("vault"), {
      disableChallengeResourceVerification: true,
    })

  it.each([
    { name: "429 with Retry-After in seconds", rule: { status: 429, retryAfter: 1 }, atLeastMs: 1000 },
    { name: "503 with Retry-After in seconds", rule: { status: 503, retryAfter: 1 }, atLeastMs: 1000 },
    { name: "503 without", rule: { status: 503 }, atLeastMs: 500 },
  ])("gets through an answer of $name", async ({ rule, atLeastMs }) => {
    const client = secrets()
    const target = "keyvault" as const
    const tookMs = await timeUnder({ target, ...rule, count: 1 }, () => client.setSecret("retried", "v"))
    expect(tookMs).toBeGreaterThanOrEqual(atLeastMs)
    expect(tookMs).toBeLessThan(8000)
  })

  it("gives up at once on 429 without Retry-After", async () => {
    const client = secrets()
    await client.setSecret("retried", "v")
    journey.cloud.faults.add({ target: "keyvault", effect: "status", status: 429, count: 2 })
    await expect(client.getSecret("retried")).rejects.toMatchObject({ statusCode: 429, code: "Throttled" })
    expect(journey.cloud.faults.list()).toMatchObject([{ hits: 1 }])
  })

  it("waits for the date in Retry-After", async () => {
    const client = secrets()
    await client.setSecret("retried", "v")
    const until = Date.now() + 2000
    journey.cloud.faults.add({
      target: "keyvault",
      effect: "status",
      status: 429,
      retryAfter: new Date(until).toUTCString(),
      count: 1,
    })
    await client.getSecret("retried")
    // An HTTP date has whole seconds.
    expect(Date.now()).toBeGreaterThanOrEqual(until - 1000)
  })

  it("gets through a connection that is cut", async () => {
    const client = secrets()
    await client.setSecret("cut", "v")
    journey.cloud.faults.add({ target: "keyvault", effect: "cut", count: 1 })
    expect((await client.getSecret("cut")).value).toBe("v")
  })
})

describe("BlobServiceClient", () => {
  const blob = (name: string) =>
    new BlobServiceClient(journey.cloud.file.blob.url, {
      getToken: async () => ({
        token: journey.cloud.file.identities["backup"]!.tokens.blob,
        expiresOnTimestamp: Date.now() + 86_400_000,
      }),
    })
      .getContainerClient(journey.cloud.file.blob.container)
      .getBlockBlobClient(name)

  it.each([
    { name: "503 with Retry-After", rule: { status: 503, retryAfter: 1 } },
    { name: "503 without", rule: { status: 503 } },
    { name: "500", rule: { status: 500 } },
  ])("gets through an answer of $name", async ({ name, rule }) => {
    let n = 0
    const put = () => blob(`probe/${name}/${(n += 1)}`).upload("x", 1)
    expect(await timeUnder({ target: "blob", ...rule, count: 1 }, put)).toBeLessThan(8000)
  })

  it("finds its own blob when the answer to the first PUT was lost", async () => {
    journey.cloud.faults.add({ target: "blob", effect: "cut", afterBytes: 0, count: 1 })
    const put = blob("probe/unsure").upload("x", 1, { conditions: { ifNoneMatch: "*" } })
    await expect(put).rejects.toMatchObject({ statusCode: 409, code: "BlobAlreadyExists" })
  })
})

describe("ManagedIdentityCredential", () => {
  it("gets through the endpoint's failures, and its token opens the vault", async () => {
    const { identityEndpoint, identities, vaults } = journey.cloud.file
    process.env["IDENTITY_ENDPOINT"] = identityEndpoint.url
    process.env["IDENTITY_HEADER"] = identityEndpoint.header
    try {
      const credential = new ManagedIdentityCredential({ clientId: identities["verify"]!.clientId })
      await journey.secrets.setSecret("by-identity", "v")
      const rule = { target: "identity", effect: "status", count: 1 } as const
      journey.cloud.faults.add({ ...rule, status: 503 })
      journey.cloud.faults.add({ ...rule, status: 429, retryAfter: 1 })
      const client = new SecretClient(vaults[0]!.url, credential, {
        disableChallengeResourceVerification: true,
      })
      expect((await client.getSecret("by-identity")).value).toBe("v")
      expect(journey.cloud.faults.list()).toEqual([])
    } finally {
      delete process.env["IDENTITY_ENDPOINT"]
      delete process.env["IDENTITY_HEADER"]
    }
  })
})
