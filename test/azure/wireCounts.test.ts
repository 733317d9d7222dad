import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { FaultBook } from "../../local/faults/faultBook.ts"
import type { ObjectVersion } from "../../shared/change/objectVersion.ts"
import { createAzureBackupStore } from "../../shared/store/azureBackupStore.ts"
import { formatGapName, formatRecordName } from "../../shared/store/blobName.ts"
import { createAzureVaultReader } from "../../shared/vault/azureVaultReader.ts"
import { aHandler } from "../support/aHandler.ts"
import { anEventOfKind } from "../support/builders.ts"
import { recipientPair } from "../support/recipientPair.ts"
import { aKeyVault, aStorageAccount, container } from "./localAzure.ts"

const pair = await recipientPair("EC", "recovery-1")
let vault: Awaited<ReturnType<typeof aKeyVault>>
let account: Awaited<ReturnType<typeof aStorageAccount>>
/** Every request that reached a server, in order; the vault's are marked while they carry no token. */
const requests: string[] = []

/** The servers ask their faults about each request before anything else. */
function record(faults: FaultBook): void {
  const take = faults.take
  faults.take = (target, request) => {
    const path = request.path?.split("?")[0]
    requests.push(`${request.method} ${path}${request.job === undefined ? " (no token)" : ""}`)
    return take(target, request)
  }
}

beforeAll(async () => {
  vault = await aKeyVault()
  account = await aStorageAccount()
  record(vault.faults)
  record(account.faults)
})
afterAll(async () => {
  await account.stop()
  await vault.stop()
})
beforeEach(() => {
  requests.length = 0
})

/** A worker whose clients have asked for nothing yet. */
const aWorker = () =>
  aHandler({
    vaults: [vault.vault],
    vault: createAzureVaultReader(vault.options("backup")),
    store: createAzureBackupStore(account.options("backup")),
    recipients: [pair.recipient],
  })

const get = ({ kind, name, version }: ObjectVersion) => `GET /${kind}s/${name}/${version}`
const secretOf = (object: ObjectVersion): ObjectVersion => ({ ...object, kind: "secret" })
const put = (blob: string) => `PUT /devstoreaccount1/${container}/${blob}`

/** A worker that has backed up one secret and one certificate, so that its clients know their challenges. */
async function aWarmWorker() {
  const worker = aWorker()
  await worker.deliver(anEventOfKind("Secret", await vault.set("first", { value: "x" })))
  await worker.deliver(anEventOfKind("Certificate", await vault.setCertificate("first-tls", {})))
  requests.length = 0
  return worker
}

describe("what a backup costs on the wire", () => {
  it("is one GET and one PUT for a secret", async () => {
    const worker = await aWarmWorker()
    const object = await vault.set("db-password", { value: "hunter2" })
    requests.length = 0
    await worker.deliver(anEventOfKind("Secret", object))
    expect(requests).toEqual([get(object), put(formatRecordName(object))])
  })

  it("is two GETs and one PUT for a certificate", async () => {
    const worker = await aWarmWorker()
    const object = await vault.setCertificate("tls", {})
    requests.length = 0
    await worker.deliver(anEventOfKind("Certificate", object))
    expect(requests).toEqual([get(object), get(secretOf(object)), put(formatRecordName(object))])
  })

  it("is two GETs and one PUT for the secret of a certificate, the GETs the other way round", async () => {
    const worker = await aWarmWorker()
    const object = await vault.setCertificate("tls-secret", {})
    requests.length = 0
    await worker.deliver(anEventOfKind("Secret", object))
    expect(requests).toEqual([get(secretOf(object)), get(object), put(formatRecordName(object))])
  })

  it("is nothing for a key", async () => {
    const worker = await aWarmWorker()
    const object = await vault.setCertificate("tls-key", {})
    requests.length = 0
    await worker.deliver(anEventOfKind("Key", object))
    expect(requests).toEqual([])
    expect(worker.outcomes().at(-1)).toEqual({ outcome: "skipped", reason: "key-event" })
  })

  it("is the same again for a repeated event: the store is not asked before", async () => {
    const worker = await aWarmWorker()
    const object = await vault.setCertificate("tls-again", {})
    const event = anEventOfKind("Certificate", object)
    await worker.deliver(event)
    requests.length = 0
    await worker.deliver(event)
    expect(requests).toEqual([get(object), get(secretOf(object)), put(formatRecordName(object))])
    expect(worker.outcomes().at(-1)).toEqual({ outcome: "alreadyStored" })
  })

  it("is one GET more for the first call of a client, which brings its challenge", async () => {
    const secret = await vault.set("cold", { value: "x" })
    const certificate = await vault.setCertificate("cold-tls", {})
    requests.length = 0
    const worker = aWorker()
    await worker.deliver(anEventOfKind("Secret", secret))
    await worker.deliver(anEventOfKind("Certificate", certificate))
    expect(requests).toEqual([
      `${get(secret)} (no token)`,
      get(secret),
      put(formatRecordName(secret)),
      `${get(certificate)} (no token)`,
      get(certificate),
      get(secretOf(certificate)),
      put(formatRecordName(certificate)),
    ])
  })

  it("is one GET and one PUT for a disabled secret: nothing is listed to learn more", async () => {
    const worker = await aWarmWorker()
    const object = await vault.set("off", { value: "x", enabled: false })
    requests.length = 0
    await worker.deliver(anEventOfKind("Secret", object))
    expect(requests).toEqual([get(object), put(formatGapName(object, "disabled"))])
  })

  it("C32 thousands of versions, at which other backups fail: one GET and one PUT for a secret that has 501", async () => {
    const worker = await aWarmWorker()
    let object = await vault.set("many", { value: "0" })
    for (let n = 1; n < 501; n++) object = await vault.set("many", { value: `${n}` })
    requests.length = 0
    await worker.deliver(anEventOfKind("Secret", object))
    expect(requests).toEqual([get(object), put(formatRecordName(object))])
    expect(worker.outcomes().at(-1)).toEqual({ outcome: "stored" })
  }, 60_000)
})
