import { KeyClient } from "@azure/keyvault-keys"
import { flattenedVerify, importJWK, type JWK } from "jose"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { createAzureDigestKey } from "../../shared/digest/azureDigestKey.ts"
import { openDigestKeys } from "../../shared/digest/azureDigestParts.ts"
import { parseDigestKeySources, type VaultKeySource } from "../../shared/digest/digestKeySource.ts"
import { judgeProof } from "../../shared/digest/proof.ts"
import { proveDigests } from "../../shared/digest/proveDigests.ts"
import { type Digest, signDigest } from "../../shared/digest/signedDigest.ts"
import { writeMissingDigests } from "../../shared/digest/writeDigests.ts"
import { createAzureBackupStore } from "../../shared/store/azureBackupStore.ts"
import { createAzureStoreCatalog } from "../../shared/store/azureStoreCatalog.ts"
import { createAzureStoreReader } from "../../shared/store/azureStoreReader.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { aKeyVault, aStorageAccount, credentialOf } from "./localAzure.ts"

let vault: Awaited<ReturnType<typeof aKeyVault>>
let account: Awaited<ReturnType<typeof aStorageAccount>>
let keys: KeyClient

beforeAll(async () => {
  ;[vault, account] = await Promise.all([aKeyVault(), aStorageAccount()])
  keys = new KeyClient(vault.vault, credentialOf("user", "vault"), {
    disableChallengeResourceVerification: true,
  })
})
afterAll(() => Promise.all([vault.stop(), account.stop()]))
afterEach(() => {
  vault.faults.clear()
  vault.access.setFirewall({ keyvault: "open" })
})

const sourceOf = (url: string) => parseDigestKeySources(url)![0] as VaultKeySource
const digest: Digest = {
  format: "keyvault-digest/1",
  store: "s",
  day: "2026-11-24",
  entries: { count: 0, sha256: "0".repeat(64) },
  lists: [],
  madeAt: "2026-11-25T00:30:00.000Z",
}

describe("createAzureDigestKey", () => {
  it.each([
    ["ES256", "a-p256", () => keys.createEcKey("a-p256", { curve: "P-256" })],
    ["ES384", "A-P384", () => keys.createEcKey("A-P384", { curve: "P-384" })],
    ["ES512", "a-p521", () => keys.createEcKey("a-p521", { curve: "P-521" })],
    ["PS256", "an-rsa", () => keys.createRsaKey("an-rsa", { keySize: 2048 })],
  ])("signs with %s so that any JWS tool can verify", async (alg, name, create) => {
    const created = await create()
    const { signer } = createAzureDigestKey(sourceOf(`${vault.vault}/keys/${name}`), vault.options("audit"))
    const jws = JSON.parse(Buffer.from(await signDigest(digest, signer)).toString())
    const { n, e, x, y, crv } = created.key!
    const text = (bytes?: Uint8Array) => bytes && Buffer.from(bytes).toString("base64url")
    const jwk = n ? { kty: "RSA", n: text(n), e: text(e) } : { kty: "EC", crv, x: text(x), y: text(y) }
    const { protectedHeader } = await flattenedVerify(jws, await importJWK(jwk as JWK, alg))
    expect(protectedHeader).toEqual({ alg, kid: created.id!.toLowerCase(), typ: "kvb-digest+json" })
  })

  it("signs with the newest version, and trusts every version of the key, but of no other", async () => {
    await keys.createEcKey("turning", { curve: "P-256" })
    const url = `${vault.vault}/keys/turning`
    const opened = createAzureDigestKey(sourceOf(url), vault.options("audit"))
    const first = await opened.signer.describe()
    await keys.createEcKey("turning", { curve: "P-384" })
    const second = await opened.signer.describe()
    expect(second.kid).not.toBe(first.kid)
    expect([first.alg, second.alg]).toEqual(["ES256", "ES384"])
    await expect(opened.trusted.find(first.kid)).resolves.toMatchObject({ alg: "ES256" })
    await expect(opened.trusted.find(second.kid)).resolves.toMatchObject({ alg: "ES384" })
    const pinned = createAzureDigestKey(sourceOf(first.kid), vault.options("audit"))
    await expect(pinned.signer.describe()).resolves.toEqual(first)
    await expect(pinned.trusted.find(second.kid)).resolves.toBeUndefined()
    await keys.createEcKey("another", { curve: "P-256" })
    const another = await keys.getKey("another")
    await expect(opened.trusted.find(another.id!)).resolves.toBeUndefined()
    await expect(opened.trusted.find(`${url}/${"0".repeat(32)}`)).resolves.toBeUndefined()
  })

  it("sends no request to a host that a digest names", async () => {
    const { trusted } = createAzureDigestKey(sourceOf(`${vault.vault}/keys/turning`), vault.options("audit"))
    vault.faults.add({ target: "keyvault", effect: "delay", delayMs: 0 })
    await expect(trusted.find(`https://evil.example/keys/turning/${"0".repeat(32)}`)).resolves.toBeUndefined()
    expect(vault.faults.list()[0]?.hits).toBe(0)
  })

  it.each([
    ["absent", "nothing-here", "audit", "ERR_DIGEST_KEY"],
    ["not for this identity", "turning", "backup", "ERR_VAULT_FORBIDDEN"],
  ] as const)("says that the key is %s, by code and with its name", async (_what, name, job, code) => {
    const { signer } = createAzureDigestKey(sourceOf(`${vault.vault}/keys/${name}`), vault.options(job))
    await expect(signer.describe()).rejects.toMatchObject({
      code,
      details: { key: `${vault.vault}/keys/${name}` },
    })
  })

  it("says that the key is disabled, or out of reach", async () => {
    const { id, properties } = await keys.createEcKey("resting", { curve: "P-256" })
    await keys.updateKeyProperties("resting", properties.version!, { enabled: false })
    const resting = createAzureDigestKey(sourceOf(id!), vault.options("audit"))
    await expect(signDigest(digest, resting.signer)).rejects.toMatchObject({ code: "ERR_DIGEST_KEY" })
    vault.access.setFirewall({ keyvault: "closed" })
    const { signer } = createAzureDigestKey(sourceOf(`${vault.vault}/keys/turning`), vault.options("audit"))
    await expect(signer.describe()).rejects.toMatchObject({ code: "ERR_VAULT_FIREWALL" })
  })
})

describe("digests in Blob storage, signed in Key Vault", () => {
  it("are chained over a rotation by the identity of audit alone, and proved", async () => {
    await keys.createEcKey("ledger", { curve: "P-384" })
    const sources = parseDigestKeySources(`${vault.vault}/keys/ledger`)!
    const store = account.options("audit")
    // Days that are long over, since the service dates the digests itself.
    const clock = fakeClock(new Date(Date.now() - 5 * 86_400_000).toISOString())
    const parts = {
      ...(await openDigestKeys(sources, vault.options("audit"))),
      storeName: `${store.url}/${store.container}`,
      catalog: createAzureStoreCatalog(store),
      reader: createAzureStoreReader(store),
      store: createAzureBackupStore(store),
      clock,
    }
    const name = `v1/h/secrets/s/${"1".repeat(32)}.jwe.json`
    await createAzureBackupStore(account.options("backup")).putIfAbsent(name, Buffer.from("x"), "", {
      putat: "p",
    })
    const kids = new Set<string>()
    for (let days = 0; days < 3; days++) {
      for (const { kid } of (await writeMissingDigests(parts)).written) kids.add(kid)
      await keys.createEcKey("ledger", { curve: "P-256" })
      clock.advance(86_400_000)
    }
    expect(kids.size).toBe(3)
    clock.advance(-86_400_000)
    const proof = await proveDigests(parts, "all")
    expect(proof.findings).toEqual([])
    expect(proof.days).toHaveLength(3)
    expect(judgeProof(proof)).toBe("proved")
  })
})
