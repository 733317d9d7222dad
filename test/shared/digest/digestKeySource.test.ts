import { describe, expect, it } from "vitest"
import { loadSettings } from "../../../shared/config.ts"
import {
  isVersionOf,
  parseDigestKeySources,
  type VaultKeySource,
} from "../../../shared/digest/digestKeySource.ts"

const version = "0123456789abcdef0123456789abcdef"
const key = (rest: object = {}) => ({
  kind: "keyVault",
  vault: "https://kv.vault.azure.net",
  name: "ledger",
  ...rest,
})

describe("parseDigestKeySources", () => {
  it.each([
    ["https://kv.vault.azure.net/keys/ledger", [key()]],
    [`https://KV.vault.azure.net:443/keys/Ledger/${version.toUpperCase()}`, [key({ version })]],
    [
      " https://127.0.0.1:8443/keys/a , old.jwk.json,",
      [
        { kind: "keyVault", vault: "https://127.0.0.1:8443", name: "a" },
        { kind: "file", path: "old.jwk.json" },
      ],
    ],
    ["C:\\keys\\ledger.json", [{ kind: "file", path: "C:\\keys\\ledger.json" }]],
  ])("reads %s", (text, sources) => {
    expect(parseDigestKeySources(text)).toEqual(sources)
  })

  it.each([
    "",
    ",",
    "http://kv.vault.azure.net/keys/ledger",
    "https://kv.vault.azure.net/secrets/ledger",
    "https://kv.vault.azure.net/keys/ledger/short",
    "https://kv.vault.azure.net/keys/",
    "https://me:pass@kv.vault.azure.net/keys/ledger",
    "https://kv.vault.azure.net/keys/ledger?x=1",
    "key.json,ftp://kv/keys/a",
  ])("refuses %j, and the settings say so by name", (text) => {
    expect(parseDigestKeySources(text)).toBeUndefined()
    if (text === "") return
    expect(() => loadSettings({ BACKUP_DIGEST_KEY: text }, [])).toThrow(
      "BACKUP_DIGEST_KEY must be a comma list",
    )
  })
})

describe("isVersionOf", () => {
  const source = (text: string) => parseDigestKeySources(text)![0] as VaultKeySource
  const whole = source("https://kv.vault.azure.net/keys/ledger")

  it.each([
    [`https://kv.vault.azure.net/keys/ledger/${version}`, true],
    [`https://kv.vault.azure.net/keys/LEDGER/${version}`, true],
    ["https://kv.vault.azure.net/keys/ledger", false],
    [`https://kv.vault.azure.net/keys/ledger2/${version}`, false],
    [`https://kv.vault.azure.net.evil.example/keys/ledger/${version}`, false],
    [`https://kv.vault.azure.net@evil.example/keys/ledger/${version}`, false],
    [`https://evil.example/keys/ledger/${version}`, false],
    [`https://kv.vault.azure.net/keys/ledger/${version},x`, false],
    ["local-digest", false],
  ])("says of %s that it is %s", (kid, is) => {
    expect(isVersionOf(kid, whole)).toBe(is)
  })

  it("takes no other version where one is named", () => {
    const pinned = source(`https://kv.vault.azure.net/keys/ledger/${version}`)
    expect(isVersionOf(`https://kv.vault.azure.net/keys/ledger/${version}`, pinned)).toBe(true)
    expect(isVersionOf(`https://kv.vault.azure.net/keys/ledger/${"f".repeat(32)}`, pinned)).toBe(false)
  })
})
