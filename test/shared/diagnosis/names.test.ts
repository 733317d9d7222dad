import { describe, expect, it } from "vitest"
import { azureNamesOf } from "../../../shared/diagnosis/azureNames.ts"
import { classifyNames } from "../../../shared/diagnosis/names.ts"

describe("classifyNames", () => {
  const host = "payments.vault.azure.net"
  it.each([
    { addresses: ["10.0.0.4"], is: "private" },
    { addresses: ["172.16.0.1", "172.31.255.255", "192.168.1.1"], is: "private" },
    { addresses: ["100.64.0.1"], is: "private" },
    { addresses: ["fd00::1", "fe80::1"], is: "private" },
    { addresses: ["172.32.0.1"], is: "public" },
    { addresses: ["20.61.103.226", "2603:1030::1"], is: "public" },
    { addresses: ["10.0.0.4", "20.61.103.226"], is: "mixed" },
    { addresses: ["10.0.0.4", "2603:1030::1"], is: "mixed" },
    { addresses: [], is: "none" },
    { addresses: ["127.0.0.1"], is: "none" },
    { addresses: ["0.0.0.0"], is: "none" },
    { addresses: ["::1"], is: "none" },
  ])("takes $addresses of a vault for $is", ({ addresses, is }) => {
    expect(classifyNames(host, { addresses, aliases: [] })).toBe(is)
  })

  it.each(["localhost", "127.0.0.1"])("takes loopback for private where the host itself is %s", (host) => {
    expect(classifyNames(host, { addresses: ["127.0.0.1", "::1"], aliases: [] })).toBe("private")
  })
})

describe("azureNamesOf", () => {
  it.each([
    { kind: "vault", host: "kv.vault.azure.net", zone: "privatelink.vaultcore.azure.net" },
    { kind: "vault", host: "kv.vault.azure.cn", zone: "privatelink.vaultcore.azure.cn" },
    { kind: "vault", host: "kv.vault.usgovcloudapi.net", zone: "privatelink.vaultcore.usgovcloudapi.net" },
    { kind: "store", host: "kv.blob.core.windows.net", zone: "privatelink.blob.core.windows.net" },
    {
      kind: "deadLetter",
      host: "kv.blob.core.chinacloudapi.cn",
      zone: "privatelink.blob.core.chinacloudapi.cn",
    },
    { kind: "queue", host: "kv.servicebus.windows.net", zone: "privatelink.servicebus.windows.net" },
  ] as const)("knows the private zone of $host", ({ kind, host, zone }) => {
    expect(azureNamesOf(kind, host)).toMatchObject({ name: "kv", zone })
  })
})
