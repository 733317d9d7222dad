import tls from "node:tls"
import { inspect } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createAzureHttpClient } from "../../shared/azureHttpClient.ts"
import { type ObjectVersion, parseVersionUrl } from "../../shared/change/objectVersion.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { createAzureVaultReader } from "../../shared/vault/azureVaultReader.ts"
import { aChain, materialOf, newKey } from "../support/aChain.ts"
import { aHandler } from "../support/aHandler.ts"
import { anEventOfKind } from "../support/builders.ts"
import { createCanary, findCanaries, randomCanaryText } from "../support/canary.ts"
import { collect } from "../support/collect.ts"
import { recipientPair } from "../support/recipientPair.ts"
import { type GarbageAnswer, type GarbageVault, startGarbageVault } from "../support/startGarbageVault.ts"

type Answer = (id: string) => GarbageAnswer

const pair = await recipientPair("EC", "recovery-1")
const canary = createCanary(randomCanaryText())
const said = canary.value
const version = "0123456789abcdef0123456789abcdef"
const other = "fedcba9876543210fedcba9876543210"
const chain = aChain()
const cer = chain.certificates[0].toString("base64")

const json = (body: object): GarbageAnswer => ({ body: JSON.stringify(body) })
const page = (status: number): GarbageAnswer => ({
  status,
  contentType: "text/html",
  body: `<html><body>Proxy: ${said}</body></html>`,
})
const secret = (id: string, more: object = {}) =>
  json({ value: said, id, contentType: "text/plain", attributes: { enabled: true }, ...more })

/** Answers to the GET of a secret or certificate version that are none. */
const nonsense: Readonly<Record<string, { readonly answer: Answer; readonly code: string }>> = {
  "JSON that breaks off": {
    answer: () => ({ body: `{"value": "${said}", "id": "https:` }),
    code: "ERR_VAULT_RESPONSE_INVALID",
  },
  "nothing at all": { answer: () => ({ body: "" }), code: "ERR_VAULT_RESPONSE_INVALID" },
  "204 with nothing": { answer: () => ({ status: 204, body: "" }), code: "ERR_VAULT_RESPONSE_INVALID" },
  "a list": { answer: () => ({ body: JSON.stringify([said]) }), code: "ERR_VAULT_RESPONSE_INVALID" },
  null: { answer: () => ({ body: "null" }), code: "ERR_VAULT_RESPONSE_INVALID" },
  "the page of a proxy with 200": { answer: () => page(200), code: "ERR_VAULT_RESPONSE_INVALID" },
  "the page of a proxy with 404": { answer: () => page(404), code: "ERR_VAULT_RESPONSE_INVALID" },
  "the page of a proxy with 403": { answer: () => page(403), code: "ERR_VAULT_FORBIDDEN" },
  "the page of a proxy with 502": { answer: () => page(502), code: "ERR_VAULT_UNAVAILABLE" },
  "the page of a proxy with 407": { answer: () => page(407), code: "ERR_UNKNOWN" },
  "a redirect to a page to sign in": {
    answer: () => ({ ...page(302), location: "https://sign-in.invalid/" }),
    code: "ERR_VAULT_RESPONSE_INVALID",
  },
  "200 with an error in it": {
    answer: () =>
      json({ error: { code: "Forbidden", message: said, innererror: { code: "ForbiddenByRbac" } } }),
    code: "ERR_VAULT_RESPONSE_INVALID",
  },
  "200 with a SecretNotFound in it": {
    answer: () => json({ error: { code: "SecretNotFound", message: said } }),
    code: "ERR_VAULT_RESPONSE_INVALID",
  },
  "no id": { answer: () => json({ value: said, cer }), code: "ERR_VAULT_RESPONSE_INVALID" },
  "an id that is no text": { answer: (id) => secret(id, { id: 5, cer }), code: "ERR_VAULT_RESPONSE_INVALID" },
  "an id that is a text of its own": {
    answer: (id) => secret(id, { id: said, cer }),
    code: "ERR_VAULT_RESPONSE_INVALID",
  },
  "another version": {
    answer: (id) => secret(id.replace(version, other), { cer, sid: id }),
    code: "ERR_VAULT_RESPONSE_INVALID",
  },
  "another name": {
    answer: (id) => secret(id.replace(/\/[^/]+\/([0-9a-f]+)$/, "/other/$1"), { cer, sid: id }),
    code: "ERR_VAULT_RESPONSE_INVALID",
  },
  "another vault": {
    answer: (id) => secret(id.replace(/127.0.0.1:\d+/, "kv-other.vault.azure.net"), { cer, sid: id }),
    code: "ERR_VAULT_RESPONSE_INVALID",
  },
  "another collection": {
    answer: (id) =>
      secret(
        id.includes("/secrets/")
          ? id.replace("secrets", "certificates")
          : id.replace("certificates", "secrets"),
        {
          cer,
          sid: id,
        },
      ),
    code: "ERR_VAULT_RESPONSE_INVALID",
  },
}

const sidOf = (id: string) => id.replace("/certificates/", "/secrets/")
const certificate = (id: string, more: object = {}) =>
  json({
    id,
    sid: sidOf(id),
    kid: id.replace("certificates", "keys"),
    cer,
    attributes: { enabled: true },
    ...more,
  })
const material = (id: string, value: string) =>
  secret(id, { value, contentType: "application/x-pkcs12", managed: true })

/** Answers about a certificate that are one, but not of this certificate. */
const halves: Readonly<Record<string, { readonly certificate?: Answer; readonly secret?: Answer }>> = {
  "no cer": { certificate: (id) => certificate(id, { cer: undefined }) },
  "an empty cer": { certificate: (id) => certificate(id, { cer: "" }) },
  "a cer that is no certificate": {
    certificate: (id) => certificate(id, { cer: Buffer.from(said).toString("base64") }),
  },
  "no sid": { certificate: (id) => certificate(id, { sid: undefined }) },
  "a sid that is a text of its own": { certificate: (id) => certificate(id, { sid: said }) },
  "a sid in another vault": {
    certificate: (id) => certificate(id, { sid: `https://evil.example/secrets/x/${version}` }),
  },
  "a sid of another secret": {
    certificate: (id) => certificate(id, { sid: sidOf(id).replace(/\/[^/]+\/([0-9a-f]+)$/, "/other/$1") }),
  },
  "a secret with the key of another": {
    secret: (id) => material(id, materialOf(newKey(), chain.certificates)),
  },
  "a secret with another certificate": {
    secret: (id) => material(id, materialOf(chain.key, aChain().certificates)),
  },
  "a secret with text": { secret: (id) => material(id, said) },
  "a secret with an empty value": { secret: (id) => material(id, "") },
  "a secret of another version": {
    secret: (id) => material(id.replace(version, other), materialOf(chain.key, chain.certificates)),
  },
  "the page of a proxy for the secret": { secret: () => page(200) },
}

let count = 0
const slug = () => `case-${count++}`
const answers: Record<string, Answer> = {}
const cases = [
  ...Object.entries(nonsense).flatMap(([name, { answer, code }]) =>
    (["Secret", "Certificate"] as const).map((kind) => {
      const object = slug()
      answers[object] = answer
      return { name: `${kind.toLowerCase()}: ${name}`, kind, object, code }
    }),
  ),
  ...Object.entries(halves).map(([name, half]) => {
    const object = slug()
    answers[object] = (id) =>
      id.includes("/certificates/")
        ? (half.certificate ?? certificate)(id)
        : (half.secret ?? ((at) => material(at, materialOf(chain.key, chain.certificates))))(id)
    return {
      name: `certificate: ${name}`,
      kind: "Certificate" as const,
      object,
      code: "ERR_VAULT_RESPONSE_INVALID",
    }
  }),
]

describe("a vault that answers nonsense", () => {
  let vault: GarbageVault
  const before = tls.getCACertificates("default")
  const httpClient = createAzureHttpClient()
  const reader = createAzureVaultReader({
    credential: { getToken: async () => ({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 }) },
    httpClient,
    challengeCheck: false,
  })
  beforeAll(async () => {
    vault = await startGarbageVault({
      ...answers,
      good: (id) =>
        id.includes("/certificates/")
          ? certificate(id)
          : material(id, materialOf(chain.key, chain.certificates)),
    })
    tls.setDefaultCACertificates([...before, vault.caPem])
  })
  afterAll(async () => {
    await httpClient.close()
    await vault.stop()
    tls.setDefaultCACertificates(before)
  })

  const objectOf = (kind: "Secret" | "Certificate", name: string): ObjectVersion => {
    const parsed = parseVersionUrl(`${vault.url}/${kind.toLowerCase()}s/${name}/${version}`)
    if (!("object" in parsed)) throw new TypeError("no version URL")
    return parsed.object
  }

  async function play(kind: "Secret" | "Certificate", name: string) {
    const store = createMemoryStore()
    const handler = aHandler({ vaults: [vault.url], vault: reader, store, recipients: [pair.recipient] })
    await handler.deliver(anEventOfKind(kind, objectOf(kind, name)))
    return { handler, blobs: await collect(store.list("")) }
  }

  it.each(cases)(
    "is deferred with what was wrong, and stored as nothing: $name",
    async ({ kind, object, code }) => {
      const { handler, blobs } = await play(kind, object)
      expect(handler.outcomes()).toEqual([{ outcome: "deferred", code }])
      expect(blobs).toEqual([])
      expect(handler.quarantine.sent).toEqual([])
      expect(handler.changes.sent).toMatchObject([
        { properties: { "kvb-last-code": code, "kvb-attempt": "1" } },
      ])
      const places = new Map([
        ["log", Buffer.from(handler.log.lines.join("\n"))],
        ["messages", Buffer.from(JSON.stringify(handler.changes.sent))],
      ])
      expect(findCanaries(places, [canary])).toEqual([])
    },
  )

  it.each(cases)("is told in an error that quotes nothing of it: $name", async ({ kind, object }) => {
    const of = objectOf(kind, object)
    const read = kind === "Secret" ? reader.readSecret(of) : reader.readCertificate(of)
    const error = await read.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    const shown = Buffer.from(
      `${inspect(error, { depth: 20, showHidden: true })}${JSON.stringify(error) ?? ""}`,
    )
    expect(findCanaries(new Map([["error", shown]]), [canary])).toEqual([])
    expect(String(error)).not.toContain(said)
  })

  it("is told from one that answers well: the same server, the same adapter", async () => {
    const { handler, blobs } = await play("Certificate", "good")
    expect(handler.outcomes()).toEqual([{ outcome: "stored" }])
    expect(blobs).toHaveLength(1)
  })
})
