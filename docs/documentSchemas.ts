import { z } from "zod"
import { auditFormat, auditReportSchema } from "../shared/audit/auditReport.ts"
import { origins } from "../shared/change/change.ts"
import { journalSchema } from "../shared/deadLetter/journalRecord.ts"
import { planSchema } from "../shared/deadLetter/planFile.ts"
import { digestFormat, digestSchema, signedDigestSchema } from "../shared/digest/signedDigest.ts"
import { reconcileSchema } from "../shared/reconcile/reconcileRecord.ts"
import { gapFormat, gapRecordSchema } from "../shared/record/gapRecord.ts"
import { recordFormat, recordSchema } from "../shared/record/record.ts"
import { sealedSchema } from "../shared/record/unsealRecord.ts"

const time = z.iso.datetime({ precision: 3 })
const count = z.string().regex(/^\d{1,9}$/)

/** Metadata of a blob as the product writes it. It reads metadata with more tolerance. */
const metadataSchema = z.object({
  changedat: time.optional(),
  eventat: time.optional(),
  enqueuedat: time.optional(),
  receivedat: time.optional(),
  readat: time.optional(),
  putat: time,
  origin: z.enum(origins),
  attempt: count,
  replays: count,
  eventid: z
    .string()
    .regex(/^[A-Za-z0-9._:/=+-]{1,128}$/)
    .optional(),
  kid: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .optional(),
  format: z.enum([recordFormat, gapFormat]),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  code: z
    .string()
    .regex(/^ERR_[A-Z_]+$/)
    .optional(),
  privatekey: z.literal("absentByPolicy").optional(),
})

/** A change message as a sender writes it. The product reads names with stray spaces and in any case, too. */
const changeMessageSchema = z.object({
  change: z.object({
    format: z.literal("keyvault-change/1"),
    id: z
      .string()
      .max(512)
      .regex(/^https:\/\/[^/]+\/(secrets|certificates)\/[0-9A-Za-z-]{1,127}\/[0-9A-Fa-f]{32}$/),
    origin: z.enum(origins),
    eventId: z.string().max(256).optional(),
    eventType: z.string().max(256).optional(),
    eventTime: z.string().max(64).optional(),
    topic: z.string().max(1024).optional(),
  }),
})

/** One line of a digest's lists, and of the listing in a copy. */
const digestEntrySchema = z.object({
  createdAt: time,
  metadata: z.record(z.string(), z.string()),
  name: z.string(),
  size: z.int().min(0),
})

const documents = {
  record: { title: `Record ${recordFormat}`, schema: recordSchema },
  sealedRecord: { title: "Sealed record: general JWE JSON", schema: sealedSchema },
  gapRecord: { title: `Gap record ${gapFormat}`, schema: gapRecordSchema },
  changeMessage: { title: "Change message keyvault-change/1", schema: changeMessageSchema },
  replayPlan: { title: "Replay plan keyvault-replay-plan/1", schema: planSchema },
  replayJournal: { title: "Replay journal keyvault-replay-journal/1", schema: journalSchema },
  reconcile: { title: "Reconciliation keyvault-reconcile/1", schema: reconcileSchema },
  digest: { title: `Digest ${digestFormat}: what is signed`, schema: digestSchema },
  signedDigest: { title: "Signed digest: flattened JWS JSON", schema: signedDigestSchema },
  digestEntry: { title: "Entry of a digest", schema: digestEntrySchema },
  auditReport: { title: `Audit report ${auditFormat}`, schema: auditReportSchema },
  metadata: { title: "Metadata of a blob", schema: metadataSchema },
} as const

/** Names of the documents that have a JSON Schema in `docs/schemas`. */
export type DocumentName = keyof typeof documents

export const documentNames = Object.keys(documents) as DocumentName[]

/** The JSON Schema (draft 2020-12) of one document, as text. Members that it does not name are allowed. */
export function renderSchema(name: DocumentName): string {
  const { title, schema } = documents[name]
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })
  return `${layOut({ $schema, title, description: `Generated from the code; fields are told in docs/formats.md.`, ...rest }, "")}\n`
}

/** JSON as the formatter of this project lays it out: objects over several lines, short lists on one. */
function layOut(value: unknown, indent: string): string {
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    const line = `[${value.map((element) => JSON.stringify(element)).join(", ")}]`
    const isFlat = value.every((element) => typeof element !== "object")
    if (isFlat && line.length + indent.length < 80) return line
    return `[\n${value.map((element) => `${inner}${layOut(element, inner)}`).join(",\n")}\n${indent}]`
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  if (members.length === 0) return "{}"
  const lines = members.map(([key, member]) => `${inner}${JSON.stringify(key)}: ${layOut(member, inner)}`)
  return `{\n${lines.join(",\n")}\n${indent}}`
}
