import type { HostInvocation, HostLog, ToParent } from "./hostProtocol.ts"

/** Collects what the host has to tell, and sends it in few messages. */
export interface HostReporter {
  log(line: HostLog): void
  invocation(invocation: HostInvocation): void
  send(message: ToParent): void
  /** Resolves when everything has been handed to the channel. */
  flush(): Promise<void>
}

/** A message for each line would cost more than an empty invocation. */
const flushAfterMs = 5

/** A reporter over the IPC channel of this process, which must have one. */
export function createHostReporter(): HostReporter {
  let logs: HostLog[] = []
  let invocations: HostInvocation[] = []
  let timer: NodeJS.Timeout | undefined

  const post = (message: ToParent) =>
    new Promise<void>((resolve) => {
      if (process.connected) process.send?.(message, () => resolve())
      else resolve()
    })
  const flush = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    if (logs.length === 0 && invocations.length === 0) return
    const message: ToParent = { type: "report", logs, invocations }
    logs = []
    invocations = []
    await post(message)
  }
  const schedule = () => {
    timer ??= setTimeout(() => void flush(), flushAfterMs)
  }
  return {
    log: (line) => {
      logs.push(line)
      schedule()
    },
    invocation: (invocation) => {
      invocations.push(invocation)
      schedule()
    },
    send: (message) => {
      void flush()
      void post(message)
    },
    flush,
  }
}
