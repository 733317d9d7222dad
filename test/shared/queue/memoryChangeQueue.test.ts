import {
  createMemoryChangeQueue,
  createMemoryQueueInspector,
} from "../../../shared/queue/memoryChangeQueue.ts"
import { changeQueueSuite } from "../../suites/changeQueueSuite.ts"
import { queueInspectorSuite } from "../../suites/queueInspectorSuite.ts"

const create = async () => {
  const queue = createMemoryChangeQueue()
  return {
    queue,
    queueName: "changes",
    inspector: createMemoryQueueInspector({ changes: queue }),
    receive: async () => queue.receive().map(({ body, ...rest }) => ({ ...rest, body: Buffer.from(body) })),
    deadLetter: async (messageId: string, reason: string) => queue.deadLetter(messageId, reason),
    stop: async () => {},
  }
}
changeQueueSuite({ name: "createMemoryChangeQueue", create, supports: { abort: false } })
queueInspectorSuite({ name: "createMemoryQueueInspector", create })
