import { describe, expect, it } from "vitest"
import { createAzureChangeQueue } from "../../shared/queue/azureChangeQueue.ts"
import { changeQueueSuite } from "../suites/changeQueueSuite.ts"
import { aNamespace, queueName } from "./localAzure.ts"

changeQueueSuite({
  name: "createAzureChangeQueue",
  supports: { abort: true },
  create: async () => {
    const namespace = await aNamespace()
    const receiver = namespace.client("user").createReceiver(queueName, {
      receiveMode: "receiveAndDelete",
      skipParsingBodyAsJson: true,
    })
    return {
      queue: createAzureChangeQueue(namespace.client("backup"), queueName),
      receive: async () => {
        const messages = await receiver.receiveMessages(10, { maxWaitTimeInMs: 300 })
        return messages.map(({ body, messageId, contentType, applicationProperties = {} }) => ({
          body: body as Uint8Array,
          messageId: String(messageId),
          ...(contentType === undefined ? {} : { contentType }),
          properties: applicationProperties,
        }))
      },
      stop: () => namespace.stop(),
    }
  },
})

describe("createAzureChangeQueue", () => {
  const message = { body: "{}", messageId: "m", properties: {} }

  it("tells a missing claim, a missing queue and a closed firewall", async () => {
    const namespace = await aNamespace()
    const send = (job: "backup" | "audit" | "user", name = queueName) =>
      createAzureChangeQueue(namespace.client(job), name).send(message)
    await expect(send("backup")).resolves.toBeUndefined()
    await expect(send("audit")).rejects.toMatchObject({
      code: "ERR_QUEUE_FORBIDDEN",
      details: { queue: queueName },
    })
    await expect(send("user", "no-such-queue")).rejects.toMatchObject({ code: "ERR_QUEUE_NOT_FOUND" })
    namespace.access.setFirewall({ servicebus: "closed" })
    await expect(send("backup")).rejects.toMatchObject({ code: "ERR_QUEUE_FIREWALL" })
    await namespace.stop()
  })

  it("tells a namespace that is gone, and sends again when it is back", async () => {
    const namespace = await aNamespace()
    const queue = createAzureChangeQueue(namespace.client("backup"), queueName)
    await queue.send(message)
    namespace.faults.add({
      target: "servicebus",
      effect: "status",
      code: "com.microsoft:server-busy",
      match: { method: "send" },
    })
    await expect(queue.send(message)).rejects.toMatchObject({ code: "ERR_QUEUE_UNAVAILABLE" })
    namespace.faults.clear()
    await expect(queue.send(message)).resolves.toBeUndefined()
    await namespace.bus.stop()
    await expect(queue.send(message)).rejects.toMatchObject({ code: "ERR_QUEUE_UNAVAILABLE" })
    await namespace.stop()
  })

  it("tells an identity that gives no token", async () => {
    const namespace = await aNamespace()
    const { createServiceBusClient } = await import("../../shared/queue/azureServiceBusClient.ts")
    const credential = {
      getToken: () =>
        Promise.reject(Object.assign(new Error("none"), { name: "CredentialUnavailableError" })),
    }
    const { fullyQualifiedNamespace } = namespace.bus
    const client = createServiceBusClient({ fullyQualifiedNamespace, credential })
    await expect(createAzureChangeQueue(client, queueName).send(message)).rejects.toMatchObject({
      code: "ERR_IDENTITY_UNAVAILABLE",
    })
    await client.close()
    await namespace.stop()
  })
})
