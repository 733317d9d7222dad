import { readFile } from "node:fs/promises"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"

/** A server outside the cloud that its worker can trust. */
export interface LocalHttpsServer {
  readonly url: string
  /** Takes the certificate of the cloud that is kept in `directory`; before that no connection succeeds. */
  readonly trustLike: (directory: string) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Starts listening, so that settings of a cloud can name it before the cloud has its certificates. */
export async function startLocalHttpsServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<LocalHttpsServer> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trustLike: async (directory) => {
      const identity = JSON.parse(await readFile(join(directory, "cloud-identity.json"), "utf8")) as {
        readonly leaf: { readonly cert: string; readonly key: string }
      }
      server.setSecureContext(identity.leaf)
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
