import { describe, expect, it } from "vitest"
import { cloudOf, leavesCloud } from "../../../shared/restore/cloudOf.ts"

const hosts = {
  public: "kv.vault.azure.net",
  china: "kv.vault.azure.cn",
  usGovernment: "kv.vault.usgovcloudapi.net",
  germany: "kv.vault.microsoftazure.de",
} as const

describe("cloudOf", () => {
  it.each(Object.entries(hosts).map(([name, host]) => ({ name, host })))(
    "tells $name by the host",
    ({ name, host }) => {
      expect(cloudOf(host)).toBe(name)
      expect(cloudOf(`${host}:8443`)).toBe(name)
    },
  )

  it.each(["127.0.0.1:8443", "kv.vault.azure.net.evil.example", "vault.azure.net.cn", "localhost"])(
    "knows no cloud of %s",
    (host) => expect(cloudOf(host)).toBeUndefined(),
  )
})

describe("leavesCloud", () => {
  it.each([
    { name: "one vault of a cloud to another", from: hosts.china, to: "other.vault.azure.cn", is: false },
    { name: "sovereign to public", from: hosts.usGovernment, to: hosts.public, is: true },
    { name: "public to sovereign", from: hosts.public, to: hosts.china, is: true },
    { name: "sovereign to a host of no cloud", from: hosts.china, to: "127.0.0.1:8443", is: true },
    { name: "public to a host of no cloud", from: hosts.public, to: "127.0.0.1:8443", is: false },
    { name: "a host of no cloud to any", from: "127.0.0.1:8443", to: hosts.public, is: false },
  ])("is $is: $name", ({ from, to, is }) => {
    expect(leavesCloud(from, to)).toBe(is)
  })
})
