import { describe, expect, it } from "vitest"
import { isJsonObject, readFields } from "../../../shared/change/eventFields.ts"

describe("readFields", () => {
  it("folds names and trims texts", () => {
    expect([...readFields({ " Id ": " a ", B: 1, c: null })]).toEqual([
      ["id", "a"],
      ["b", 1],
      ["c", null],
    ])
  })

  it("reads own members only", () => {
    const fields = readFields(JSON.parse('{"__proto__": {"id": "a"}, "toString": 1}'))
    expect([...fields.keys()]).toEqual(["__proto__", "tostring"])
  })

  it("takes one name in several spellings when the values agree", () => {
    expect(readFields({ Id: "a", "id ": "a " }).get("id")).toBe("a")
  })

  it("refuses one name in several spellings when they do not", () => {
    const read = () => readFields({ Id: "a", id: "b" })
    expect(read).toThrow(expect.objectContaining({ code: "ERR_EVENT_COLLISION" }))
    expect(read).toThrow('"id" more than once')
  })
})

describe("isJsonObject", () => {
  it("is true for objects alone", () => {
    expect([{}, [], null, "x", 1, undefined].map(isJsonObject)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ])
  })
})
