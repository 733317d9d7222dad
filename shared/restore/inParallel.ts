/** Does all of `work`, at most `width` at once, in its order of starting. Results stand in the order of `work`. */
export async function inParallel<T>(work: readonly (() => Promise<T>)[], width: number): Promise<T[]> {
  const results: T[] = Array.from({ length: work.length })
  let next = 0
  const lane = async () => {
    for (let index = next++; index < work.length; index = next++) {
      const job = work[index]
      if (job) results[index] = await job()
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, width) }, lane))
  return results
}
