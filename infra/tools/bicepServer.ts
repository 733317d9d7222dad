import { spawn } from "node:child_process"
import { infraFolder, toolEnvironment } from "./bicepCli.ts"

/** A Bicep CLI that stays up and answers one question after the other, each in a fraction of a start. */
export interface BicepServer {
  /** Asks, and gives the result. @throws Error with what the CLI says. */
  request(method: string, params: unknown): Promise<unknown>
  /** Ends the CLI. Safe to call again. */
  stop(): Promise<void>
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

const headEnd = "\r\n\r\n"

/** Starts `bicep jsonrpc --stdio`: JSON-RPC 2.0, each message after a `Content-Length` head. */
export function startBicepServer(path: string): BicepServer {
  const child = spawn(path, ["jsonrpc", "--stdio"], {
    cwd: infraFolder,
    env: toolEnvironment(),
    stdio: ["pipe", "pipe", "ignore"],
  })
  const waiting = new Map<number, Waiting>()
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const failAll = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  child.once("error", failAll)
  child.once("close", () => failAll(new Error("The Bicep CLI has ended")))
  let received = Buffer.alloc(0)
  child.stdout.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    for (;;) {
      const head = received.indexOf(headEnd)
      if (head < 0) return
      const length = Number(/content-length: (\d+)/i.exec(received.toString("latin1", 0, head))?.[1])
      const start = head + headEnd.length
      if (received.length < start + length) return
      settle(JSON.parse(received.toString("utf8", start, start + length)))
      received = received.subarray(start + length)
    }
  })

  function settle(message: { id?: number; result?: unknown; error?: { message?: string } }): void {
    const asked = waiting.get(message.id ?? -1)
    if (!asked) return
    waiting.delete(message.id ?? -1)
    if (message.error) asked.reject(new Error(message.error.message ?? "The Bicep CLI refused"))
    else asked.resolve(message.result)
  }

  let last = 0
  return {
    request: (method, params) =>
      new Promise((resolve, reject) => {
        last += 1
        waiting.set(last, { resolve, reject })
        const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: last, method, params }))
        child.stdin.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}${headEnd}`), body]))
      }),
    stop: async () => {
      child.kill()
      await ended
    },
  }
}
