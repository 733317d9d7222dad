/**
 * What `work` gives, or undefined when it took longer than `limitMs`, rejected, or `outer` was aborted first. Its signal is
 * aborted then; what goes on all the same is left alone.
 */
export async function within<T>(
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T> | undefined,
  outer?: AbortSignal,
): Promise<T | undefined> {
  const controller = new AbortController()
  let stop = () => {}
  const late = new Promise<undefined>((resolve) => {
    const end = () => {
      resolve(undefined)
      controller.abort()
    }
    const timer = setTimeout(end, limitMs)
    outer?.addEventListener("abort", end, { once: true })
    stop = () => {
      clearTimeout(timer)
      outer?.removeEventListener("abort", end)
    }
    if (outer?.aborted === true) end()
  })
  try {
    return await Promise.race([Promise.resolve(work(controller.signal)).catch(() => undefined), late])
  } finally {
    stop()
  }
}
