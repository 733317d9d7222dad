import { describe, expect, it } from "vitest"
import { createNameSet, createSequenceSet } from "../../../shared/deadLetter/memberSet.ts"
import { addSums, emptySum, MemberSumBuilder } from "../../../shared/deadLetter/memberSum.ts"
import { hashKey } from "../../../shared/deadLetter/deadLetter.ts"

const big = "9223372036854775807"

describe.each([
  { name: "createSequenceSet", create: createSequenceSet },
  { name: "createNameSet", create: createNameSet },
])("$name", ({ create }) => {
  it("has what was added and not deleted", () => {
    const set = create()
    for (let id = 1; id <= 1000; id += 2) set.add(String(id))
    set.add(big)
    expect(set.size).toBe(501)
    expect(["1", "2", "3", "999", "1000", big].map(set.has)).toEqual([true, false, true, true, false, true])
    for (const id of ["3", "3", "4", big]) set.delete(id)
    expect(set.size).toBe(499)
    expect([set.has("3"), set.has(big)]).toEqual([false, false])
    set.keepOnly((id) => Number(id) < 10)
    expect(set.size).toBe(4)
    expect(["1", "5", "7", "9", "11"].map(set.has)).toEqual([true, true, true, true, false])
  })

  it("takes ids in any order, each once", () => {
    const set = create()
    for (const id of ["5", "9", "2", "9", "2"]) set.add(id)
    expect(set.size).toBe(3)
    set.delete("2")
    expect([set.has("2"), set.has("5"), set.size]).toEqual([false, true, 2])
    set.add("3")
    set.keepOnly(() => false)
    expect(set.size).toBe(0)
  })
})

describe("MemberSumBuilder", () => {
  const sumOf = (...keys: string[]) => {
    const builder = new MemberSumBuilder()
    for (const key of keys) builder.add(hashKey(key))
    return builder.build()
  }
  it("depends on the members alone, and can be added up", () => {
    expect(sumOf()).toEqual(emptySum)
    expect(sumOf("a", "b", "c")).toEqual(sumOf("c", "a", "b"))
    expect(sumOf("a", "b")).not.toEqual(sumOf("a", "c"))
    expect(addSums(sumOf("a"), sumOf("b", "c"))).toEqual(sumOf("a", "b", "c"))
    expect(sumOf("a", "b")).toMatchObject({ count: 2, sum: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })
})
