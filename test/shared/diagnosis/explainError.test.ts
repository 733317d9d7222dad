import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { explainError } from "../../../shared/diagnosis/explain/explainError.ts"
import { pasteLimitBytes } from "../../../shared/diagnosis/explain/readPaste.ts"
import { propertyRuns } from "../../support/propertyRuns.ts"

interface ExplainVector {
  readonly name: string
  readonly text: string
  readonly expect: Readonly<Record<string, unknown>>
  /** Part of the command that mends it. */
  readonly command?: string
  /** What the command must not grant. */
  readonly notInCommand?: string
  /** What must not be repeated. */
  readonly secrets?: readonly string[]
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/explain.json", import.meta.url), "utf8"),
) as readonly ExplainVector[]
const explain = (text: string) => explainError(Buffer.from(text))

describe("explainError", () => {
  it.each(vectors)(
    "explains: $name",
    ({ text, expect: wanted, secrets = [], command = "", notInCommand }) => {
      const explanation = explain(text)
      expect(explanation.remedy.command ?? "").toContain(command)
      expect((explanation.remedy.command ?? "").includes(notInCommand ?? "\u0000")).toBe(false)
      expect(explanation).toMatchObject(wanted)
      const said = JSON.stringify(explanation)
      for (const secret of secrets) expect(said).not.toContain(secret)
      expect(said).not.toMatch(
        /all networks from|trusted services? (?:on|enabled)|--default-action Allow|bypass AzureServices/i,
      )
      const isUnknown = wanted["kind"] === "unknown"
      expect(explanation.remedy.says.startsWith("Collect")).toBe(isUnknown)
      expect(explanation.isNot.length > 0).toBe(!isUnknown)
    },
  )

  it("knows at least forty texts, of every kind and service", () => {
    expect(vectors.length).toBeGreaterThanOrEqual(40)
    const of = (key: string) => new Set(vectors.map((vector) => vector.expect[key]).filter(Boolean))
    expect(of("kind").size).toBe(8)
    expect(of("service").size).toBe(6)
  })

  it.each([
    ["UTF-16 with a byte order mark", (text: string) => Buffer.from(`\ufeff${text}`, "utf16le")],
    ["UTF-16 without one", (text: string) => Buffer.from(text, "utf16le")],
    [
      "JSON in a JSON text",
      (text: string) => Buffer.from(JSON.stringify({ message: JSON.stringify({ text }) })),
    ],
    [
      "a log with CRLF and prefixes",
      (text: string) => Buffer.from(text.replaceAll("\n", "\r\n2026-01-05 [Error] ")),
    ],
    [
      "bytes that are no text around it",
      (text: string) =>
        Buffer.concat([Buffer.from([0, 255, 254, 7]), Buffer.from(text), Buffer.from([0, 200])]),
    ],
  ])("finds the same in %s", (_name, wrap) => {
    for (const { text, expect: wanted } of vectors.slice(0, 20)) {
      const { kind, code } = explainError(wrap(text))
      expect({ kind, code: wanted["code"] && code }).toEqual({ kind: wanted["kind"], code: wanted["code"] })
    }
  })

  it("repeats nothing of a text but codes, actions, resource ids and ids of identities", () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9+/~._-]{24,60}$/)
    fc.assert(
      fc.property(secret, fc.constantFrom(...vectors), (value, { text }) => {
        const leaky = `Authorization: Bearer ${value}\n${text}\nsig=${value}&password="${value}" Code: ${value}`
        expect(JSON.stringify(explain(leaky))).not.toContain(value)
      }),
      propertyRuns(200),
    )
  })

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(explainError(bytes).kind).toBeTypeOf("string")
      }),
      propertyRuns(200),
    )
  })

  it.each([
    ["random bytes", randomBytes(pasteLimitBytes + 5)],
    ["escapes", Buffer.alloc(pasteLimitBytes + 5, String.raw`\\\"\n&lt;%3C`)],
    ["backslashes", Buffer.alloc(pasteLimitBytes + 5, "\\")],
    ["an action that never ends", Buffer.alloc(pasteLimitBytes + 5, "Microsoft.Storage/storageAccounts/")],
    ["subscriptions", Buffer.alloc(pasteLimitBytes + 5, "/subscriptions/00000000/resourceGroups/")],
    ["white space", Buffer.alloc(pasteLimitBytes + 5, " \n> ")],
    ["claims", Buffer.alloc(pasteLimitBytes + 5, "send,send,send ")],
  ])("reads 10 MB of %s in time that grows with its size, and says that it was cut", (_name, bytes) => {
    expect(explainError(bytes)).toMatchObject({ kind: "unknown", isCut: true })
  })
})
