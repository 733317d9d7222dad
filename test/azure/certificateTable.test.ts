import { X509Certificate } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  isChainComplete,
  materialIdentity,
  openMaterial,
} from "../../shared/certificate/certificateMaterial.ts"
import { formatVersionUrl, type ObjectVersion } from "../../shared/change/objectVersion.ts"
import { parseRecord } from "../../shared/record/record.ts"
import { unsealRecord } from "../../shared/record/unsealRecord.ts"
import { verifyVault } from "../../shared/restore/verifyVault.ts"
import { createAzureBackupStore } from "../../shared/store/azureBackupStore.ts"
import { createAzureStoreCatalog } from "../../shared/store/azureStoreCatalog.ts"
import { createAzureStoreReader } from "../../shared/store/azureStoreReader.ts"
import { formatRecordName } from "../../shared/store/blobName.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { createAzureVaultCatalog } from "../../shared/vault/azureVaultCatalog.ts"
import { createAzureVaultReader } from "../../shared/vault/azureVaultReader.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
import { systemClock } from "../../shared/clock.ts"
import {
  aChain,
  type Chain,
  certificateReadings,
  contentTypes,
  type KeyKind,
  keyKinds,
  materialOf,
  newKey,
} from "../support/aChain.ts"
import { aHandler } from "../support/aHandler.ts"
import { anEventOfKind, anObject, vault as vaultUrl } from "../support/builders.ts"
import { recipientPair } from "../support/recipientPair.ts"
import { aKeyVault, aStorageAccount } from "./localAzure.ts"

const pair = await recipientPair("EC", "recovery-1")
/** RSA keys take long to make: each is made once. */
const keys = new Map(keyKinds.map((kind) => [kind, newKey(kind)]))

const table = keyKinds.flatMap((kind) =>
  contentTypes.flatMap((contentType) =>
    [true, false].flatMap((exportable) =>
      [1, 2, 3].map((length) => ({
        name: `${kind}, ${contentType === "application/x-pkcs12" ? "PKCS#12" : "PEM"}, ${exportable ? "exportable" : "not exportable"}, chain of ${length}`,
        kind: kind as KeyKind,
        contentType,
        exportable,
        length,
      })),
    ),
  ),
)

describe("a certificate, from its import through vault, handler and store to the opened record", () => {
  let vault: Awaited<ReturnType<typeof aKeyVault>>
  let account: Awaited<ReturnType<typeof aStorageAccount>>
  let handler: ReturnType<typeof aHandler>
  const made = new Map<string, { readonly object: ObjectVersion; readonly chain: Chain }>()

  beforeAll(async () => {
    vault = await aKeyVault()
    account = await aStorageAccount()
    handler = aHandler({
      vaults: [vault.vault],
      vault: createAzureVaultReader(vault.options("backup")),
      store: createAzureBackupStore(account.options("backup")),
      recipients: [pair.recipient],
    })
    for (const [index, { name, kind, contentType, exportable, length }] of table.entries()) {
      const chain = aChain({ key: keys.get(kind)!, length })
      // The root comes first, so that who takes the first certificate for the leaf is wrong.
      const value = materialOf(chain.key, chain.certificates.toReversed(), contentType)
      const object = await vault.importCertificate(`tls-${index}`, { value, contentType, exportable })
      made.set(name, { object, chain })
    }
  })
  afterAll(async () => {
    await account.stop()
    await vault.stop()
  })

  it.each(table)("$name", async ({ name, contentType, exportable, kind }) => {
    const { object, chain } = made.get(name)!
    await handler.deliver(anEventOfKind("Certificate", object))
    expect(handler.outcomes().at(-1)).toEqual({ outcome: "stored" })

    const blob = formatRecordName(object)
    const { body = Buffer.alloc(0), metadata = {} } = (await account.look(blob)) ?? {}
    const record = parseRecord(await unsealRecord(body, blob, [pair.openingKey], metadata["sha256"]))
    expect(record.object.id).toBe(formatVersionUrl(object))
    expect(record.contentType).toBe(contentType)
    expect(metadata["privatekey"]).toBe(exportable ? undefined : "absentByPolicy")
    expect(record.certificate?.privateKey).toBe(exportable ? "present" : "absentByPolicy")

    const cer = Buffer.from(record.certificate?.cer ?? "", "base64")
    expect(cer.equals(chain.certificates[0])).toBe(true)
    const material = openMaterial(record.value, record.contentType)
    expect(materialIdentity(material, cer)?.thumbprint).toBe(record.certificate?.thumbprint)
    expect(material.certificates).toHaveLength(chain.certificates.length)
    expect(isChainComplete(cer, material.certificates)).toBe(true)
    expect(material.privateKeys.map((key) => key.equals(chain.key))).toEqual(exportable ? [true] : [])
    expect(material.privateKeys.every((key) => new X509Certificate(cer).checkPrivateKey(key))).toBe(true)

    const { asymmetricKeyDetails, asymmetricKeyType } = new X509Certificate(cer).publicKey
    const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {}
    const curve = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" }[namedCurve ?? ""]
    expect(asymmetricKeyType === "rsa" ? `RSA-${modulusLength}` : curve).toBe(kind)
  })

  it("makes verify --deep call half of them protected and the other half public part only", async () => {
    const found = await verifyVault({
      vault: vault.vault,
      vaultCatalog: createAzureVaultCatalog(vault.options("verify")),
      storeCatalog: createAzureStoreCatalog(account.options("verify")),
      clock: systemClock,
      graceMs: 0,
      exclude: [],
      deep: {
        vaultReader: createAzureVaultReader(vault.options("verify")),
        storeReader: createAzureStoreReader(account.options("verify")),
        keys: [pair.openingKey],
        concurrency: 4,
      },
    })
    const told = found.map(({ finding, chain }) => `${finding}, ${chain}`)
    expect(told.filter((text) => text === "protected, complete")).toHaveLength(table.length / 2)
    expect(told.filter((text) => text === "publicOnly, complete")).toHaveLength(table.length / 2)
    expect(told).toHaveLength(table.length)
  })
})

describe("a certificate whose vault sends the chain in any order", () => {
  const chain = aChain({ length: 3 })
  const [a, b, c] = chain.certificates as unknown as [Buffer, Buffer, Buffer]
  const orders = {
    abc: [a, b, c],
    acb: [a, c, b],
    bac: [b, a, c],
    bca: [b, c, a],
    cab: [c, a, b],
    cba: [c, b, a],
  }
  const cases = contentTypes.flatMap((contentType) =>
    Object.entries(orders).map(([order, ders]) => ({ order, ders, contentType })),
  )

  it.each(cases)("has its leaf found: $order, $contentType", async ({ ders, contentType }) => {
    const object = anObject({ kind: "certificate", name: "tls" })
    const memory = createMemoryVault()
    const store = createMemoryStore()
    const readings = certificateReadings(chain, {
      contentType,
      value: materialOf(chain.key, ders, contentType),
    })
    memory.setCertificate(object, readings.certificate)
    memory.set({ ...object, kind: "secret" }, readings.secret)
    const handler = aHandler({ vaults: [vaultUrl], vault: memory, store, recipients: [pair.recipient] })
    await handler.deliver(anEventOfKind("Secret", object))
    expect(handler.outcomes()).toEqual([{ outcome: "stored" }])
    const blob = formatRecordName(object)
    const record = parseRecord(await unsealRecord(await store.read(blob), blob, [pair.openingKey]))
    const { certificates, privateKeys } = openMaterial(record.value, record.contentType)
    expect(certificates.map(({ raw }) => raw)).toEqual(ders)
    expect(materialIdentity({ certificates, privateKeys }, a)).toMatchObject({
      thumbprint: record.certificate?.thumbprint,
      keyFingerprint: expect.any(String),
    })
  })
})
