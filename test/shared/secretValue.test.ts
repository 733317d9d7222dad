import { Console } from "node:console"
import { Writable } from "node:stream"
import { format, inspect } from "node:util"
import { describe, expect, it } from "vitest"
import { SecretValue } from "../../shared/secretValue.ts"

const text = "s3cret-value"
const value = new SecretValue(text)

function printed(print: (to: Console) => void): string {
  let all = ""
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      all += String(chunk)
      done()
    },
  })
  print(new Console(stream, stream))
  return all
}

describe("SecretValue", () => {
  it("gives its text to whoever asks for it by name", () => {
    expect(value.reveal()).toBe(text)
    expect(new SecretValue("").reveal()).toBe("")
  })

  it.each([
    { name: "String()", shown: () => String(value) },
    { name: "a template", shown: () => `${value}` },
    { name: "concatenation", shown: () => "" + value },
    { name: "toString", shown: () => value.toString() },
    { name: "toLocaleString", shown: () => value.toLocaleString() },
    { name: "an array joined", shown: () => [value].join() },
    { name: "JSON", shown: () => JSON.stringify({ value, list: [value] }) },
    { name: "inspect", shown: () => inspect(value) },
    { name: "inspect inside", shown: () => inspect({ deep: { value } }, { depth: 9 }) },
    { name: "inspect with hidden members", shown: () => inspect(value, { showHidden: true }) },
    {
      name: "inspect without custom functions",
      shown: () => inspect(value, { customInspect: false, showHidden: true }),
    },
    ...["%s", "%o", "%O", "%j", "%d", "%i", "%f"].map((code) => ({
      name: `format ${code}`,
      shown: () => format(code, value),
    })),
    { name: "an Error's message", shown: () => inspect(new Error(String(value))) },
    { name: "an Error's cause", shown: () => inspect(new Error("x", { cause: value })) },
    { name: "a member of an Error", shown: () => inspect(Object.assign(new Error("x"), { value })) },
    { name: "console.log", shown: () => printed((to) => to.log("value", value, { value })) },
    { name: "console.table", shown: () => printed((to) => to.table([{ value }])) },
    { name: "console.dir", shown: () => printed((to) => to.dir(value, { showHidden: true })) },
    { name: "its keys", shown: () => JSON.stringify(Reflect.ownKeys(value).map(String)) },
    { name: "its entries", shown: () => JSON.stringify(Object.entries(value)) },
    { name: "a spread copy", shown: () => inspect({ ...value }) },
    { name: "a structured clone", shown: () => inspect(structuredClone(value)) },
  ])("stays hidden in $name", ({ shown }) => {
    expect(shown()).not.toContain(text)
  })

  it("says that something was left out", () => {
    expect(`${value}`).toBe("[redacted]")
    expect(JSON.stringify({ value })).toBe('{"value":"[redacted]"}')
  })
})
