import type { ChildProcess } from "node:child_process"
import { once } from "node:events"

/**
 * The next message of a process of the bench.
 *
 * @throws Error when the process ends without one.
 */
export async function messageOf(child: ChildProcess): Promise<unknown> {
  const message = once(child, "message").then(([value]: unknown[]) => value)
  const exit = once(child, "exit").then(([code]: unknown[]) => {
    throw new Error(`A process of the bench ended with ${String(code)}`)
  })
  return Promise.race([message, exit])
}
