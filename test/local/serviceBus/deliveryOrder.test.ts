import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DeliveryOrder } from "../../../local/serviceBus/deliveryOrder.ts"
import { SequenceIndex } from "../../../local/serviceBus/sequenceIndex.ts"

describe("DeliveryOrder", () => {
  it("always gives out the smallest number that waits", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("append", "shift", "giveBack"), { maxLength: 300 }), (steps) => {
        const order = new DeliveryOrder()
        const waiting: number[] = []
        const taken: number[] = []
        const given: [number | undefined, number | undefined][] = []
        let last = 0
        for (const step of steps) {
          if (step === "append") {
            order.append((last += 1))
            waiting.push(last)
          }
          if (step === "shift") {
            const expected = waiting.length > 0 ? Math.min(...waiting) : undefined
            given.push([order.shift(), expected])
            if (expected === undefined) continue
            waiting.splice(waiting.indexOf(expected), 1)
            taken.push(expected)
          }
          if (step === "giveBack" && taken.length > 0) {
            const [returned] = taken.splice(taken.length >> 1, 1)
            order.giveBack(returned!)
            waiting.push(returned!)
          }
          expect(order.size).toBe(waiting.length)
        }
        for (const [number, expected] of given) expect(number).toBe(expected)
      }),
    )
  })

  it("takes and gives back a hundred thousand in no time", () => {
    const order = new DeliveryOrder()
    const count = 100_000
    for (let n = 1; n <= count; n += 1) order.append(n)
    const startedMs = performance.now()
    const taken = Array.from({ length: count }, () => order.shift()!)
    for (const sequence of taken.toReversed()) order.giveBack(sequence)
    const again = Array.from({ length: count }, () => order.shift()!)
    expect(again).toEqual(taken)
    expect(order.shift()).toBeUndefined()
    // With a list searched from its start this takes minutes.
    expect(performance.now() - startedMs).toBeLessThan(3000)
  })
})

describe("SequenceIndex", () => {
  it("walks from any number on, over gaps, also after most entries are gone", () => {
    const index = new SequenceIndex<string>()
    for (let n = 1; n <= 5000; n += 1) index.append(n, `e${n}`)
    for (let n = 1; n <= 5000; n += 1) if (n % 100 !== 0) index.delete(n)
    expect(index.size).toBe(50)
    expect(index.from(0, 2)).toEqual(["e100", "e200"])
    expect(index.from(201, 2)).toEqual(["e300", "e400"])
    expect(index.from(4901, 10)).toEqual(["e5000"])
    expect(index.from(5001, 10)).toEqual([])
    index.append(5001, "new")
    expect(index.from(5001, 10)).toEqual(["new"])
  })
})
