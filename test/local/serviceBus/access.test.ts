import { once } from "node:events"
import tls from "node:tls"
import { ServiceBusClient } from "@azure/service-bus"
import rhea from "rhea"
import type { EventContext } from "rhea"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type ABus, aBus, receive, send, until } from "./aServiceBus.ts"

const unauthorized = (claim: string) => ({
  code: "UnauthorizedAccess",
  message: expect.stringContaining(`'${claim}' claim(s) are required`),
})
const blocked = {
  code: "UnauthorizedAccess",
  message: expect.stringContaining("Ip has been prevented to connect to the endpoint"),
}

describe("startServiceBus", () => {
  let a: ABus
  beforeEach(async () => {
    a = await aBus({ limits: { tokenWithinMs: 400 } })
  })
  afterEach(() => a[Symbol.asyncDispose]())

  it("refuses to let a caller without the role send, and names the claim and the queue", async () => {
    a.access.setRoles({ backup: [receive] })
    const failed = a.client("tls", "backup").createSender("q").sendMessages({ body: 1 })
    await expect(failed).rejects.toMatchObject(unauthorized("Send"))
    await expect(failed).rejects.toThrow(/sb:\/\/localhost.*\/q'/)
    expect(a.bus.counts()["q"]!.active).toBe(0)
  })

  it("refuses to let a caller without the role receive, peek or read dead letters", async () => {
    a.access.setRoles({ backup: [send] })
    const client = a.client("tls", "backup")
    await client.createSender("q").sendMessages({ body: 1 })
    await expect(client.createReceiver("q").receiveMessages(1)).rejects.toMatchObject(unauthorized("Listen"))
    await expect(client.createReceiver("q").peekMessages(1)).rejects.toMatchObject(unauthorized("Listen"))
    const dead = client.createReceiver("q", { subQueueType: "deadLetter" })
    await expect(dead.receiveMessages(1)).rejects.toMatchObject(unauthorized("Listen"))
  })

  it("lets a caller that may send schedule, and one that may not, not", async () => {
    const at = new Date(Date.now() + 60_000)
    a.access.setRoles({ backup: [send], audit: [receive] })
    await a.client("tls", "backup").createSender("q").scheduleMessages({ body: 1 }, at)
    const failed = a.client("tls", "audit").createSender("q").scheduleMessages({ body: 1 }, at)
    await expect(failed).rejects.toMatchObject(unauthorized("Send"))
    expect(a.bus.counts()["q"]!.scheduled).toBe(1)
  })

  it("keeps a role to the queue it was given for, whatever the case of its name", async () => {
    a.access.setRoles({ backup: [`${send} on other`] })
    const client = a.client("tls", "backup")
    await client.createSender("OTHER").sendMessages({ body: 1 })
    await expect(client.createSender("q").sendMessages({ body: 1 })).rejects.toMatchObject(
      unauthorized("Send"),
    )
  })

  it("refuses at once on an open link when the role is taken away, and works again when it is back", async () => {
    const client = a.client("tls", "backup")
    const sender = client.createSender("q")
    const receiver = client.createReceiver("q")
    await sender.sendMessages({ body: 1 })
    const [message] = await receiver.receiveMessages(1)
    a.access.setRoles({ backup: [] })
    await expect(sender.sendMessages({ body: 2 })).rejects.toMatchObject(unauthorized("Send"))
    await expect(sender.sendMessages({ body: 2 })).rejects.toMatchObject(unauthorized("Send"))
    await expect(receiver.completeMessage(message!)).rejects.toThrow()
    expect(a.bus.counts()["q"]).toMatchObject({ active: 0, locked: 1 })
    a.access.setRoles({ backup: [send, receive] })
    await sender.sendMessages({ body: 3 })
    expect(await receiver.receiveMessages(1)).toMatchObject([{ body: 3 }])
  })

  it("tells a waiting subscriber that its role is gone, and serves it again when it is back", async () => {
    const bodies: unknown[] = []
    const codes: unknown[] = []
    a.client("tls", "backup")
      .createReceiver("q")
      .subscribe({
        processMessage: async ({ body }) => void bodies.push(body),
        processError: async ({ error }) => void codes.push((error as { code?: string }).code),
      })
    const sender = a.client("tls").createSender("q")
    await sender.sendMessages({ body: 1 })
    await until(() => bodies.length === 1)
    a.access.setRoles({ backup: [] })
    await until(() => codes.includes("UnauthorizedAccess"))
    a.access.setRoles({ backup: [receive] })
    await sender.sendMessages({ body: 2 })
    await until(() => bodies.length === 2, 8000)
    expect(bodies).toEqual([1, 2])
  })

  it.each(["closed", "private"] as const)("blocks every address while the firewall is %s", async (state) => {
    const open = a.client("tls").createSender("q")
    await open.sendMessages({ body: 1 })
    a.access.setFirewall({ servicebus: state })
    await expect(open.sendMessages({ body: 2 })).rejects.toMatchObject(blocked)
    const client = a.client("tls")
    await expect(client.createSender("q").sendMessages({ body: 3 })).rejects.toMatchObject(blocked)
    await expect(client.createReceiver("q").peekMessages(1)).rejects.toMatchObject(blocked)
    a.access.setFirewall({ servicebus: "open" })
    await client.createSender("q").sendMessages({ body: 4 })
    expect(a.bus.counts()["q"]!.active).toBe(2)
  })

  it.each([
    { name: "of another cloud", token: async () => "eyJhbGciOiJIUzI1NiJ9.e30.c2ln" },
    { name: "for another service", token: () => a.authority.issue("backup", "vault") },
  ])("refuses a token $name", async ({ token }) => {
    const credential = {
      getToken: async () => ({ token: await token(), expiresOnTimestamp: Date.now() + 3_600_000 }),
    }
    const client = new ServiceBusClient(a.bus.fullyQualifiedNamespace, credential, {
      retryOptions: { maxRetries: 0 },
    })
    await expect(client.createSender("q").sendMessages({ body: 1 })).rejects.toMatchObject({
      code: "UnauthorizedAccess",
    })
    await client.close()
  })

  it("refuses a wrong shared key, and the right one where only tokens are taken", async () => {
    const retryOptions = { maxRetries: 0 }
    const wrongKey = a.bus.connectionString.replace(/SharedAccessKey=[^;]*/, "SharedAccessKey=d3Jvbmc=")
    const wrongPort = `Endpoint=sb://localhost:${a.bus.port};${a.bus.connectionString
      .split(";")
      .filter((part) => part.startsWith("SharedAccess"))
      .join(";")}`
    for (const text of [wrongKey, wrongPort]) {
      const client = new ServiceBusClient(text, { retryOptions })
      await expect(client.createSender("q").sendMessages({ body: 1 })).rejects.toMatchObject({
        code: "UnauthorizedAccess",
        message: expect.stringContaining("invalid signature"),
      })
      await client.close()
    }
  })

  it("refuses a link for which no token was shown", async () => {
    const connection = rhea
      .create_container()
      .connect({ port: a.bus.plainPort, host: "127.0.0.1", reconnect: false })
    const refusals: unknown[] = []
    for (const event of ["sender_error", "receiver_error"]) {
      connection.on(event, ({ sender, receiver }: EventContext) => refusals.push((sender ?? receiver)?.error))
    }
    connection.on("disconnected", () => {})
    connection.open_sender("q")
    connection.open_receiver("q")
    connection.open_receiver("q/$management")
    await until(() => refusals.length === 3)
    for (const refusal of refusals) expect(refusal).toMatchObject({ condition: "amqp:unauthorized-access" })
    connection.close()
  })

  it("drops a connection that shows no valid token in time, and keeps one that did", async () => {
    const sender = a.client("tls").createSender("q")
    await sender.sendMessages({ body: 1 })
    const idle = tls.connect({ port: a.bus.port, host: "localhost" })
    idle.on("error", () => {})
    await once(idle, "close")
    expect(a.logged).toEqual(["service bus: closed a connection: no valid token in time"])
    await sender.sendMessages({ body: 2 })
    expect(a.bus.counts()["q"]!.active).toBe(2)
  })
})
