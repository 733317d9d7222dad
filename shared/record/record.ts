import { z } from "zod"
import type { VersionReading } from "../backup/readVersion.ts"
import { thumbprintOf } from "../certificate/certificateMaterial.ts"
import { type PrivateKeyPresence, privateKeyPresences } from "../certificate/privateKeyPresence.ts"
import type { ChangeEvidence } from "../change/change.ts"
import { formatVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import type { CertificateReading, VersionAttributes } from "../vault/vaultReader.ts"

/** Format name of the records this release writes. Described in `docs/formats.md`. */
export const recordFormat = "keyvault-backup/1"

/** As `Date` writes it, whole seconds or milliseconds. A vault takes an expiry beyond the year 9999. */
const time = z.string().regex(/^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/)

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Not `z.record`: that drops a member named `__proto__`, and names a wrong tag in its error. */
const tagsSchema = z
  .custom<Record<string, string>>(
    (value) => isObject(value) && Object.values(value).every((tag) => typeof tag === "string"),
  )
  .meta({ type: "object", additionalProperties: { type: "string" } })

const policySchema = z.custom<Record<string, unknown>>(isObject).meta({ type: "object" })

const attributesSchema = z.object({
  enabled: z.boolean(),
  created: time.optional(),
  updated: time.optional(),
  notBefore: time.optional(),
  expires: time.optional(),
  recoveryLevel: z.string().optional(),
  recoverableDays: z.number().int().optional(),
})

const certificateSchema = z.object({
  cer: z.base64(),
  policy: policySchema.optional(),
  sid: z.string(),
  kid: z.string().optional(),
  thumbprint: z.string().regex(/^[0-9a-f]{40}$/),
  privateKey: z.enum(privateKeyPresences),
})

/** What a record is, for reading it and for `docs/schemas/record.json`. Members that it does not name are let be. */
export const recordSchema = z.object({
  format: z.literal(recordFormat),
  object: z.object({
    id: z.string(),
    vault: z.string(),
    kind: z.enum(["secret", "certificate"]),
    name: z.string(),
    version: z.string(),
  }),
  attributes: attributesSchema,
  contentType: z.string().optional(),
  tags: tagsSchema,
  managed: z.boolean(),
  value: z.string(),
  certificate: certificateSchema.optional(),
  event: z
    .object({
      id: z.string().optional(),
      type: z.string().optional(),
      time: z.string().optional(),
      topic: z.string().optional(),
    })
    .optional(),
  readAt: time,
})

/**
 * The canonical plaintext of one object version. It holds the secret's value: keep it between the vault's
 * answer and the seal, and never log it.
 */
export type BackupRecord = z.infer<typeof recordSchema>

/**
 * The record of what was read. A certificate's record has the certificate's own attributes and tags, and the value
 * and content type of its secret.
 */
export function buildRecord(
  { object, secret, certificate, privateKey }: VersionReading,
  event: ChangeEvidence | undefined,
  value: string,
  readAt: Date,
): BackupRecord {
  const { attributes, tags } = certificate ?? secret
  return {
    format: recordFormat,
    object: {
      id: formatVersionUrl(object),
      vault: object.vault,
      kind: object.kind,
      name: object.name,
      version: object.version,
    },
    attributes: attributesOf(attributes),
    ...(secret.contentType === undefined ? {} : { contentType: secret.contentType }),
    tags: { ...tags },
    managed: secret.managed,
    value,
    ...(certificate ? { certificate: certificateOf(certificate, privateKey) } : {}),
    ...(event ? { event: { ...event } } : {}),
    readAt: readAt.toISOString(),
  }
}

function certificateOf(
  { cer, policy, secretId, keyId }: CertificateReading,
  privateKey: PrivateKeyPresence = "present",
): BackupRecord["certificate"] {
  return {
    cer: Buffer.from(cer).toString("base64"),
    ...(policy ? { policy: { ...policy } } : {}),
    sid: secretId,
    ...(keyId === undefined ? {} : { kid: keyId }),
    thumbprint: thumbprintOf(cer),
    privateKey,
  }
}

function attributesOf(attributes: VersionAttributes): BackupRecord["attributes"] {
  const { enabled, created, updated, notBefore, expires, recoveryLevel, recoverableDays } = attributes
  return {
    enabled,
    ...(created ? { created: seconds(created) } : {}),
    ...(updated ? { updated: seconds(updated) } : {}),
    ...(notBefore ? { notBefore: seconds(notBefore) } : {}),
    ...(expires ? { expires: seconds(expires) } : {}),
    ...(recoveryLevel === undefined ? {} : { recoveryLevel }),
    ...(recoverableDays === undefined ? {} : { recoverableDays }),
  }
}

/** The vault keeps whole seconds; milliseconds would pretend a precision that is not there. */
function seconds(at: Date): string {
  return at.toISOString().replace(/\.\d{3}Z$/, "Z")
}

/** The record as bytes. JSON keeps every string the vault can hold, lone surrogates included, by escaping. */
export function serializeRecord(record: BackupRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record), "utf8")
}

/**
 * Reads record bytes back.
 *
 * @throws ServiceError ERR_FORMAT_NEWER for another `keyvault-backup/` version; ERR_SEAL_INTEGRITY for bytes that
 * are no record. Neither quotes the content.
 */
export function parseRecord(bytes: Uint8Array): BackupRecord {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    throw new ServiceError("ERR_SEAL_INTEGRITY", "The opened record is not JSON")
  }
  const format =
    typeof json === "object" && json !== null ? (Reflect.get(json, "format") as unknown) : undefined
  if (format !== recordFormat && typeof format === "string" && /^keyvault-backup\/\d+$/.test(format)) {
    throw new ServiceError("ERR_FORMAT_NEWER", `This release reads ${recordFormat}; the record is ${format}`)
  }
  const parsed = recordSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const fields = [...new Set(parsed.error.issues.map(({ path }) => path.join(".") || "(all)"))]
  throw new ServiceError("ERR_SEAL_INTEGRITY", `The opened record has wrong fields: ${fields.join(", ")}`)
}
