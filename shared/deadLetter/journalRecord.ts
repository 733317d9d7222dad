// One blob of the replay journal, format keyvault-replay-journal/1: docs/formats.md.
import { createHash } from "node:crypto"
import { z } from "zod"
import { ServiceError } from "../errors.ts"
import type { BlobMetadata } from "../store/ledgerEntry.ts"
import { keyOf, sourceNames } from "./deadLetter.ts"
import { replayActions } from "./decide.ts"

const journalFormat = "keyvault-replay-journal/1"

export const journalPrefix = "journal/v1/"

/**
 * How far a batch is. `intent`: written before anything is sent. `sent`: all copies were accepted. `completed`: the
 * broker confirmed that the originals are gone.
 */
export const journalPhases = ["intent", "sent", "completed"] as const

export type JournalPhase = (typeof journalPhases)[number]

/** Which batch a blob is about, and who wrote it. */
export interface JournalName {
  /** Digest of the plan. */
  readonly plan: string
  readonly batch: number
  readonly phase: JournalPhase
  readonly run: string
}

const itemSchema = z.object({
  place: z.string(),
  /** Sequence number, or `BLOB#INDEX`. */
  id: z.string(),
  messageId: z.string().optional(),
  at: z.iso
    .datetime()
    .transform((text) => new Date(text))
    .optional(),
  source: z.enum(sourceNames),
  cause: z.string(),
  action: z.enum(replayActions),
  /** Version URLs. */
  objects: z.array(z.string()),
  /** What is sent in its place. */
  copies: z.array(z.object({ queue: z.enum(["changes", "quarantine"]), messageId: z.string() })),
  /** Entries of the blob that it stands in. */
  entries: z.int().optional(),
  /** It was not found any more, without having been sent. */
  isGone: z.boolean().optional(),
})

/** One message of a batch: ids, codes and times, nothing of its body. */
export type JournalItem = z.infer<typeof itemSchema>

/** A blob of the journal. */
export const journalSchema = z.object({
  format: z.literal(journalFormat),
  at: z.iso.datetime(),
  items: z.array(itemSchema),
})

/** The key of the letter that an item is about. */
export function keyOfItem({ place, id, messageId, at }: JournalItem): string {
  return keyOf({
    place,
    id,
    ...(messageId === undefined ? {} : { messageId }),
    ...(at ? { at } : {}),
  })
}

/** `journal/v1/PLAN/BATCH.PHASE.RUN.json`. */
export function formatJournalName({ plan, batch, phase, run }: JournalName): string {
  return `${journalPrefix}${plan}/${String(batch).padStart(6, "0")}.${phase}.${run}.json`
}

/** Reads a name back; `undefined` for a blob that is none of the journal. */
export function parseJournalName(name: string): JournalName | undefined {
  const match = /^journal\/v1\/([0-9a-f]{64})\/(\d{6})\.(intent|sent|completed)\.([\w-]{1,64})\.json$/.exec(
    name,
  )
  const phase = journalPhases.find((known) => known === match?.[3])
  if (!match || !phase) return undefined
  const [, plan = "", batch, , run = ""] = match
  return { plan, batch: Number(batch), phase, run }
}

/** The blob of one phase: its bytes, and metadata by which a listing tells what is in it. */
export function formatJournalBlob(
  items: readonly JournalItem[],
  at: Date,
): { readonly body: Uint8Array; readonly metadata: BlobMetadata } {
  const body = Buffer.from(JSON.stringify({ format: journalFormat, at: at.toISOString(), items }))
  const count = (action: string) => String(items.filter((item) => item.action === action).length)
  return {
    body,
    metadata: {
      format: journalFormat,
      putat: at.toISOString(),
      sha256: createHash("sha256").update(body).digest("hex"),
      items: String(items.length),
      send: count("send"),
      remove: count("remove"),
      quarantine: count("quarantine"),
      eventgrid: String(items.filter(({ source }) => source === "event-grid").length),
    },
  }
}

/**
 * Reads the items of a journal blob.
 *
 * @throws ServiceError ERR_FORMAT_NEWER for what this release does not read.
 */
export function parseJournalBlob(name: string, body: Uint8Array): readonly JournalItem[] {
  const details = { blob: name }
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(body))
  } catch {
    json = undefined
  }
  const parsed = journalSchema.safeParse(json)
  if (parsed.success) return parsed.data.items
  throw new ServiceError("ERR_FORMAT_NEWER", "The journal has a record this release does not read", {
    details,
  })
}
