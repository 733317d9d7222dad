const compactAt = 4096

/**
 * The sequence numbers that wait for a receiver, smallest first. New ones come in ascending order; one that is
 * given back after a failed delivery finds its old place. Both take logarithmic time at most, however many wait.
 */
export class DeliveryOrder {
  #fresh: number[] = []
  #head = 0
  readonly #returned: number[] = []

  get size(): number {
    return this.#fresh.length - this.#head + this.#returned.length
  }

  /** Adds a number larger than every number added before. */
  append(sequence: number): void {
    this.#fresh.push(sequence)
  }

  /** Adds a number that was taken out before. */
  giveBack(sequence: number): void {
    const heap = this.#returned
    let at = heap.length
    heap.push(sequence)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = heap[parent] ?? 0
      if (above <= sequence) break
      heap[at] = above
      at = parent
    }
    heap[at] = sequence
  }

  /** Takes out the smallest number. */
  shift(): number | undefined {
    const fresh = this.#fresh[this.#head]
    const returned = this.#returned[0]
    if (returned !== undefined && (fresh === undefined || returned < fresh)) return this.#shiftReturned()
    if (fresh === undefined) return undefined
    this.#head += 1
    if (this.#head >= compactAt && this.#head * 2 > this.#fresh.length) {
      this.#fresh = this.#fresh.slice(this.#head)
      this.#head = 0
    }
    return fresh
  }

  #shiftReturned(): number | undefined {
    const heap = this.#returned
    const smallest = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return smallest
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const right = heap[child + 1]
      const left = heap[child]
      if (left === undefined) break
      if (right !== undefined && right < left) child += 1
      const smaller = heap[child] ?? last
      if (smaller >= last) break
      heap[at] = smaller
      at = child
    }
    heap[at] = last
    return smallest
  }
}
