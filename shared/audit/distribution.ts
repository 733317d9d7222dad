/**
 * The exact distribution of whole numbers: which values there were, and how often. Its memory grows with the number of
 * different values and not with how many there are, which for latencies in milliseconds is a few ten thousand.
 */
export interface Distribution {
  readonly count: () => number
  /** @param value - a whole number. */
  readonly add: (value: number) => void
  /** Adds all values of `other`, which stays as it is. */
  readonly absorb: (other: Distribution) => void
  /**
   * The value at this rank in ascending order.
   *
   * @param rank - from 1 to the count.
   * @throws RangeError when there is no such rank.
   */
  readonly at: (rank: number) => number
  /** How many values are below `bound`. */
  readonly countBelow: (bound: number) => number
  /** The different values, ascending, and how often each is there. */
  readonly runs: () => Runs
}

/** Values in ascending order without repetition, and beside each how often it is there. */
export interface Runs {
  readonly values: Float64Array
  readonly counts: Float64Array
}

const leastBuffer = 64
const mostBuffer = 4096

/** An empty distribution. */
export function createDistribution(): Distribution {
  let runs: Runs = { values: new Float64Array(0), counts: new Float64Array(0) }
  let buffer = new Float64Array(leastBuffer)
  let buffered = 0
  let total = 0

  const settle = (): Runs => {
    if (buffered > 0) {
      runs = mergeRuns(runs, toRuns(buffer.subarray(0, buffered).sort()))
      buffered = 0
    }
    return runs
  }
  const makeRoom = () => {
    // Half as large as what it is merged into, so that the work stays proportional to the number of values.
    const wanted = Math.max(mostBuffer, runs.values.length >> 1)
    if (buffer.length >= wanted) settle()
    else {
      const larger = new Float64Array(Math.min(wanted, buffer.length * 4))
      larger.set(buffer.subarray(0, buffered))
      buffer = larger
    }
  }
  return {
    count: () => total,
    add: (value) => {
      if (buffered === buffer.length) makeRoom()
      buffer[buffered] = value
      buffered += 1
      total += 1
    },
    absorb: (other) => {
      runs = mergeRuns(settle(), other.runs())
      total += other.count()
    },
    at: (rank) => {
      const { values, counts } = settle()
      let seen = 0
      for (const [index, value] of values.entries()) {
        seen += counts[index] ?? 0
        if (seen >= rank && rank >= 1) return value
      }
      throw new RangeError(`There is no rank ${rank} of ${total} values`)
    },
    countBelow: (bound) => {
      const { values, counts } = settle()
      let below = 0
      for (let index = 0; index < values.length && (values[index] ?? 0) < bound; index += 1)
        below += counts[index] ?? 0
      return below
    },
    runs: settle,
  }
}

function toRuns(sorted: Float64Array): Runs {
  const values = new Float64Array(sorted.length)
  const counts = new Float64Array(sorted.length)
  let length = 0
  for (const value of sorted) {
    if (length === 0 || values[length - 1] !== value) {
      values[length] = value
      length += 1
    }
    counts[length - 1] = (counts[length - 1] ?? 0) + 1
  }
  return { values: values.slice(0, length), counts: counts.slice(0, length) }
}

function mergeRuns(one: Runs, other: Runs): Runs {
  if (one.values.length === 0) return other
  if (other.values.length === 0) return one
  const values = new Float64Array(one.values.length + other.values.length)
  const counts = new Float64Array(values.length)
  let [i, j, length] = [0, 0, 0]
  while (i < one.values.length || j < other.values.length) {
    const a = one.values[i] ?? Infinity
    const b = other.values[j] ?? Infinity
    values[length] = Math.min(a, b)
    counts[length] = (a <= b ? (one.counts[i] ?? 0) : 0) + (b <= a ? (other.counts[j] ?? 0) : 0)
    if (a <= b) i += 1
    if (b <= a) j += 1
    length += 1
  }
  // A copy, so that the room for what was the same is given back.
  return { values: values.slice(0, length), counts: counts.slice(0, length) }
}
