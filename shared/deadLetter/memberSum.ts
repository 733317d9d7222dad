const modulus = 1n << 256n

/**
 * Identifies a set of dead letters without keeping it: the sum of their hashes modulo 2^256. The order does not matter,
 * and members can be added to it later, which is how a plan is compared after a part of it was done.
 */
export interface MemberSum {
  readonly count: number
  /** 64 hex digits. */
  readonly sum: string
}

/** The sum of no members. */
export const emptySum: MemberSum = { count: 0, sum: "0".repeat(64) }

/** Collects members one by one. */
export class MemberSumBuilder {
  #sum = 0n
  #count = 0

  /** @param hash - see `hashKey`. Adding a member twice makes another set. */
  add(hash: bigint): void {
    this.#sum = (this.#sum + hash) % modulus
    this.#count += 1
  }

  build(): MemberSum {
    return { count: this.#count, sum: this.#sum.toString(16).padStart(64, "0") }
  }
}

/** The sum of two sets that have no member in common. */
export function addSums(one: MemberSum, other: MemberSum): MemberSum {
  const sum = (BigInt(`0x${one.sum}`) + BigInt(`0x${other.sum}`)) % modulus
  return { count: one.count + other.count, sum: sum.toString(16).padStart(64, "0") }
}
