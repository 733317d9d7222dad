import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"

/** A child of the bench that answers each message with one. */
export interface BenchChild {
  /** Sends `message`, if any, and waits for the answer. Rejects when the child ends instead. */
  ask<T>(message?: object): Promise<T>
  /** Ends it and waits until it is gone. Safe to call again. */
  stop(): Promise<void>
}

const patienceMs = 3000

/** Starts a file of this folder as a process. It ends by itself when this process does, however that ends. */
export function startChild(file: string): BenchChild {
  const child = fork(join(import.meta.dirname, file), { stdio: ["ignore", "inherit", "inherit", "ipc"] })
  const gone = once(child, "exit")
  return {
    ask: async <T>(message?: object) => {
      if (child.exitCode !== null) throw new Error(`${file} has ended`)
      const answered = once(child, "message") as Promise<[T]>
      if (message) child.send(message)
      const first = await Promise.race([answered, gone.then(() => undefined)])
      if (!first) throw new Error(`${file} ended before it answered`)
      return first[0]
    },
    stop: async () => {
      if (child.connected) child.disconnect()
      const impatience = setTimeout(() => child.kill("SIGKILL"), patienceMs)
      await waitFor(child, gone)
      clearTimeout(impatience)
    },
  }
}

async function waitFor(child: ChildProcess, gone: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await gone
}
