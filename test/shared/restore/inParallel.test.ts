import { describe, expect, it } from "vitest"
import { inParallel } from "../../../shared/restore/inParallel.ts"

describe("inParallel", () => {
  it("keeps the order of the work, and never more than its width under way", async () => {
    let underWay = 0
    let most = 0
    const work = [3, 1, 2, 0].map((turns) => async () => {
      most = Math.max(most, ++underWay)
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      underWay -= 1
      return turns
    })
    await expect(inParallel(work, 2)).resolves.toEqual([3, 1, 2, 0])
    expect(most).toBe(2)
  })

  it("begins nothing more after a failure, and rejects when all that had begun has ended", async () => {
    const begun: number[] = []
    const ended: number[] = []
    const work = [0, 1, 2, 3, 4].map((index) => async () => {
      begun.push(index)
      if (index === 1) throw new Error("first")
      await new Promise((resolve) => setImmediate(resolve))
      ended.push(index)
      return index
    })
    await expect(inParallel(work, 2)).rejects.toThrow("first")
    expect({ begun, ended }).toEqual({ begun: [0, 1], ended: [0] })
  })
})
