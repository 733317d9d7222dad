// The golden files of record format 1, test/vectors/record-v1. Writes them: node test/support/recordVectors.ts --new
// A file that is there already is never written again: it stands for blobs that nobody can change.
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { JWK } from "jose"
import type { Change } from "../../shared/change/change.ts"
import { formatChangeMessage } from "../../shared/change/changeMessage.ts"
import type { ObjectVersion } from "../../shared/change/objectVersion.ts"
import { serializeGapRecord } from "../../shared/record/gapRecord.ts"
import { type BackupRecord, buildRecord, serializeRecord } from "../../shared/record/record.ts"
import { importRecipients, type PublicJwk } from "../../shared/record/recipients.ts"
import { sealRecord } from "../../shared/record/sealRecord.ts"
import { formatGapName, formatRecordName, sealNameOf } from "../../shared/store/blobName.ts"
import { formatLedgerEntry } from "../../shared/store/ledgerEntry.ts"
import { aChain, materialOf, newKey } from "./aChain.ts"
import { recipientPair } from "./recipientPair.ts"

/** A sealed record as it lies in a store, with what opening it must give. */
export interface RecordVector {
  readonly blob: string
  readonly metadata: Readonly<Record<string, string>>
  /** The bytes of the blob, as text. */
  readonly sealed: string
  readonly expect: BackupRecord | "ERR_FORMAT_NEWER"
}

/** A document that is stored or sent in the clear, with what reading it must give. */
export interface PlainVector {
  readonly blob?: string
  /** Its bytes, as text. */
  readonly body: string
  readonly expect: unknown
}

/** Names of the files that hold records. */
export const recordVectors = [
  "secret",
  "secretLeast",
  "certificatePfx",
  "certificatePem",
  "certificateNotExportable",
  "newer",
] as const

/** One of the golden files, parsed. */
export function readVector(name: string): unknown {
  return JSON.parse(readFileSync(fileOf(name), "utf8"))
}

const fileOf = (name: string) => fileURLToPath(new URL(`../vectors/record-v1/${name}.json`, import.meta.url))
const host = "kv-demo.vault.azure.net"
const vault = `https://${host}`
const version = "0123456789abcdef0123456789abcdef"
const readAt = new Date("2026-01-05T10:00:01.234Z")
const event = {
  id: "e-1",
  type: "Microsoft.KeyVault.SecretNewVersionCreated",
  time: "2026-01-05T10:00:00.1234567Z",
  topic: "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-demo",
}
const attributes = {
  enabled: true,
  created: new Date("2026-01-05T10:00:00Z"),
  updated: new Date("2026-01-05T10:00:00Z"),
  notBefore: new Date("2026-01-01T00:00:00Z"),
  expires: new Date("+010000-01-01T00:00:00Z"),
  recoveryLevel: "Recoverable+Purgeable",
  recoverableDays: 90,
}
const secret: ObjectVersion = { vault, host, kind: "secret", name: "db-conn", version }
const certificate: ObjectVersion = { ...secret, kind: "certificate", name: "tls" }

function secretRecord(): BackupRecord {
  const reading = {
    id: "",
    tags: { owner: "team-a", rødgrød: "æ", ["__proto__"]: "", "1x": "line1\nline2" },
    contentType: 'text/ключ; 鍵="🔑"',
    attributes,
    managed: false,
  }
  return buildRecord(
    { object: secret, secret: reading },
    event,
    "\uFEFFinvented\r\n\0 %41 👩‍👩‍👧 \u2028\n",
    readAt,
  )
}

function leastRecord(): BackupRecord {
  const reading = { id: "", tags: {}, attributes: { enabled: true }, managed: false }
  return buildRecord({ object: { ...secret, name: "a" }, secret: reading }, undefined, "", readAt)
}

function certificateRecord(
  contentType: "application/x-pkcs12" | "application/x-pem-file",
  exportable: boolean,
) {
  const key = newKey(contentType === "application/x-pkcs12" ? "RSA-2048" : "P-384")
  const { certificates } = aChain({ key, length: 2 })
  return buildRecord(
    {
      object: certificate,
      secret: { id: "", tags: {}, attributes: { enabled: true }, contentType, managed: true },
      certificate: {
        id: "",
        cer: certificates[0],
        secretId: `${vault}/secrets/tls/${version}`,
        keyId: `${vault}/keys/tls/${version}`,
        policy: {
          key_props: { exportable, reuse_key: false },
          issuer: { name: "Unknown" },
          lifetime_actions: [],
        },
        tags: { owner: "team-c" },
        attributes,
      },
      privateKey: exportable ? "present" : "absentByPolicy",
    },
    { ...event, type: "Microsoft.KeyVault.CertificateNewVersionCreated" },
    materialOf(exportable ? key : undefined, certificates, contentType),
    readAt,
  )
}

async function sealed(record: BackupRecord, keys: readonly JWK[], plain: Uint8Array): Promise<RecordVector> {
  const blob = formatRecordName({ ...record.object, host } as ObjectVersion)
  const recipients = await importRecipients(keys as PublicJwk[])
  const bytes = await sealRecord(plain, sealNameOf(blob), recipients)
  const isPublicOnly = record.certificate?.privateKey === "absentByPolicy"
  const metadata = formatLedgerEntry({
    changedAt: attributes.created,
    readAt,
    putAt: readAt,
    origin: "live",
    attempt: 1,
    replays: 0,
    kids: recipients.map(({ kid }) => kid),
    format: record.format,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    ...(isPublicOnly ? { isPublicOnly } : {}),
  })
  return { blob, metadata, sealed: Buffer.from(bytes).toString("utf8"), expect: record }
}

async function makeVectors(): Promise<Readonly<Record<string, unknown>>> {
  const pairs = [await recipientPair("EC", "test-only-ec"), await recipientPair("RSA", "test-only-rsa")]
  const both = pairs.map(({ publicJwk }) => publicJwk)
  const [ec] = both
  const seal = (record: BackupRecord, keys: readonly JWK[] = both) =>
    sealed(record, keys, serializeRecord(record))
  const least = leastRecord()
  const newer = Buffer.from(JSON.stringify({ ...least, format: "keyvault-backup/2", value: { parts: [] } }))
  const change: Change = { object: secret, origin: "reconcile", event }
  return {
    keys: { keys: pairs.map(({ privateJwk }) => privateJwk) },
    secret: await seal(secretRecord()),
    secretLeast: await seal(least, ec ? [ec] : []),
    certificatePfx: await seal(certificateRecord("application/x-pkcs12", true)),
    certificatePem: await seal(certificateRecord("application/x-pem-file", true)),
    certificateNotExportable: await seal(certificateRecord("application/x-pkcs12", false)),
    newer: { ...(await sealed(least, both, newer)), expect: "ERR_FORMAT_NEWER" },
    gap: {
      blob: formatGapName(secret, "disabled"),
      body: Buffer.from(
        serializeGapRecord(change, "disabled", "ERR_VAULT_VERSION_DISABLED", readAt),
      ).toString(),
      expect: {
        format: "keyvault-gap/1",
        id: `${vault}/secrets/db-conn/${version}`,
        reason: "disabled",
        code: "ERR_VAULT_VERSION_DISABLED",
        eventTime: event.time,
        triedAt: "2026-01-05T10:00:01.234Z",
      },
    } satisfies PlainVector,
    changeMessage: { body: formatChangeMessage(change), expect: change } satisfies PlainVector,
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes("--new")) {
  for (const [name, vector] of Object.entries(await makeVectors())) {
    if (!existsSync(fileOf(name))) writeFileSync(fileOf(name), `${JSON.stringify(vector, null, 2)}\n`)
  }
}
