import { once } from "node:events"
import rhea from "rhea"
import type { Connection, EventContext, Receiver } from "rhea"
import type { RunningServiceBus } from "../../../local/serviceBus/startServiceBus.ts"
import { createHmac } from "node:crypto"

export interface RawClient {
  readonly connection: Connection
  /** Sends bytes as they are; the error when the broker rejects them. */
  send(queue: string, bytes: Buffer, format?: number): Promise<unknown>
  /** Opens a receiving link and asks for `credit` messages. */
  receive(queue: string, credit: number, options?: object): Receiver
  /** One management request; its application properties. */
  manage(queue: string, operation: string, body: unknown): Promise<Record<string, unknown>>
  pause(): void
  close(): void
}

/** A client without an SDK, with a token for the whole namespace. */
export async function aRawClient(
  bus: Pick<RunningServiceBus, "plainPort" | "connectionString">,
): Promise<RawClient> {
  const connection = rhea
    .create_container()
    .connect({ port: bus.plainPort, host: "127.0.0.1", reconnect: false, username: "x" })
  for (const event of ["disconnected", "connection_error", "receiver_error", "sender_error"]) {
    connection.on(event, () => {})
  }
  await request(connection, "$cbs", sharedKeyToken(bus.connectionString), {
    operation: "put-token",
    type: "servicebus.windows.net:sastoken",
    name: "sb://localhost/",
  })
  return {
    connection,
    send: async (queue, bytes, format = 0) => {
      const sender = connection.open_sender({ target: queue, autosettle: true })
      await once(sender, "sendable")
      sender.send(bytes, undefined, format)
      const outcome = await Promise.race([
        once(sender, "accepted").then(() => undefined),
        once(sender, "rejected").then(
          ([context]) => (context as EventContext).delivery?.remote_state?.["error"],
        ),
      ])
      sender.close()
      return outcome as unknown
    },
    receive: (queue, credit, options = {}) => {
      const receiver = connection.open_receiver({
        source: queue,
        credit_window: 0,
        autoaccept: false,
        ...options,
      })
      receiver.add_credit(credit)
      return receiver
    },
    manage: (queue, operation, body) => request(connection, `${queue}/$management`, body, { operation }),
    pause: () => {
      const { socket } = connection as unknown as { socket: { pause(): void } }
      socket.pause()
    },
    close: () => {
      connection.close()
      const { socket } = connection as unknown as { socket: { destroy(): void } }
      setTimeout(() => socket.destroy(), 20)
    },
  }
}

async function request(
  connection: Connection,
  node: string,
  body: unknown,
  properties: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const session = connection.create_session()
  session.begin()
  const receiver = session.open_receiver({ source: node, target: "me", name: `me-${node}` })
  const sender = session.open_sender({ target: node })
  await once(sender, "sendable")
  sender.send({ message_id: "1", reply_to: "me", body, application_properties: properties })
  const [[context]] = (await Promise.all([once(receiver, "message"), once(sender, "accepted")])) as [
    [EventContext],
    unknown,
  ]
  session.close()
  return { ...context.message?.application_properties, body: context.message?.body as unknown }
}

function sharedKeyToken(connectionString: string): string {
  const key = /SharedAccessKey=([^;]*)/.exec(connectionString)?.[1] ?? ""
  const expiry = Math.floor(Date.now() / 1000) + 600
  const signature = createHmac("sha256", key).update(`sb\n${expiry}`).digest("base64")
  return `SharedAccessSignature sr=sb&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=Root`
}
