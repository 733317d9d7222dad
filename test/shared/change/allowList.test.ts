import { describe, expect, it } from "vitest"
import { createAllowList, isExcluded } from "../../../shared/change/allowList.ts"

describe("createAllowList", () => {
  it("allows exactly the hosts given", () => {
    const allowList = createAllowList(["https://kv-demo.vault.azure.net", "https://127.0.0.1:8443/"])
    expect(allowList.allows("kv-demo.vault.azure.net")).toBe(true)
    expect(allowList.allows("127.0.0.1:8443")).toBe(true)
    const others = [
      "",
      "kv-demo",
      "kv-demo.vault.azure.net.evil.example",
      "a.kv-demo.vault.azure.net",
      "kv-demo.vault.azure.net:8443",
      "127.0.0.1",
      "127.0.0.1:8444",
      "__proto__",
    ]
    expect(others.filter((host) => allowList.allows(host))).toEqual([])
  })

  it("lists each vault once, in canonical form and in the order given", () => {
    const { vaults } = createAllowList(["https://B.example:443", "https://a.example/", "https://b.example"])
    expect(vaults).toEqual(["https://b.example", "https://a.example"])
  })

  it("allows nothing when it is empty", () => {
    expect(createAllowList([]).allows("kv-demo.vault.azure.net")).toBe(false)
  })

  it.each([
    { name: "a host without a scheme", url: "kv-demo.vault.azure.net", reason: "https://host[:port]" },
    { name: "http", url: "http://kv-demo.vault.azure.net", reason: "https://host[:port]" },
    { name: "a path", url: "https://kv-demo.vault.azure.net/secrets", reason: "https://host[:port]" },
    { name: "a query", url: "https://kv-demo.vault.azure.net?a", reason: "host" },
    { name: "user information", url: "https://user@kv-demo.vault.azure.net", reason: "user information" },
    { name: "a wildcard", url: "https://*.vault.azure.net", reason: "host" },
    {
      name: "something before the scheme",
      url: "x https://kv-demo.vault.azure.net",
      reason: "https://host[:port]",
    },
    { name: "nothing", url: "", reason: "https://host[:port]" },
  ])("refuses $name, naming the setting and the reason", ({ url, reason }) => {
    const create = () => createAllowList(["https://kv-demo.vault.azure.net", url])
    expect(create).toThrow(expect.objectContaining({ code: "ERR_CONFIG_INVALID" }))
    expect(create).toThrow("BACKUP_VAULTS")
    expect(create).toThrow(reason)
  })
})

describe("isExcluded", () => {
  it.each([
    { pattern: "db-conn", matching: ["db-conn", "DB-Conn"], other: ["db-con", "db-conn2", "a-db-conn"] },
    { pattern: "tmp-*", matching: ["tmp-", "tmp-a", "TMP-b-c"], other: ["tmp", "a-tmp-b"] },
    { pattern: "*-TMP", matching: ["-tmp", "a-tmp", "tmp-tmp"], other: ["tmp", "a-tmp-b"] },
    { pattern: "a*b*c", matching: ["abc", "axxbxxc", "abcbc", "abbcc"], other: ["ab", "acb", "abcd"] },
    { pattern: "v?", matching: ["v1", "va"], other: ["v", "v12"] },
    { pattern: "?*", matching: ["a", "ab"], other: [] },
    { pattern: "**", matching: ["a", "abc"], other: [] },
    { pattern: "a.c", matching: [], other: ["abc"] },
    { pattern: "[ab]", matching: [], other: ["a", "b"] },
    { pattern: "", matching: [], other: ["a"] },
  ])("matches '$pattern' as a whole name", ({ pattern, matching, other }) => {
    expect(matching.filter((name) => !isExcluded(name, [pattern]))).toEqual([])
    expect(other.filter((name) => isExcluded(name, [pattern]))).toEqual([])
  })

  it("is true when any pattern matches, and false without patterns", () => {
    expect(isExcluded("tmp-1", ["a", "tmp-*"])).toBe(true)
    expect(isExcluded("tmp-1", ["a", "b"])).toBe(false)
    expect(isExcluded("tmp-1", [])).toBe(false)
  })

  it("takes no longer for a pattern made to backtrack", () => {
    const pattern = `${"a*".repeat(60)}b`
    const startedAt = performance.now()
    expect(isExcluded("a".repeat(127), [pattern])).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(200)
  })
})
