import { describe, expect, it } from "vitest"
import { isAddress, parseVaultHost } from "../../../shared/change/vaultHost.ts"

describe("parseVaultHost", () => {
  it.each([
    { authority: "kv-demo.vault.azure.net", host: "kv-demo.vault.azure.net" },
    { authority: "KV-Demo.Vault.Azure.Net:443", host: "kv-demo.vault.azure.net" },
    { authority: "kv.vault.azure.cn:8443", host: "kv.vault.azure.cn:8443" },
    { authority: "localhost:65535", host: "localhost:65535" },
    { authority: "127.0.0.1", host: "127.0.0.1" },
    { authority: "255.249.199.9:1", host: "255.249.199.9:1" },
    { authority: `${"a".repeat(63)}.net`, host: `${"a".repeat(63)}.net` },
    { authority: `${"a.".repeat(126)}a`, host: `${"a.".repeat(126)}a` },
    { authority: "0xa.net", host: "0xa.net" },
    { authority: "kv.a1", host: "kv.a1" },
    { authority: "kv.1a", host: "kv.1a" },
    { authority: "kv.0xg", host: "kv.0xg" },
  ])("reads $authority", ({ authority, host }) => {
    expect(parseVaultHost(authority)).toEqual({ host })
  })
})

describe("isAddress", () => {
  it("is true for addresses and localhost alone, with or without a port", () => {
    const hosts = [
      "127.0.0.1",
      "127.0.0.1:8443",
      "localhost",
      "localhost:1",
      "kv.localhost",
      "kv-demo.vault.azure.net:1",
      "1.2.3",
    ]
    expect(hosts.map(isAddress)).toEqual([true, true, true, true, false, false, false])
  })
})
