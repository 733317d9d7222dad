/** Ids of dead letters at one place that a run is about. */
export interface MemberSet {
  readonly size: number
  add(id: string): void
  has(id: string): boolean
  /** No effect on an id that is not there. */
  delete(id: string): void
  /** Deletes every id for which `keep` says no. */
  keepOnly(keep: (id: string) => boolean): void
}

const initialCapacity = 256

/**
 * Sequence numbers, in nine bytes each when they are added in ascending order, as a queue lists them: it may hold a great
 * many dead letters. Others, which only a partitioned queue gives, take more room.
 */
export function createSequenceSet(): MemberSet {
  let numbers = new BigInt64Array(initialCapacity)
  let isGone = new Uint8Array(initialCapacity)
  let length = 0
  let size = 0
  const others = new Set<string>()

  function find(id: string): number {
    const wanted = BigInt(id)
    let low = 0
    let high = length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const number = numbers[middle] ?? 0n
      if (number === wanted) return middle
      if (number < wanted) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  function grow(): void {
    const [oldNumbers, oldGone] = [numbers, isGone]
    numbers = new BigInt64Array(length * 2)
    numbers.set(oldNumbers)
    isGone = new Uint8Array(length * 2)
    isGone.set(oldGone)
  }

  return {
    get size() {
      return size + others.size
    },
    add: (id) => {
      const number = BigInt(id)
      if (length > 0 && number <= (numbers[length - 1] ?? 0n)) {
        if (find(id) < 0) others.add(id)
        return
      }
      if (length === numbers.length) grow()
      numbers[length] = number
      length += 1
      size += 1
    },
    has: (id) => {
      const index = find(id)
      return index >= 0 ? isGone[index] === 0 : others.has(id)
    },
    delete: (id) => {
      const index = find(id)
      if (index < 0) {
        others.delete(id)
        return
      }
      if (isGone[index] === 0) size -= 1
      isGone[index] = 1
    },
    keepOnly: (keep) => {
      for (let index = 0; index < length; index++) {
        if (isGone[index] !== 0 || keep(String(numbers[index]))) continue
        isGone[index] = 1
        size -= 1
      }
      for (const id of others) if (!keep(id)) others.delete(id)
    },
  }
}

/** Ids of any form. */
export function createNameSet(): MemberSet {
  const names = new Set<string>()
  return {
    get size() {
      return names.size
    },
    add: (id) => void names.add(id),
    has: (id) => names.has(id),
    delete: (id) => void names.delete(id),
    keepOnly: (keep) => {
      for (const id of names) if (!keep(id)) names.delete(id)
    },
  }
}
