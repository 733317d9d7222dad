import { describe, expect, it } from "vitest"
import { isChainComplete, openMaterial } from "../../../shared/certificate/certificateMaterial.ts"
import { builtInChanges, type BuiltInAct } from "../../../local/builtIn/builtInChanges.ts"

type SetAct = Extract<BuiltInAct, { kind: "set" }>

const now = new Date("2026-01-05T10:00:00Z")
const changes = builtInChanges(now)
const sets = changes.map(({ act }) => act).filter((act) => act.kind === "set")

function valueOf(act: BuiltInAct): readonly string[] {
  if (act.kind === "set") return [act.value]
  return act.kind === "setTogether" ? act.values : []
}

const values = changes.flatMap(({ act }) => valueOf(act))
const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)

/** What the set must hold, each told by what the act is, not by its label. */
const kinds: readonly {
  readonly name: string
  readonly expected: string
  readonly is: (act: SetAct) => boolean
}[] = [
  {
    name: "PEM of many lines",
    expected: "stored",
    is: ({ value }) => /^-----BEGIN [^\n]+\n(?:[A-Za-z0-9+/=]+\n){20,}-----END [^\n]+\n$/.test(value),
  },
  {
    name: "text with CRLF only",
    expected: "stored",
    is: ({ value }) => /\r\n/.test(value) && !/[^\r]\n|\r[^\n]/.test(value),
  },
  {
    name: "mixed line endings",
    expected: "stored",
    is: ({ value }) => /\r\n/.test(value) && /[^\r]\n/.test(value) && /\r[^\n]/.test(value),
  },
  { name: "an empty value", expected: "stored", is: ({ value }) => value === "" },
  {
    name: "25,600 one-byte characters",
    expected: "stored",
    is: ({ value }) => value.length === 25_600 && isAscii(value),
  },
  {
    name: "25,600 bytes, no character of one byte",
    expected: "stored",
    is: ({ value }) => Buffer.byteLength(value) === 25_600 && !/[\x00-\x7f]/.test(value),
  },
  {
    name: "emoji and other letters",
    expected: "stored",
    is: ({ value }) =>
      /\p{Emoji_Presentation}/u.test(value) &&
      /\p{Script=Cyrillic}/u.test(value) &&
      value !== value.normalize("NFC"),
  },
  { name: "a NUL", expected: "stored", is: ({ value }) => value.includes("\u0000") },
  { name: "a byte order mark in front", expected: "stored", is: ({ value }) => value.startsWith("\uFEFF") },
  {
    name: "percent signs, quotes, backslashes",
    expected: "stored",
    is: ({ value }) => /%41/.test(value) && /["'`]/.test(value) && /\\\\/.test(value) && /\\n/.test(value),
  },
  {
    name: "spaces and a newline at the end",
    expected: "stored",
    is: ({ value }) => value.endsWith(" \t \n"),
  },
  { name: "a name of 127 characters", expected: "stored", is: ({ name }) => name.length === 127 },
  {
    name: "tags with non-ASCII names",
    expected: "stored",
    is: ({ tags }) => Object.keys(tags ?? {}).some((key) => !isAscii(key)),
  },
  {
    name: "tags with a line feed, NUL and empty value",
    expected: "stored",
    is: ({ tags }) =>
      ["\n", "\u0000"].every((part) =>
        Object.values(tags ?? {})
          .join("")
          .includes(part),
      ) && Object.values(tags ?? {}).includes(""),
  },
  {
    name: "a content type that is not ASCII",
    expected: "stored",
    is: ({ contentType }) => !isAscii(contentType ?? ""),
  },
  { name: "a disabled version", expected: "unreadable", is: ({ enabled }) => enabled === false },
  {
    name: "an expired version",
    expected: "stored",
    is: ({ expires }) => expires !== undefined && expires < now,
  },
  {
    name: "a version not yet valid",
    expected: "stored",
    is: ({ notBefore }) => notBefore !== undefined && notBefore > now,
  },
  {
    name: "JSON",
    expected: "stored",
    is: ({ value }) => /^\{[^]*"[^]*\}$/.test(value) && typeof JSON.parse(value) === "object",
  },
]

describe("builtInChanges", () => {
  it.each(kinds)("has $name, expected to be $expected", ({ expected, is }) => {
    const found = changes.filter(({ act }) => act.kind === "set" && is(act))
    expect(found).not.toEqual([])
    expect(new Set(found.map((change) => change.expected))).toEqual(new Set([expected]))
  })

  it("has certificates of every kind, each with its outcome", () => {
    const made = changes.flatMap(({ act, expected }) => {
      if (act.kind === "importCertificate") return [`imported ${act.contentType} ${expected}`]
      if (act.kind !== "createCertificate") return []
      const { keyType, contentType, exportable } = act.policy
      return [
        `${keyType} ${contentType} ${exportable ? "" : "kept "}${act.enabled === false ? "disabled " : ""}${expected}`,
      ]
    })
    expect(made).toEqual([
      "RSA application/x-pkcs12 stored",
      "EC application/x-pem-file stored",
      "EC application/x-pkcs12 kept stored",
      "imported application/x-pkcs12 stored",
      "imported application/x-pem-file stored",
      "EC application/x-pkcs12 disabled unreadable",
    ])
  })

  it("imports a key with its whole chain, the root first in the PEM", () => {
    for (const { act } of changes) {
      if (act.kind !== "importCertificate") continue
      const { certificates, privateKeys } = openMaterial(act.value, act.contentType)
      const leaf = certificates.find((certificate) => certificate.checkPrivateKey(privateKeys[0]!))
      expect([certificates.length, isChainComplete(leaf!.raw, certificates)]).toEqual([3, true])
      expect(certificates.indexOf(leaf!)).toBe(act.contentType === "application/x-pem-file" ? 2 : 0)
    }
  })

  it("has two versions made at once, with different values", () => {
    const [together, ...others] = changes.filter(({ act }) => act.kind === "setTogether")
    expect(others).toEqual([])
    expect(together?.expected).toBe("stored")
    expect(new Set(together && valueOf(together.act)).size).toBe(2)
  })

  it("has one name in two spellings, and no other name twice", () => {
    const names = changes.flatMap(({ act }) => ("name" in act ? [act.name] : []))
    const folded = names.map((name) => name.toLowerCase())
    const twice = names.filter((name) => folded.filter((other) => other === name.toLowerCase()).length > 1)
    expect(twice).toEqual(["Db-Conn", "db-conn"])
  })

  it("has a repeated event and a near-expiry event, each of a change that stands before it", () => {
    const events = changes.flatMap(({ act, expected }, index) => {
      if (!("of" in act)) return []
      const of = changes.slice(0, index).find(({ label }) => label === act.of)
      return [
        { kind: act.kind, expected, of: of?.expected, expires: of?.act.kind === "set" && of.act.expires },
      ]
    })
    expect(events).toEqual([
      { kind: "repeatEvent", expected: "alreadyStored", of: "stored", expires: undefined },
      {
        kind: "nearExpiryEvent",
        expected: "skipped",
        of: "stored",
        expires: new Date("2026-01-05T11:00:00Z"),
      },
    ])
  })

  it("stays within what a vault takes", () => {
    for (const { name, contentType = "", tags = {}, notBefore, expires } of sets) {
      expect(name).toMatch(/^[0-9a-zA-Z-]{1,127}$/)
      expect(contentType.length).toBeLessThanOrEqual(255)
      expect(Object.keys(tags).length).toBeLessThanOrEqual(15)
      expect(
        Math.max(
          0,
          ...Object.entries(tags)
            .flat()
            .map((text) => text.length),
        ),
      ).toBeLessThanOrEqual(512)
      expect(Object.keys(tags)).not.toContain("")
      expect(notBefore !== undefined && expires !== undefined).toBe(false)
    }
    for (const value of values) {
      expect(value.isWellFormed()).toBe(true)
      expect(Buffer.byteLength(value)).toBeLessThanOrEqual(25_600)
      expect(JSON.parse(JSON.stringify(value))).toBe(value)
    }
  })

  it("has at least 16 changes, each with its own label", () => {
    expect(changes.length).toBeGreaterThanOrEqual(16)
    expect(new Set(changes.map(({ label }) => label)).size).toBe(changes.length)
  })

  it("has values that differ within a set and from call to call, the empty one apart", () => {
    const again = builtInChanges(now).flatMap(({ act }) => valueOf(act))
    const all = [...values, ...again].filter((value) => value !== "")
    expect(new Set(all).size).toBe(all.length)
    expect(all.length).toBe(2 * (values.length - 1))
  })
})
