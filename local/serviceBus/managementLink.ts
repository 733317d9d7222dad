import rhea from "rhea"
import type { EventContext, Receiver } from "rhea"
import type { Entity } from "./broker.ts"
import type { EntityPath } from "./entityPath.ts"
import { keepCredit } from "./incomingLink.ts"
import { type ManagementAnswer, managementOperations } from "./managementOperations.ts"
import type { Peer } from "./peer.ts"
import { serveWithFaults } from "./playFault.ts"
import { readRequest } from "./requestReply.ts"
import { notImplemented, type ServiceBusError } from "./serviceErrors.ts"

const operationPrefix = "com.microsoft:"

/** Serves the requests of one link to `queue/$management` (service-bus-amqp-request-response.md). */
export function serveManagementLink(peer: Peer, receiver: Receiver, path: EntityPath, entity: Entity): void {
  const node = receiver.target.address
  receiver.on("message", (context: EventContext) => {
    const request = readRequest(context, node ?? "")
    if (request === undefined) return
    const refuse = ({ status, description, condition }: ServiceBusError) =>
      request.reply({
        statusCode: rhea.types.wrap_int(status),
        statusDescription: description,
        errorCondition: rhea.types.wrap_symbol(condition),
      })
    const succeed = ({ status, body }: ManagementAnswer) =>
      request.reply(
        { statusCode: rhea.types.wrap_int(status), statusDescription: status === 204 ? "No Content" : "OK" },
        body,
      )
    serveWithFaults(peer.fault("management", path.path), peer, {
      refuse,
      perform: () => {
        const name = request.operation.replace(operationPrefix, "")
        const operation = managementOperations.get(name)
        if (operation === undefined)
          return () => refuse(notImplemented(`Operation ${name} is not supported.`))
        const refusal = peer.refusal(path, [operation.claim])
        if (refusal) return () => refuse(refusal)
        const result = operation.run(entity.queue, request.body)
        return () => ("condition" in result ? refuse(result) : succeed(result))
      },
    })
  })
  keepCredit(receiver)
}
