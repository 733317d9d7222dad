import { createHttpHeaders, type HttpClient } from "@azure/core-rest-pipeline"
import { describe, expect, it } from "vitest"
import { loadSettings } from "../../shared/config.ts"
import { formatVersionUrl } from "../../shared/change/objectVersion.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { createAzureVaultCatalog } from "../../shared/vault/azureVaultCatalog.ts"
import { createAzureVaultReader } from "../../shared/vault/azureVaultReader.ts"
import { aHandler } from "../support/aHandler.ts"
import { anEventGridEvent, anObject } from "../support/builders.ts"
import { collect } from "../support/collect.ts"
import { recipientPair } from "../support/recipientPair.ts"

const pair = await recipientPair("EC", "recovery-1")

/** The clouds and the audience that a vault's challenge names in each. */
const clouds = [
  { name: "Azure", suffix: "vault.azure.net", resource: "https://vault.azure.net" },
  { name: "Azure in China", suffix: "vault.azure.cn", resource: "https://vault.azure.cn" },
  {
    name: "Azure Government",
    suffix: "vault.usgovcloudapi.net",
    resource: "https://vault.usgovcloudapi.net",
  },
  {
    name: "Azure in Germany",
    suffix: "vault.microsoftazure.de",
    resource: "https://vault.microsoftazure.de",
  },
]

/** A vault behind a port of HTTP: it asks for a token of `resource`, then answers each GET with a secret. */
function aCloud(resource: string) {
  const hosts: string[] = []
  const scopes: string[] = []
  const httpClient: HttpClient = {
    sendRequest: async (request) => {
      const url = new URL(request.url)
      hosts.push(url.host)
      const isKnown = request.headers.get("authorization") === `Bearer token of ${resource}`
      const challenge = `Bearer authorization="https://login.example/tenant", resource="${resource}"`
      const isList = !/[0-9a-f]{32}$/.test(url.pathname)
      const body = isList
        ? { value: [] }
        : { value: "hunter2", id: `${url.origin}${url.pathname}`, attributes: { enabled: true } }
      return {
        request,
        status: isKnown ? 200 : 401,
        headers: createHttpHeaders(
          isKnown ? { "content-type": "application/json" } : { "www-authenticate": challenge },
        ),
        bodyAsText: isKnown ? JSON.stringify(body) : "",
      }
    },
  }
  const credential = {
    getToken: async (asked: string | string[]) => {
      const [scope = ""] = [asked].flat()
      scopes.push(scope)
      return {
        token: `token of ${scope.replace(/\/+\.default$/, "")}`,
        expiresOnTimestamp: Date.now() + 3_600_000,
      }
    },
  }
  return { hosts, scopes, options: { credential, httpClient, challengeCheck: true } }
}

describe.each(clouds)("a vault of $name", ({ suffix, resource }) => {
  const host = `kv-demo.${suffix}`
  const object = anObject({ host })
  const vault = `https://${host}`

  it("is allowed by BACKUP_VAULTS, and read with tokens of the audience its challenge names", async () => {
    const { BACKUP_VAULTS: vaults = [] } = loadSettings({ BACKUP_VAULTS: vault }, ["BACKUP_VAULTS"])
    const { hosts, scopes, options } = aCloud(resource)
    const store = createMemoryStore()
    const reader = createAzureVaultReader(options)
    const handler = aHandler({ vaults, vault: reader, store, recipients: [pair.recipient] })
    const event = anEventGridEvent(object)
    const topic = event.topic.replace("kv-test", "kv-demo")
    await handler.deliver({ ...event, topic, data: { ...event.data, VaultName: "kv-demo" } })
    expect(handler.outcomes()).toEqual([{ outcome: "stored" }])
    expect((await collect(store.list(""))).map(({ name }) => name)).toEqual([
      `v1/${host}/secrets/${object.name}/${object.version}.jwe.json`,
    ])
    expect(new Set(hosts)).toEqual(new Set([host]))
    expect(scopes).toEqual([`${resource}/.default`])
  })

  it("is read and listed under BACKUP_VAULT_AUDIENCE, whatever stands at the end of it", async () => {
    for (const given of [resource, `${resource}/`]) {
      const { BACKUP_VAULT_AUDIENCE: audience = "" } = loadSettings({ BACKUP_VAULT_AUDIENCE: given }, [])
      const { scopes, options } = aCloud(resource)
      await createAzureVaultReader({ ...options, audience }).readSecret(object)
      await collect(createAzureVaultCatalog({ ...options, audience }).listSecretVersions(vault))
      expect(scopes).toEqual([`${resource}/.default`, `${resource}/.default`])
    }
  })

  it("gets no token under the audience of another cloud, and the error names the setting", async () => {
    const { scopes, options } = aCloud(resource)
    const reader = createAzureVaultReader({ ...options, audience: "https://vault.example.org" })
    await expect(reader.readSecret(object)).rejects.toMatchObject({
      code: "ERR_VAULT_CHALLENGE",
      message: expect.stringContaining("BACKUP_VAULT_AUDIENCE, https://vault.example.org"),
    })
    expect(scopes).toEqual([])
  })
})

describe("BACKUP_VAULT_AUDIENCE", () => {
  const object = anObject({ host: "vault.corp.example" })

  it("makes a vault readable whose host does not tell its audience, and without it no token is asked for", async () => {
    const { scopes, options } = aCloud("https://vault.azure.cn")
    await expect(createAzureVaultReader(options).readSecret(object)).rejects.toMatchObject({
      code: "ERR_VAULT_CHALLENGE",
      details: { object: formatVersionUrl(object) },
    })
    expect(scopes).toEqual([])
    const reader = createAzureVaultReader({ ...options, audience: "https://vault.azure.cn" })
    await expect(reader.readSecret(object)).resolves.toMatchObject({ managed: false })
    expect(scopes).toEqual(["https://vault.azure.cn/.default"])
  })

  it.each([
    { name: "storage", resource: "https://storage.azure.com" },
    { name: "management", resource: "https://management.azure.com" },
    { name: "a host that begins alike", resource: "https://vault.azure.net.evil.example" },
    { name: "nothing but a path more", resource: "https://vault.azure.net/x" },
  ])("lets a challenge have no token of $name", async ({ resource }) => {
    const { scopes, options } = aCloud(resource)
    const reader = createAzureVaultReader({ ...options, audience: "https://vault.azure.net" })
    await expect(reader.readSecret(anObject())).rejects.toMatchObject({ code: "ERR_VAULT_CHALLENGE" })
    expect(scopes).toEqual([])
  })
})
