import { X509Certificate } from "node:crypto"
import { readVersion, type VersionReading } from "../backup/readVersion.ts"
import { pemContentType, pkcs12ContentType } from "../certificate/certificateMaterial.ts"
import { formatVersionUrl, type ObjectVersion } from "../change/objectVersion.ts"
import type { Clock } from "../clock.ts"
import { ServiceError } from "../errors.ts"
import type { BackupRecord } from "../record/record.ts"
import { SecretValue } from "../secretValue.ts"
import { restoredTag } from "../vault/restoredTag.ts"
import type { VaultReader } from "../vault/vaultReader.ts"
import { maxTags, type NewCertificate, type VaultWriter } from "../vault/vaultWriter.ts"
import { differencesOf, hasWholeChain, isSame } from "./compareRecord.ts"
import type { Restored, RestoreNote, RestoreTarget, TargetState } from "./restoreTarget.ts"

export interface VaultTargetOptions {
  /** `https://host[:port]`. */
  readonly vault: string
  readonly writer: VaultWriter
  readonly reader: VaultReader
  readonly clock: Clock
}

/** How long to wait before asking again for a version that was made just before. */
const readAfterWriteDelayMs = 500

/**
 * Restores into a vault. A restored version carries the record's content type, tags and attributes, and the tag
 * `kvb-restored-from` with the URL of the version it came from. See RestoreTarget for the promise.
 */
export function createVaultTarget(options: VaultTargetOptions): RestoreTarget {
  const { vault, writer } = options
  return {
    place: { vault, host: new URL(vault).host },
    look: (record, name, { signal } = {}) => look(record, name, options, signal ? { signal } : {}),
    write: async (record, name, { signal } = {}) => {
      const call = signal ? { signal } : {}
      const notes: RestoreNote[] = []
      let made: ObjectVersion
      if (record.certificate) {
        const { object, isPolicyKept } = await writer.importCertificate(
          vault,
          name,
          newCertificate(record),
          call,
        )
        made = object
        if (!isPolicyKept) notes.push({ note: "policyNotKept" })
      } else {
        made = await writer.setSecret(vault, name, newSecret(record), call)
      }
      return { ...(await readBack(record, made, options, call)), notes }
    },
  }
}

interface CallOptions {
  readonly signal?: AbortSignal
}

async function look(
  record: BackupRecord,
  name: string,
  { vault, writer, reader, clock }: VaultTargetOptions,
  call: CallOptions,
): Promise<TargetState> {
  const notes = notesOf(record, clock.now())
  const details = { vault, name }
  const blocked = (error: ServiceError): TargetState => ({ state: "blocked", error, notes })
  const found = await writer.look(vault, name, call)
  if (found.state === "deleted") {
    const what = "The target has a deleted object of that name"
    return blocked(new ServiceError("ERR_RESTORE_TARGET_DELETED", what, { details }))
  }
  if (found.state === "taken") {
    const { current, enabled, tags } = found
    const where = formatVersionUrl(current)
    // Its value cannot be read: only what this product wrote itself, of this very version, is known to be the same.
    if (!enabled && tags[restoredTag] === record.object.id) return { state: "same", where, notes: [] }
    const reading = enabled ? await readVersion(current, reader) : undefined
    if (reading && isSame(record, reading)) {
      const attributes = [
        ...(hasWholeChain(record, reading) ? [] : ["chain"]),
        ...differencesOf(record, reading),
      ]
      return {
        state: "same",
        where,
        notes: attributes.length > 0 ? [{ note: "attributesDiffer", attributes }] : [],
      }
    }
    const what = enabled
      ? "The target has the name already, with other contents"
      : "The target has the name already; its newest version is disabled, so it cannot be compared"
    return blocked(new ServiceError("ERR_RESTORE_TARGET_EXISTS", what, { details }))
  }
  if (record.certificate?.privateKey === "absentByPolicy") {
    const what = "The record holds the certificate's public part only, which no vault imports"
    return blocked(new ServiceError("ERR_VAULT_KEY_NOT_EXPORTABLE", what, { details }))
  }
  if (record.certificate && notes.some(({ note }) => note === "expired")) {
    const what = "The certificate has expired, and no vault imports it any more"
    return blocked(new ServiceError("ERR_RESTORE_CERTIFICATE_EXPIRED", what, { details }))
  }
  return { state: "free", notes }
}

function notesOf(record: BackupRecord, now: Date): RestoreNote[] {
  const notes: RestoreNote[] = []
  if (record.certificate?.privateKey === "absentByPolicy") notes.push({ note: "publicOnly" })
  if (isExpired(record, now)) notes.push({ note: "expired" })
  if (!record.attributes.enabled) notes.push({ note: "disabled" })
  if (!(restoredTag in tagsFor(record))) notes.push({ note: "tagsFull" })
  return notes
}

/** Has the certificate expired, or the secret by its attribute? */
export function isExpired({ certificate, attributes }: BackupRecord, now: Date): boolean {
  const end = certificate
    ? new X509Certificate(Buffer.from(certificate.cer, "base64")).validTo
    : attributes.expires
  return end !== undefined && Date.parse(end) < now.getTime()
}

/** The record's tags and ours. Where they are as many as there can be, the person's own stay and ours is left out. */
function tagsFor({ tags, object }: BackupRecord): Record<string, string> {
  const isFull = Object.keys(tags).length >= maxTags && !(restoredTag in tags)
  return isFull ? { ...tags } : { ...tags, [restoredTag]: object.id }
}

function newSecret(record: BackupRecord) {
  const { value, contentType, attributes } = record
  const { enabled, notBefore, expires } = attributes
  return {
    value: new SecretValue(value),
    ...(contentType === undefined ? {} : { contentType }),
    tags: tagsFor(record),
    enabled,
    ...(notBefore === undefined ? {} : { notBefore: new Date(notBefore) }),
    ...(expires === undefined ? {} : { expires: new Date(expires) }),
  }
}

function newCertificate(record: BackupRecord): NewCertificate {
  const contentType = formatOf(record)
  return {
    material: new SecretValue(record.value),
    contentType,
    tags: tagsFor(record),
    enabled: record.attributes.enabled,
    policy: policyFor(record.certificate?.policy ?? {}, contentType),
  }
}

/** `application/x-pem-file`, or else a PFX, which is what a vault makes of a certificate by default. */
export function formatOf({ contentType, value }: BackupRecord): NewCertificate["contentType"] {
  if (contentType === pemContentType || contentType === pkcs12ContentType) return contentType
  return value.includes("-----BEGIN") ? pemContentType : pkcs12ContentType
}

/**
 * The policy belongs to the certificate as it was when this version was read, and may have changed since the version was
 * made: the version itself says that its key is exportable, and in which format it is. Ids and times are the vault's own.
 */
function policyFor(
  policy: Readonly<Record<string, unknown>>,
  contentType: NewCertificate["contentType"],
): Readonly<Record<string, unknown>> {
  const { id: _id, attributes: _attributes, key_props: keyProperties, ...rest } = policy
  const known = typeof keyProperties === "object" && keyProperties !== null ? keyProperties : {}
  return { ...rest, key_props: { ...known, exportable: true }, secret_props: { contentType } }
}

async function readBack(
  record: BackupRecord,
  made: ObjectVersion,
  { reader, clock }: VaultTargetOptions,
  call: CallOptions,
): Promise<Omit<Restored, "notes">> {
  const where = formatVersionUrl(made)
  if (!record.attributes.enabled) return { where, isCompared: false }
  let reading: VersionReading
  try {
    reading = await readVersion(made, reader)
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== "ERR_VAULT_VERSION_ABSENT") throw error
    await clock.sleep(readAfterWriteDelayMs, call)
    reading = await readVersion(made, reader)
  }
  const differences = [
    ...(isSame(record, reading) ? [] : ["value"]),
    ...(hasWholeChain(record, reading) ? [] : ["chain"]),
    ...differencesOf(record, reading),
  ]
  if (differences.length === 0) return { where, isCompared: true }
  throw new ServiceError("ERR_RESTORE_DIFFERS", `The new version differs in: ${differences.join(", ")}`, {
    details: { object: where },
  })
}
