import { describe, expect, it } from "vitest"
import { createAzureChangeQueue } from "../../shared/queue/azureChangeQueue.ts"
import { createAzureQueueInspector } from "../../shared/queue/azureQueueInspector.ts"
import { queueInspectorSuite } from "../suites/queueInspectorSuite.ts"
import { aNamespace, queueName } from "./localAzure.ts"

queueInspectorSuite({
  name: "createAzureQueueInspector",
  create: async () => {
    const namespace = await aNamespace()
    const receiver = namespace.client("user").createReceiver(queueName)
    return {
      inspector: createAzureQueueInspector(namespace.client("audit")),
      queueName,
      queue: createAzureChangeQueue(namespace.client("backup"), queueName),
      deadLetter: async (messageId, reason) => {
        for (const message of await receiver.receiveMessages(10, { maxWaitTimeInMs: 500 })) {
          const isMeant = message.messageId === messageId
          if (isMeant)
            await receiver.deadLetterMessage(message, {
              deadLetterReason: reason,
              deadLetterErrorDescription: "",
            })
          else await receiver.abandonMessage(message)
        }
      },
      stop: () => namespace.stop(),
    }
  },
})

describe("createAzureQueueInspector", () => {
  it("tells why it cannot look", async () => {
    const namespace = await aNamespace()
    const codeOf = (job: "audit" | "reconcile" | "user", name = queueName) =>
      createAzureQueueInspector(namespace.client(job))
        .peek(name, "queue", 10)
        .then(
          () => "looked",
          (error: { code: string }) => error.code,
        )
    await expect(codeOf("audit")).resolves.toBe("looked")
    await expect(codeOf("reconcile")).resolves.toBe("ERR_QUEUE_FORBIDDEN")
    await expect(codeOf("user", "no-such-queue")).resolves.toBe("ERR_QUEUE_NOT_FOUND")
    namespace.access.setFirewall({ servicebus: "closed" })
    await expect(codeOf("audit")).resolves.toBe("ERR_QUEUE_FIREWALL")
    await namespace.stop()
  })
})
