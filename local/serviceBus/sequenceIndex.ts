const compactAt = 1024

/**
 * Entries by sequence number, which only grows. Looking one up is constant time; walking from a number on starts
 * with a binary search, so that paging through a large queue does not read it from the start for every page.
 */
export class SequenceIndex<T> {
  readonly #entries = new Map<number, T>()
  #order: number[] = []

  get size(): number {
    return this.#entries.size
  }

  get(sequence: number): T | undefined {
    return this.#entries.get(sequence)
  }

  /** Adds under a number larger than every number added before. */
  append(sequence: number, entry: T): void {
    this.#entries.set(sequence, entry)
    this.#order.push(sequence)
  }

  delete(sequence: number): void {
    this.#entries.delete(sequence)
    if (this.#order.length >= compactAt && this.#order.length > 2 * this.#entries.size) {
      this.#order = this.#order.filter((number) => this.#entries.has(number))
    }
  }

  /** Up to `count` entries in sequence order, none smaller than `first`. */
  from(first: number, count: number): T[] {
    const found: T[] = []
    for (let at = this.#firstAtLeast(first); at < this.#order.length && found.length < count; at += 1) {
      const entry = this.#entries.get(this.#order[at] ?? Number.NaN)
      if (entry !== undefined) found.push(entry)
    }
    return found
  }

  values(): MapIterator<T> {
    return this.#entries.values()
  }

  #firstAtLeast(sequence: number): number {
    let low = 0
    let high = this.#order.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#order[middle] ?? Number.POSITIVE_INFINITY) < sequence) low = middle + 1
      else high = middle
    }
    return low
  }
}
