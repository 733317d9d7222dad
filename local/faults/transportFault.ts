import type { ServerResponse } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import type { FaultRule } from "./faultBook.ts"

/**
 * Plays the faults that look the same on every HTTP server: `delay` waits and goes on, `hang` never answers,
 * `cut` destroys the socket (after `afterBytes` bytes of the answer where that is set).
 *
 * @returns `"handled"` when nothing more may be written; `"continue"` when the server answers as usual,
 * which includes `status`: its body differs from server to server.
 */
export async function playTransportFault(
  rule: FaultRule,
  response: ServerResponse,
): Promise<"handled" | "continue"> {
  if (rule.effect === "delay") await sleep(rule.delayMs ?? 1000)
  if (rule.effect === "hang") return "handled"
  if (rule.effect !== "cut") return "continue"
  if (rule.afterBytes === undefined) {
    response.socket?.destroy()
    return "handled"
  }
  cutAfter(response, rule.afterBytes)
  return "continue"
}

function cutAfter(response: ServerResponse, limitBytes: number): void {
  let written = 0
  const write = response.write.bind(response) as (chunk: unknown) => boolean
  const pass = (chunk: unknown) => {
    if (chunk === undefined || chunk === null || typeof chunk === "function") return
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk as string)
    const rest = bytes.subarray(0, Math.max(0, limitBytes - written))
    written += bytes.length
    if (rest.length > 0) write(rest)
    if (written >= limitBytes) setImmediate(() => response.socket?.destroy())
  }
  response.write = ((chunk: unknown) => (pass(chunk), true)) as typeof response.write
  response.end = ((chunk: unknown) => {
    pass(chunk)
    setImmediate(() => response.socket?.destroy())
    return response
  }) as typeof response.end
}
