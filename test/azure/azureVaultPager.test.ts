import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { formatVersionUrl } from "../../shared/change/objectVersion.ts"
import { toServiceError } from "../../shared/errors.ts"
import { createAzureVaultPager } from "../../shared/vault/azureVaultPager.ts"
import type { Pace } from "../../shared/vault/vaultPager.ts"
import { collect } from "../support/collect.ts"
import { aKeyVault } from "./localAzure.ts"

let vault: Awaited<ReturnType<typeof aKeyVault>>
const ids: string[] = []

beforeAll(async () => {
  vault = await aKeyVault()
  for (let n = 0; n < 30; n++) await vault.set(`Name-${n}`, { value: "x" })
  for (let n = 0; n < 60; n++) ids.push(formatVersionUrl(await vault.set("deep", { value: `${n}` })))
  await vault.setCertificate("tls", {})
})
afterEach(() => vault.faults.clear())
afterAll(() => vault.stop())

function aPager() {
  const seen: { hosts: string[]; codes: string[] } = { hosts: [], codes: [] }
  const pace: Pace = async (host, call) => {
    seen.hosts.push(host)
    try {
      return await call()
    } catch (error) {
      seen.codes.push(toServiceError(error).code)
      return call()
    }
  }
  return { seen, pager: createAzureVaultPager({ ...vault.options("reconcile"), pace }) }
}

describe("createAzureVaultPager", () => {
  it("lists names in lower case, the secrets behind certificates too, a page a call", async () => {
    const { seen, pager } = aPager()
    const pages = await collect(pager.names(vault.vault, "secret"))
    expect(pages.map((page) => page.length)).toEqual([25, 7])
    const names = pages.flat()
    expect(names).toContain("name-29")
    expect(names).toContain("tls")
    expect(await collect(pager.names(vault.vault, "certificate"))).toEqual([["tls"]])
    expect(seen.hosts).toEqual(Array.from({ length: 3 }, () => new URL(vault.vault).host))
  })

  it("lists every version of one object, a page a call", async () => {
    const { seen, pager } = aPager()
    const pages = await collect(pager.versions(vault.vault, "secret", "deep"))
    expect(pages.map((page) => page.length)).toEqual([25, 25, 10])
    expect(
      pages
        .flat()
        .map(({ object }) => formatVersionUrl(object))
        .sort(),
    ).toEqual(ids.toSorted())
    expect(seen.hosts).toHaveLength(3)
    expect((await collect(pager.versions(vault.vault, "secret", "tls"))).flat()).toMatchObject([
      { managed: true },
    ])
  })

  it("lists no version of what is not there", async () => {
    const { pager } = aPager()
    expect((await collect(pager.versions(vault.vault, "secret", "nobody"))).flat()).toEqual([])
    expect((await collect(pager.versions(vault.vault, "certificate", "nobody"))).flat()).toEqual([])
  })

  it.each([
    { status: 429, code: "ERR_VAULT_THROTTLED" },
    { status: 503, code: "ERR_VAULT_UNAVAILABLE" },
  ])("lets the pace try a single page again after $status (C32)", async ({ status, code }) => {
    const { seen, pager } = aPager()
    const match = { path: "skiptoken" }
    vault.faults.add({
      target: "keyvault",
      match,
      effect: "status",
      status,
      code: "X",
      retryAfter: 1,
      count: 1,
    })
    const pages = await collect(pager.versions(vault.vault, "secret", "deep"))
    expect(pages.flat()).toHaveLength(60)
    expect(seen.codes).toEqual([code])
  })

  it("lets the pace try a page again whose connection was cut", async () => {
    const { seen, pager } = aPager()
    vault.faults.add({ target: "keyvault", match: { path: "skiptoken" }, effect: "cut", count: 2 })
    expect((await collect(pager.names(vault.vault, "secret"))).flat()).toHaveLength(32)
    expect(seen.codes).toEqual(["ERR_VAULT_UNAVAILABLE"])
  })

  it("does not take what a proxy answers for an object that is gone", async () => {
    const { pager } = aPager()
    vault.faults.add({ target: "keyvault", effect: "status", status: 404, code: "NotFound" })
    await expect(collect(pager.versions(vault.vault, "secret", "deep"))).rejects.toMatchObject({
      code: "ERR_VAULT_RESPONSE_INVALID",
      details: { name: "deep" },
    })
  })
})
