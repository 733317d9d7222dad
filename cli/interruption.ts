/** A command's way to stop cleanly. */
export interface Interruption {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal
  /** Gives the keys back. Safe to call again. */
  readonly end: () => void
}

/** The first Ctrl-C or SIGTERM aborts the signal; a second one ends the process. */
export function interruptible(): Interruption {
  const controller = new AbortController()
  const stop = () => {
    end()
    controller.abort(new DOMException("Interrupted", "AbortError"))
  }
  const end = () => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.removeListener(name, stop)
  }
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, stop)
  return { signal: controller.signal, end }
}
