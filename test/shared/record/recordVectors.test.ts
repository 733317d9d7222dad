import { createHash } from "node:crypto"
import type { JWK } from "jose"
import { describe, expect, it } from "vitest"
import { materialIdentity, openMaterial } from "../../../shared/certificate/certificateMaterial.ts"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { formatChangeMessage } from "../../../shared/change/changeMessage.ts"
import type { Change } from "../../../shared/change/change.ts"
import { parseVersionUrl } from "../../../shared/change/objectVersion.ts"
import { parseChanges } from "../../../shared/change/parseChanges.ts"
import { serializeGapRecord } from "../../../shared/record/gapRecord.ts"
import {
  type BackupRecord,
  buildRecord,
  parseRecord,
  serializeRecord,
} from "../../../shared/record/record.ts"
import { importOpeningKeys, unsealRecord } from "../../../shared/record/unsealRecord.ts"
import { verifyVault } from "../../../shared/restore/verifyVault.ts"
import { parseStoreEntryName } from "../../../shared/store/blobName.ts"
import { formatLedgerEntry, parseLedgerEntry } from "../../../shared/store/ledgerEntry.ts"
import { createMemoryStore } from "../../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import {
  type PlainVector,
  readVector,
  type RecordVector,
  recordVectors,
} from "../../support/recordVectors.ts"

const keys = await importOpeningKeys(readVector("keys") as { keys: JWK[] })
const vectorOf = (name: string) => readVector(name) as RecordVector
const opening = recordVectors.flatMap((name) =>
  vectorOf(name)
    .metadata["kid"]!.split(",")
    .map((kid) => ({ name, kid })),
)

function open({ sealed, blob, metadata }: RecordVector, kid: string): Promise<Uint8Array> {
  const key = keys.filter((each) => each.kid === kid)
  return unsealRecord(Buffer.from(sealed), blob, key, metadata["sha256"])
}

describe("records of format 1, as they lie in stores that nobody can change", () => {
  it.each(opening.filter(({ name }) => name !== "newer"))(
    "open for ever: $name, with $kid",
    async ({ name, kid }) => {
      const vector = vectorOf(name)
      const record = parseRecord(await open(vector, kid))
      expect(record).toEqual(vector.expect)
      expect(Object.entries(record.tags)).toEqual(Object.entries((vector.expect as BackupRecord).tags))
      expect(parseStoreEntryName(vector.blob)).toMatchObject({
        kind: "record",
        object: { version: record.object.version },
      })
      expect(createHash("sha256").update(vector.sealed).digest("hex")).toBe(vector.metadata["sha256"])
    },
  )

  it.each(opening.filter(({ name }) => name !== "newer"))(
    "are what this release still writes, byte for byte: $name, $kid",
    async ({ name, kid }) => {
      const bytes = await open(vectorOf(name), kid)
      const record = parseRecord(bytes)
      expect(Buffer.from(rebuild(record)).toString()).toBe(Buffer.from(bytes).toString())
    },
  )

  it.each(["certificatePfx", "certificatePem", "certificateNotExportable"])(
    "hold a certificate, and the key that belongs to it where the policy lets it out: %s",
    (name) => {
      const { value, contentType, certificate } = vectorOf(name).expect as BackupRecord
      const cer = Buffer.from(certificate?.cer ?? "", "base64")
      const identity = materialIdentity(openMaterial(value, contentType), cer)
      expect(identity?.thumbprint).toBe(certificate?.thumbprint)
      expect(identity?.keyFingerprint === undefined).toBe(certificate?.privateKey === "absentByPolicy")
      expect(name === "certificateNotExportable").toBe(certificate?.privateKey === "absentByPolicy")
    },
  )

  it.each(recordVectors)("have metadata that is read and written back unchanged: %s", (name) => {
    const { metadata } = vectorOf(name)
    const entry = parseLedgerEntry(metadata)
    expect(entry && formatLedgerEntry(entry)).toEqual(metadata)
  })
})

describe("a record of a newer format", () => {
  it.each(opening.filter(({ name }) => name === "newer"))(
    "is told by its name, with $kid",
    async ({ name, kid }) => {
      const bytes = await open(vectorOf(name), kid)
      expect(() => parseRecord(bytes)).toThrow(
        expect.objectContaining({
          code: "ERR_FORMAT_NEWER",
          message: expect.stringMatching(/keyvault-backup\/1.*keyvault-backup\/2/),
        }),
      )
    },
  )

  it("is called neither protected nor broken by verify --deep: it cannot tell", async () => {
    const { blob, sealed, metadata } = vectorOf("newer")
    const store = createMemoryStore()
    await store.putIfAbsent(blob, Buffer.from(sealed), "", metadata)
    const vault = createMemoryVault()
    const found = await verifyVault({
      vault: "https://kv-demo.vault.azure.net",
      vaultCatalog: vault,
      storeCatalog: store,
      clock: fakeClock(),
      graceMs: 0,
      exclude: [],
      deep: { vaultReader: vault, storeReader: store, keys, concurrency: 1 },
    })
    expect(found).toMatchObject([{ finding: "unknown", code: "ERR_FORMAT_NEWER" }])
  })
})

describe("documents of format 1 in the clear", () => {
  it("has a gap record as this release still writes it", () => {
    const {
      body,
      blob,
      expect: wanted,
    } = readVector("gap") as PlainVector & { expect: Record<string, string> }
    expect(JSON.parse(body)).toEqual(wanted)
    const parsed = parseVersionUrl(wanted["id"]!)
    const object = (parsed as Extract<typeof parsed, { object: unknown }>).object
    const change: Change = { object, origin: "live", event: { time: wanted["eventTime"]! } }
    const written = serializeGapRecord(
      change,
      "disabled",
      "ERR_VAULT_VERSION_DISABLED",
      new Date(wanted["triedAt"]!),
    )
    expect(Buffer.from(written).toString()).toBe(body)
    expect(parseStoreEntryName(blob!)).toEqual({ kind: "gap", object, reason: "disabled" })
  })

  it("has a change message that is read, and written back byte for byte", () => {
    const { body, expect: wanted } = readVector("changeMessage") as PlainVector & { expect: Change }
    const [item] = parseChanges(JSON.parse(body), createAllowList(["https://kv-demo.vault.azure.net"]))
    expect(item).toEqual({ kind: "change", change: wanted })
    expect(formatChangeMessage(wanted)).toBe(body)
  })
})

/** The record made again from what a vault would have answered. */
function rebuild(record: BackupRecord): Uint8Array {
  const { object, attributes, contentType, tags, managed, value, certificate, event, readAt } = record
  const at = (text: string | undefined) => (text === undefined ? undefined : new Date(text))
  const readings = Object.fromEntries(
    Object.entries({
      ...attributes,
      created: at(attributes.created),
      updated: at(attributes.updated),
      notBefore: at(attributes.notBefore),
      expires: at(attributes.expires),
    }).filter(([, member]) => member !== undefined),
  ) as { enabled: boolean }
  const shared = { id: "", tags, attributes: readings }
  const { host } = new URL(object.vault)
  return serializeRecord(
    buildRecord(
      {
        object: { ...object, host },
        secret: { ...shared, managed, ...(contentType === undefined ? {} : { contentType }) },
        ...(certificate
          ? {
              certificate: {
                ...shared,
                cer: Buffer.from(certificate.cer, "base64"),
                secretId: certificate.sid,
                ...(certificate.kid === undefined ? {} : { keyId: certificate.kid }),
                ...(certificate.policy ? { policy: certificate.policy } : {}),
              },
              privateKey: certificate.privateKey,
            }
          : {}),
      },
      event as Change["event"],
      value,
      new Date(readAt),
    ),
  )
}
