import { describe, expect, it } from "vitest"
import { quoteInput } from "../../../shared/change/quoteInput.ts"

describe("quoteInput", () => {
  it.each([
    { name: "plain text", text: "db-conn", expected: '"db-conn"' },
    { name: "nothing", text: "", expected: '""' },
    { name: "a space and a user without a name", text: "@a b~", expected: '"...a b~"' },
    { name: "quotes and backslashes", text: String.raw`a"b\c`, expected: String.raw`"a\"b\\c"` },
    {
      name: "line breaks and escapes",
      text: "a\r\n\u001b[2J",
      expected: String.raw`"a\u000d\u000a\u001b[2J"`,
    },
    { name: "text beyond ASCII", text: "\u202e\u00e9\u007f", expected: String.raw`"\u202e\u00e9\u007f"` },
    { name: "user information", text: "https://u:hunter2@kv/x", expected: '"...kv/x"' },
    { name: "a query", text: "https://kv/x?sig=hunter2\nmore", expected: '"https://kv/x..."' },
    { name: "a fragment", text: "https://kv/x#hunter2", expected: '"https://kv/x..."' },
    { name: "both", text: "u:p@kv?q", expected: '"...kv..."' },
  ])("quotes $name", ({ text, expected }) => {
    expect(quoteInput(text)).toBe(expected)
  })

  it("cuts at the limit, never within an escape", () => {
    expect(quoteInput("a".repeat(195))).toBe(`"${"a".repeat(195)}"`)
    expect(quoteInput("a".repeat(196))).toBe(`"${"a".repeat(195)}..."`)
    expect(quoteInput("\u00e9".repeat(3), 20)).toBe(String.raw`"\u00e9\u00e9..."`)
    expect(quoteInput(`x@${"a".repeat(300)}`)).toHaveLength(200)
  })
})
