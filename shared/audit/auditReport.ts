import { z } from "zod"
import { origins } from "../change/change.ts"
import { gapReasons } from "../store/blobName.ts"
import { attentions } from "./attention.ts"
import { stages } from "./stages.ts"

/** Format name of the audit report. Described in `docs/formats.md`; what each figure means in `docs/audit.md`. */
export const auditFormat = "kvbackup-audit/1"

const time = z.iso.datetime({ precision: 3 })
const count = z.int().nonnegative()
/** A difference of two clocks, as it is: whole milliseconds, below 0 where the clocks disagree. */
const signedMs = z.int()
const lateness = z.int().nonnegative()

const problemSchema = z.object({
  /** Stable; an `ERR_…` of `docs/errors.md` where a service did not answer. */
  code: z.string(),
  message: z.string(),
  count,
  /** Up to ten names of blobs or queues. */
  samples: z.array(z.string()),
})

const objectiveSchema = z.object({
  /** Versions the objective is about: records of origin `live` and `replay`, records of unknown origin, open gaps. */
  population: count,
  /** Records whose lateness is known. */
  measured: count,
  /** Records whose metadata does not tell how late they were. */
  unmeasured: count,
  /** Measured ones that were stored within the limit. */
  within: count,
  /** Measured ones that were stored later than the limit. */
  breaches: count,
  /** Open gaps: never within the limit, however young. */
  unprotected: count,
  /** The objective's percentile of max(0, latency) over measured and unprotected ones; null where it falls on one that is not protected, or there are none. */
  percentileMs: lateness.nullable(),
  /** Are there enough versions for this percentile to say more than the maximum does? */
  isMeaningful: z.boolean(),
  /** null: there are none to judge, or what is not known could change the answer. */
  met: z.boolean().nullable(),
  /** Versions that may miss the limit, those that did (breaches and unprotected), and the rest, below 0 when overdrawn. */
  budget: z.object({ allowed: count, used: count, left: z.int() }),
  /** Of max(0, latency) of the measured ones alone; null where there are none. */
  latency: z
    .object({
      p50Ms: lateness,
      p90Ms: lateness,
      p95Ms: lateness,
      p99Ms: lateness,
      maxMs: lateness,
      isP99Meaningful: z.boolean(),
    })
    .nullable(),
  /** Measured ones whose raw latency is below 0: two clocks disagree. */
  skewed: count,
  /** The least raw latency, where one is below 0. */
  skewMs: signedMs.nullable(),
})

const openGapSchema = z.object({
  id: z.string(),
  blob: z.string(),
  vault: z.string(),
  reason: z.enum(gapReasons),
  code: z.string().optional(),
  /** The earliest time that is known of the change. */
  since: time,
  /** When the gap was recorded, by the service's clock. */
  witnessedAt: time,
})

const vaultSchema = z.object({
  /** `https://host[:port]`. */
  vault: z.string(),
  /** Only in a report about this moment; `unknown` where a part of the answer could not be read. */
  protectedUpTo: z.union([time, z.literal("unknown")]).optional(),
  /** Where `protectedUpTo` is unknown: a time at which some change is known to be unprotected. */
  notProtectedAfter: time.optional(),
  /** All versions stored before the end of the query. */
  records: count,
  firstPutAt: time.optional(),
  lastPutAt: time.optional(),
  openGapCount: count,
  /** The oldest, 200 at most. */
  openGaps: z.array(openGapSchema),
  publicOnlyCount: count,
  /** Certificates whose policy keeps the private key in the vault: ids in order, 200 at most. */
  publicOnly: z.array(z.string()),
  objective: objectiveSchema,
})

const groupSchema = z.object({
  /** null: all vaults. */
  vault: z.string().nullable(),
  origin: z.enum(origins),
  /** null: all; true and false are there only where some of the group were deferred. */
  deferred: z.boolean().nullable(),
  stage: z.enum(stages),
  count,
  /** How many differences are below 0; of `putToWitness` below -999, since the service cuts its time to seconds. */
  negative: count,
  minMs: signedMs,
  p50Ms: signedMs,
  p90Ms: signedMs,
  p95Ms: signedMs,
  p99Ms: signedMs,
  maxMs: signedMs,
  /** With fewer than 100 values the p99 is the maximum. */
  isP99Meaningful: z.boolean(),
})

const stageTimesSchema = z.object(
  Object.fromEntries(stages.map((stage) => [stage, signedMs.nullable()])) as Record<
    (typeof stages)[number],
    z.ZodNullable<typeof signedMs>
  >,
)

const storySchema = z.object({
  id: z.string(),
  blob: z.string(),
  vault: z.string(),
  origin: z.enum(origins),
  attempt: count,
  replays: count,
  /** Raw: event (or, without one, change) to put. */
  latencyMs: signedMs,
  isBreach: z.boolean(),
  isPublicOnly: z.boolean(),
  stages: stageTimesSchema,
  times: z.object({
    changedAt: time.nullable(),
    eventAt: time.nullable(),
    enqueuedAt: time.nullable(),
    receivedAt: time.nullable(),
    readAt: time.nullable(),
    putAt: time,
    /** The service's own time of creation, in whole seconds. */
    witnessedAt: time,
  }),
  eventId: z.string().nullable(),
  kids: z.array(z.string()),
  sha256: z.string(),
  sizeBytes: count,
})

const bucketSchema = z.object({
  /** The versions that the service witnessed in [from, to). */
  from: time,
  to: time,
  /** Measured versions of the objective. */
  count,
  p50Ms: lateness.nullable(),
  p99Ms: lateness.nullable(),
  maxMs: lateness.nullable(),
  breaches: count,
  /** Gaps recorded then that are still open. */
  openGaps: count,
})

const binSchema = z.object({
  fromMs: lateness,
  /** null: no upper end. */
  toMs: lateness.nullable(),
  count,
})

const causeSchema = z.object({
  cause: z.string(),
  count,
  oldest: time.optional(),
  next: time.optional(),
})

const queuesSchema = z.object({
  waiting: count,
  deferred: count,
  deadLettered: count,
  quarantined: count,
  /** When the oldest message that waits or is deferred first entered the queue. */
  oldestAt: time.optional(),
  deferredBy: z.array(causeSchema),
  deadLetteredBy: z.array(causeSchema),
  quarantinedBy: z.array(causeSchema),
  /** False when a queue has more messages than were looked at. */
  complete: z.boolean(),
})

/** The report as a document: for `--json`, for the page, and for `docs/schemas/auditReport.json`. */
export const auditReportSchema = z.object({
  format: z.literal(auditFormat),
  query: z.object({
    /** Absent: from the first blob on. */
    since: time.optional(),
    /** The end of the period. Versions are in it by the time at which the service witnessed them: [since, until). */
    until: time,
    /** True where the query named its end: then nothing in the report is about the moment it was made. */
    isClosed: z.boolean(),
    objective: z.object({ percentile: z.number(), limitMs: count }),
    vaults: z.array(z.string()),
  }),
  /** False when something that was asked for could not be told; `problems` says what. */
  complete: z.boolean(),
  problems: z.array(problemSchema),
  /** What needs attention, of what is known. */
  attention: z.array(z.enum(attentions)),
  objective: objectiveSchema,
  vaults: z.array(vaultSchema),
  /** Vaults that the store has blobs of and the query does not name, 50 at most. */
  otherVaults: z.array(z.object({ vault: z.string(), records: count, gaps: count })),
  groups: z.array(groupSchema),
  /** The latest of the objective's records, the worst first. */
  worst: z.array(storySchema),
  /** In order of time; what has neither versions nor gaps is left out: idle is not lag. */
  timeline: z.array(bucketSchema),
  /** Of max(0, latency) of the objective's records, from the first to the last bin that is not empty. */
  histogram: z.array(binSchema),
  /** Only in a report about this moment. */
  queues: queuesSchema.optional(),
  /** Where a canary is set up or was ever stored. */
  canary: z
    .object({
      /** When the newest canary was set that made the whole way; null: none has. */
      lastChangedAt: time.nullable(),
      /** At the end of the query. */
      ageMs: count.nullable(),
      lastLatencyMs: signedMs.nullable(),
      /** Older than two of its periods: changes do not get through, or none is sent. */
      isOverdue: z.boolean(),
    })
    .optional(),
  /** Blobs by prefix up to the end of the query; records and gaps of the vaults asked about. null: not looked at. */
  prefixes: z.object({
    records: count,
    gaps: count,
    digest: count.nullable(),
    journal: count.nullable(),
    reconcile: count.nullable(),
    drill: count.nullable(),
    probe: count.nullable(),
    foreign: count.nullable(),
  }),
})

export type AuditReport = z.infer<typeof auditReportSchema>
export type AuditProblem = z.infer<typeof problemSchema>
export type AuditObjective = z.infer<typeof objectiveSchema>
export type AuditVault = z.infer<typeof vaultSchema>
export type AuditOpenGap = z.infer<typeof openGapSchema>
export type AuditGroup = z.infer<typeof groupSchema>
/** One version from its change to its proof. */
export type AuditStory = z.infer<typeof storySchema>
export type AuditBucket = z.infer<typeof bucketSchema>
export type AuditBin = z.infer<typeof binSchema>
export type AuditQueues = z.infer<typeof queuesSchema>
export type AuditCanary = NonNullable<AuditReport["canary"]>
