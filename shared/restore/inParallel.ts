/**
 * Does all of `work`, at most `width` at once, in its order of starting. Results stand in the order of `work`. After a
 * failure nothing more is begun; it rejects with the first one when all that had begun has ended.
 */
export async function inParallel<T>(work: readonly (() => Promise<T>)[], width: number): Promise<T[]> {
  const results: T[] = Array.from({ length: work.length })
  let next = 0
  let failure: { readonly thrown: unknown } | undefined
  const lane = async () => {
    for (let index = next++; index < work.length && !failure; index = next++) {
      const job = work[index]
      try {
        if (job) results[index] = await job()
      } catch (thrown) {
        failure ??= { thrown }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, width) }, lane))
  if (failure) throw failure.thrown
  return results
}
