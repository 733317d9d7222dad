import { createHash } from "node:crypto"
import { readVersion } from "../../shared/backup/readVersion.ts"
import { formatVersionUrl, type ObjectVersion } from "../../shared/change/objectVersion.ts"
import { type BackupRecord, buildRecord, recordFormat } from "../../shared/record/record.ts"
import type { Recipient } from "../../shared/record/recipients.ts"
import { sealRecord } from "../../shared/record/sealRecord.ts"
import { formatGapName, formatRecordName, sealNameOf } from "../../shared/store/blobName.ts"
import { type BlobMetadata, formatLedgerEntry } from "../../shared/store/ledgerEntry.ts"
import { createMemoryStore, type MemoryStore } from "../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
import { type Chain, certificateReadings } from "./aChain.ts"
import { anObject, aReading } from "./builders.ts"
import { recipientPair } from "./recipientPair.ts"

const pair = await recipientPair("EC", "recovery-1")

/** What a record is made of; what is left out is that of a plain secret. */
export interface StoredSecret {
  readonly value?: string
  readonly created?: string
  readonly eventAt?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly enabled?: boolean
  readonly notBefore?: string
  readonly expires?: string
}

/** How a stored record is wrong. */
export interface StoredWrongly {
  readonly format?: string
  readonly sealedAs?: string
  /** `null`: no metadata at all. */
  readonly metadata?: BlobMetadata | null
  readonly alter?: (sealed: Uint8Array) => Uint8Array
  readonly change?: (record: BackupRecord) => BackupRecord
}

/** A store in memory, and what puts records into it as backup does. */
export function storedRecords(
  store: MemoryStore = createMemoryStore(),
  recipients: readonly Recipient[] = [pair.recipient],
) {
  const put = async (
    object: ObjectVersion,
    record: BackupRecord,
    { eventAt }: StoredSecret,
    wrongly: StoredWrongly,
  ) => {
    const { format = recordFormat, sealedAs, metadata } = wrongly
    const { alter = (sealed) => sealed, change = (same) => same } = wrongly
    const blob = formatRecordName(object)
    const plain = Buffer.from(JSON.stringify({ ...change(record), format }))
    const sealed = await sealRecord(plain, sealNameOf(sealedAs ?? blob), recipients)
    const { created } = record.attributes
    const ledger = formatLedgerEntry({
      ...(created === undefined ? {} : { changedAt: new Date(created) }),
      ...(eventAt === undefined ? {} : { eventAt: new Date(eventAt) }),
      putAt: new Date("2026-03-02T00:00:00Z"),
      origin: "live",
      attempt: 1,
      replays: 0,
      kids: recipients.map(({ kid }) => kid),
      format,
      sha256: createHash("sha256").update(sealed).digest("hex"),
      ...(record.certificate?.privateKey === "absentByPolicy" ? { isPublicOnly: true } : {}),
    })
    await store.putIfAbsent(blob, alter(sealed), "", metadata === null ? {} : { ...ledger, ...metadata })
    return { object, blob, id: formatVersionUrl(object), record }
  }
  return {
    store,
    source: { reader: store, keys: [pair.openingKey] },
    secret: async (
      of: Parameters<typeof anObject>[0] = {},
      secret: StoredSecret = {},
      wrongly: StoredWrongly = {},
    ) => {
      const object = anObject(of)
      const {
        value = "hunter2",
        created = "2026-03-01T10:00:00Z",
        enabled = true,
        tags = { owner: "team-a" },
      } = secret
      const { contentType = "text/plain", notBefore, expires } = secret
      const vault = createMemoryVault()
      const attributes = {
        enabled: true,
        created: new Date(created),
        ...(notBefore === undefined ? {} : { notBefore: new Date(notBefore) }),
        ...(expires === undefined ? {} : { expires: new Date(expires) }),
      }
      vault.set(object, aReading({ value, tags, contentType, attributes }))
      const read = buildRecord(await readVersion(object, vault), undefined, value, new Date(created))
      return put(object, { ...read, attributes: { ...read.attributes, enabled } }, secret, wrongly)
    },
    certificate: async (
      of: Parameters<typeof anObject>[0],
      chain: Chain,
      readings: Parameters<typeof certificateReadings>[1] = {},
      wrongly: StoredWrongly = {},
    ) => {
      const object = anObject({ kind: "certificate", ...of })
      const vault = createMemoryVault()
      const { certificate, secret } = certificateReadings(chain, readings)
      vault.setCertificate(object, certificate)
      vault.set({ ...object, kind: "secret" }, secret)
      const reading = await readVersion(object, vault)
      const value = secret.value?.reveal() ?? ""
      return put(object, buildRecord(reading, undefined, value, new Date()), {}, wrongly)
    },
    gap: async (
      of: Parameters<typeof anObject>[0],
      reason: "disabled" | "gone",
      eventAt: string,
      changedAt?: string,
    ) => {
      const object = anObject(of)
      const metadata = formatLedgerEntry({
        ...(changedAt === undefined ? {} : { changedAt: new Date(changedAt) }),
        eventAt: new Date(eventAt),
        putAt: new Date(eventAt),
        origin: "live",
        attempt: 1,
        replays: 0,
        kids: [],
        format: "keyvault-gap/1",
        sha256: "0".repeat(64),
        code: "ERR_VAULT_VERSION_DISABLED",
      })
      await store.putIfAbsent(formatGapName(object, reason), Buffer.from("{}"), "", metadata)
      return formatVersionUrl(object)
    },
  }
}
