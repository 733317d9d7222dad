import { createHash } from "node:crypto"
import { thumbprintOf } from "../certificate/certificateMaterial.ts"
import { formatVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import { type BackupRecord, parseRecord } from "../record/record.ts"
import { type OpeningKey, unsealRecord } from "../record/unsealRecord.ts"
import type { StoreReader } from "../store/storeReader.ts"
import { isWhole } from "./compareRecord.ts"
import type { SelectedRecord } from "./selectRecords.ts"

/** Where records are read and what opens them. */
export interface RecordSource {
  readonly reader: StoreReader
  readonly keys: readonly OpeningKey[]
}

/**
 * Reads and opens a record, and checks that it is the one that its name and the ledger tell of. Safe to repeat. The
 * result holds a secret's value: do not keep it longer than needed.
 *
 * @throws ServiceError ERR_SEAL_INTEGRITY for damage and for a record of another name; ERR_STORE_CONFLICT for one that
 * opens and is not what the ledger tells of, so that a second writer is at work; ERR_FORMAT_NEWER; ERR_SEAL_NO_KEY with
 * the keys that would open it; else as StoreReader and KeyUnwrapper do.
 */
export async function openRecord(
  { object, blob, ledger }: Pick<SelectedRecord, "object" | "blob" | "ledger">,
  { reader, keys }: RecordSource,
): Promise<BackupRecord> {
  const details = { blob }
  if (!ledger) {
    throw new ServiceError("ERR_STORE_CONFLICT", "The blob has no ledger entry of this product", { details })
  }
  const sealed = await reader.read(blob)
  const record = parseRecord(await open(sealed, blob, keys, ledger.kids))
  const damage = (what: string) => new ServiceError("ERR_SEAL_INTEGRITY", what, { details })
  if (record.object.id !== formatVersionUrl(object))
    throw damage("The record is of another version than its name")
  const { certificate } = record
  if (certificate && thumbprintOf(Buffer.from(certificate.cer, "base64")) !== certificate.thumbprint) {
    throw damage("The record's certificate does not have the thumbprint it names")
  }
  if (!isWhole(record)) throw damage("The record's material is not that of its certificate")
  const isOfLedger =
    createHash("sha256").update(sealed).digest("hex") === ledger.sha256 &&
    ledger.changedAt?.getTime() === timeOf(record.attributes.created) &&
    (ledger.isPublicOnly === true) === (certificate?.privateKey === "absentByPolicy")
  if (isOfLedger) return record
  throw new ServiceError(
    "ERR_STORE_CONFLICT",
    "The record opens, and is not the one its ledger entry tells of",
    {
      details,
    },
  )
}

async function open(
  sealed: Uint8Array,
  blob: string,
  keys: readonly OpeningKey[],
  kids: readonly string[],
): Promise<Uint8Array> {
  try {
    return await unsealRecord(sealed, blob, keys)
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== "ERR_SEAL_NO_KEY" || keys.some(isAmong(kids)))
      throw error
    const hint = `Use one of the keys it is sealed to: ${kids.join(", ")}.`
    const { code, details } = error
    throw new ServiceError(code, "No key at hand is a recipient of the record", { details, hint })
  }
}

function isAmong(kids: readonly string[]): (key: OpeningKey) => boolean {
  return ({ kid }) => kids.includes(kid)
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text)
}
