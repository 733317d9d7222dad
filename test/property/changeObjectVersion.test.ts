import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { createAllowList, isExcluded } from "../../shared/change/allowList.ts"
import { formatVersionUrl, type ObjectVersion, parseVersionUrl } from "../../shared/change/objectVersion.ts"
import { parseChanges } from "../../shared/change/parseChanges.ts"
import { anObjectVersion } from "./changeArbitraries.ts"

const runs = { numRuns: process.env["SLOW"] ? 20_000 : 500 }

/** A version URL with something put into it, taken out of it or written over it. */
const damagedUrl = fc
  .tuple(
    anObjectVersion.map(formatVersionUrl),
    fc.nat(),
    fc.nat({ max: 3 }),
    fc.oneof(
      fc.constantFrom(
        "..",
        "/../",
        "%2e",
        "%2F",
        "\\",
        "\t",
        "\n",
        "@",
        "u:p@",
        "?",
        "#",
        ":443",
        ":0443",
        ".",
        "//",
      ),
      fc.constantFrom(
        "\u212a",
        "\u3002",
        "\uff0e",
        "\u00ad",
        "xn--",
        "0x7f",
        "[::1]",
        ".managedhsm.",
        "/keys/",
      ),
      fc.string({ maxLength: 3, unit: "binary" }),
    ),
  )
  .map(([url, at, cut, put]) => {
    const start = at % url.length
    return url.slice(0, start) + put + url.slice(start + cut)
  })

describe("parseVersionUrl", () => {
  it("reads back what formatVersionUrl writes", () => {
    fc.assert(
      fc.property(anObjectVersion, (object) => {
        expect(parseVersionUrl(formatVersionUrl(object))).toEqual({ object })
      }),
      runs,
    )
  })

  it("writes what no URL parser changes", () => {
    fc.assert(
      fc.property(anObjectVersion, (object) => {
        expect(new URL(formatVersionUrl(object)).href).toBe(formatVersionUrl(object))
      }),
      runs,
    )
  })

  it("means by whatever it takes what a URL parser means by it", () => {
    fc.assert(
      fc.property(damagedUrl, (text) => {
        const parsed = parseVersionUrl(text)
        if (!("object" in parsed)) return
        const url = new URL(text)
        expect(url.host).toBe(parsed.object.host)
        expect(url.href.toLowerCase()).toBe(formatVersionUrl(parsed.object))
        expect(text.toLowerCase().replace(":443/", "/")).toBe(formatVersionUrl(parsed.object))
      }),
      runs,
    )
  })
})

describe("createAllowList", () => {
  it("lets no id of a host that is not exactly listed become a change", () => {
    const hosts = fc.array(
      anObjectVersion.map(({ vault }) => vault),
      { minLength: 1, maxLength: 3 },
    )
    const near = (vaults: readonly string[]) =>
      fc
        .tuple(
          anObjectVersion,
          fc.constantFrom(...vaults),
          fc.constantFrom("", "a", "a.", "u@"),
          fc.constantFrom("", "a", ".evil.example", ":8443", ":443"),
        )
        .map(([object, vault, before, after]) => {
          const url = formatVersionUrl({ ...object, vault })
          return url.replace("https://", `https://${before}`).replace(/^(https:\/\/[^/]*)/, `$1${after}`)
        })
    const cases = hosts.chain((vaults) => fc.tuple(fc.constant(vaults), fc.oneof(near(vaults), damagedUrl)))
    fc.assert(
      fc.property(cases, ([vaults, Id]) => {
        const body = { eventType: "Microsoft.KeyVault.SecretNewVersionCreated", data: { Id } }
        const [item] = parseChanges(body, createAllowList(vaults))
        if (item?.kind !== "change") return
        expect(vaults).toContain(item.change.object.vault)
        expect(new URL(Id).origin).toBe(item.change.object.vault)
      }),
      runs,
    )
  })
})

describe("isExcluded", () => {
  it("agrees with the regular expression of the same meaning", () => {
    const glob = fc.string({ unit: fc.constantFrom("a", "b", "-", "*", "?"), maxLength: 8 })
    const name = fc.string({ unit: fc.constantFrom("a", "B", "-"), minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(name, glob, (name, glob) => {
        const same = new RegExp(`^${glob.replaceAll("*", ".*").replaceAll("?", ".")}$`, "i")
        expect(isExcluded(name, [glob])).toBe(same.test(name))
      }),
      runs,
    )
  })

  it("matches every name with itself", () => {
    fc.assert(
      fc.property(anObjectVersion, ({ name }: ObjectVersion) => {
        expect(isExcluded(name, [name.toUpperCase()])).toBe(true)
      }),
      runs,
    )
  })
})
