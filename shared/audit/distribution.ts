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
  readonly counts: Uint32Array
}

const leastBuffer = 64
const mostBuffer = 1024

/** An empty distribution. */
export function createDistribution(): Distribution {
  let runs: Runs = { values: new Float64Array(0), counts: new Uint32Array(0) }
  let buffer = new Float64Array(leastBuffer)
  let buffered = 0
  let total = 0

  const settle = (): Runs => {
    if (buffered > 0) {
      runs = addSorted(runs, buffer.subarray(0, buffered).sort(), () => 1)
      buffered = 0
    }
    return runs
  }
  const makeRoom = () => {
    // An eighth of what it is added to, so that the work stays proportional to the number of values.
    const wanted = Math.max(mostBuffer, runs.values.length >> 3)
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
      const { values, counts } = other.runs()
      runs = addSorted(settle(), values, (index) => counts[index] ?? 0)
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

/** How many of these values, ascending and with repetitions, are not among `known`. */
function countNew(known: Float64Array, sorted: Float64Array): number {
  let fresh = 0
  let place = 0
  let last = Number.NaN
  for (const value of sorted) {
    if (value === last) continue
    last = value
    while (place < known.length && (known[place] ?? 0) < value) place += 1
    if (known[place] !== value) fresh += 1
  }
  return fresh
}

/**
 * Adds `more`, ascending: its value at an index, as often as `timesOf` says. In place while there is room for the new
 * values, of which half is kept in reserve: what is left behind for the collector takes more memory than the reserve.
 */
function addSorted(runs: Runs, more: Float64Array, timesOf: (index: number) => number): Runs {
  const length = runs.values.length + countNew(runs.values, more)
  const isRoom = length * Float64Array.BYTES_PER_ELEMENT <= runs.values.buffer.byteLength
  const capacity = length + (length >> 1)
  const values = new Float64Array(isRoom ? runs.values.buffer : new ArrayBuffer(capacity * 8), 0, length)
  const counts = new Uint32Array(isRoom ? runs.counts.buffer : new ArrayBuffer(capacity * 4), 0, length)
  let from = runs.values.length - 1
  let index = more.length - 1
  // From the end on, so that adding in place and into a copy are the same walk.
  for (let to = length - 1; to >= 0; to -= 1) {
    const known = from >= 0 ? (runs.values[from] ?? 0) : -Infinity
    const value = Math.max(known, index >= 0 ? (more[index] ?? 0) : -Infinity)
    let count = 0
    if (known === value) {
      count = runs.counts[from] ?? 0
      from -= 1
    }
    while (index >= 0 && more[index] === value) {
      count += timesOf(index)
      index -= 1
    }
    values[to] = value
    counts[to] = count
  }
  return { values, counts }
}
