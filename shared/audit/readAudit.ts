import { type ServiceError, toServiceError } from "../errors.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import { findAttention } from "./attention.ts"
import { auditFormat, type AuditQueues, type AuditReport, type AuditVault } from "./auditReport.ts"
import { earlier } from "./causes.ts"
import { createLedgerFigures } from "./ledgerFigures.ts"
import type { Objective } from "./objective.ts"
import type { OpenGap } from "./openGaps.ts"
import { countQueues, peekQueues, type QueuesToPeek } from "./peekQueues.ts"
import type { PendingChange } from "./pendingChanges.ts"
import { createProblems, type Problems } from "./problems.ts"
import { type LedgerLine, readLedger, type VersionLine } from "./readLedger.ts"
import { versionKey } from "./versionKey.ts"

/** What is asked: versions that the service witnessed in [since, until), judged by an objective. */
export interface AuditQuery {
  /** Absent: from the first blob on. */
  readonly since?: Date
  readonly until: Date
  /** True when the end was named. Then the report is the same whenever it is made, and says nothing of the queues. */
  readonly isClosed: boolean
  readonly objective: Objective
  /** `https://host[:port]` of each vault, once. */
  readonly vaults: readonly string[]
  /** Look at the blobs of these vaults alone, one listing each, and not for blobs that do not belong there. */
  readonly isNarrow?: boolean
}

export interface ReadAuditOptions {
  readonly query: AuditQuery
  readonly store: StoreCatalog
  readonly queues: QueuesToPeek
  /** Is a canary sent? Then its absence is told too. */
  readonly hasCanary: boolean
  /** Called with each version of the period as it is read; the next one waits for it. */
  readonly onVersion?: (line: VersionLine & { readonly kind: "record" }) => void | Promise<void>
  /** Called with each open gap when all was read. */
  readonly onGap?: (gap: OpenGap) => void | Promise<void>
  readonly signal?: AbortSignal
}

/**
 * Makes the report from the queues and one pass over the store's listing. Reads only; safe to repeat.
 *
 * The queues are looked at first: a change that is stored in between is then found stored, never lost from sight. What
 * cannot be read, or not be believed, is among the problems, and the report is not complete then.
 *
 * @throws ServiceError when the store cannot be listed at all.
 */
export async function readAudit(options: ReadAuditOptions): Promise<AuditReport> {
  const { query, hasCanary } = options
  const problems = createProblems()
  const { queues, changes, isKnown } = query.isClosed
    ? { queues: undefined, changes: [], isKnown: true }
    : await lookIntoQueues(options.queues, problems)
  const figures = createLedgerFigures({
    vaults: query.vaults,
    objective: query.objective,
    ...(query.since ? { since: query.since } : {}),
    problems,
    seesAll: query.isNarrow !== true,
  })
  const waiting = new Map<string, PendingChange>()
  for (const change of changes) {
    const key = versionKey(change.object)
    const changedAt = earlier(waiting.get(key)?.changedAt, change.changedAt)
    waiting.set(key, { object: change.object, changedAt })
  }
  const ledger = readWhole(options, problems)
  let isWhole = true
  for await (const line of ledger) {
    if (line === "broken") isWhole = false
    else {
      const isAskedFor = figures.add(line)
      if (line.kind === "record") {
        waiting.delete(versionKey(line.object))
        if (isAskedFor) await options.onVersion?.(line)
      }
    }
  }
  for (const vault of options.onGap ? query.vaults : [])
    for (const gap of figures.gaps.list(vault)) await options.onGap?.(gap)
  const { vaults: stored, ...report } = figures.report(isWhole)
  const unstored = [...waiting.values()]
  const canary = figures.canary.describe(hasCanary, query.until)
  const vaults = query.isClosed
    ? stored
    : stored.map((vault) =>
        withProtectedUpTo(vault, figures.gaps.list(vault.vault), unstored, query, isWhole && isKnown),
      )
  const listed = problems.list()
  const told = {
    format: auditFormat,
    query: describeQuery(query),
    complete: listed.length === 0 && vaults.every(({ protectedUpTo }) => protectedUpTo !== "unknown"),
    problems: listed,
    objective: report.objective,
    vaults,
    otherVaults: report.otherVaults,
    groups: report.groups,
    worst: report.worst,
    timeline: report.timeline,
    histogram: report.histogram,
    ...(queues ? { queues } : {}),
    ...(canary ? { canary } : {}),
    prefixes: report.prefixes,
  } as const
  return { ...told, attention: findAttention(told) }
}

function describeQuery({ since, until, isClosed, objective, vaults }: AuditQuery): AuditReport["query"] {
  return {
    ...(since ? { since: since.toISOString() } : {}),
    until: until.toISOString(),
    isClosed,
    objective: { ...objective },
    vaults: [...vaults],
  }
}

interface QueueFindings {
  readonly queues?: AuditQueues
  readonly changes: readonly PendingChange[]
  /** Was everything seen that waits? */
  readonly isKnown: boolean
}

async function lookIntoQueues(options: QueuesToPeek, problems: Problems): Promise<QueueFindings> {
  try {
    const peeked = await peekQueues(options)
    if (!peeked.complete) problems.add("queue-too-long", `${options.queue}, ${options.quarantineQueue}`)
    return { queues: countQueues(peeked), changes: peeked.changes, isKnown: peeked.complete }
  } catch (thrown) {
    const error: ServiceError = toServiceError(thrown)
    problems.addError(error, String(error.details["queue"] ?? options.queue))
    return { changes: [], isKnown: false }
  }
}

async function* readWhole(
  { query, store, signal }: ReadAuditOptions,
  problems: Problems,
): AsyncGenerator<LedgerLine | "broken"> {
  const common = {
    store,
    problems,
    ...(query.isClosed ? { until: query.until } : {}),
    ...(signal ? { signal } : {}),
  }
  for (const vault of query.isNarrow ? query.vaults : [undefined]) {
    const isWhole = yield* readLedger({ ...common, ...(vault === undefined ? {} : { vault }) })
    if (!isWhole) yield "broken"
  }
}

/** The newest moment before which every known change of the vault is stored. */
function withProtectedUpTo(
  vault: AuditVault,
  gaps: readonly OpenGap[],
  unstored: readonly PendingChange[],
  { until }: AuditQuery,
  isKnown: boolean,
): AuditVault {
  const waiting = unstored.filter(({ object }) => object.vault === vault.vault)
  const times = [...gaps.map(({ since }) => new Date(since)), ...waiting.map(({ changedAt }) => changedAt)]
  const open = times.reduce(earlier, undefined)
  const isTimed = gaps.every(({ isSinceKnown }) => isSinceKnown) && times.every((time) => time !== undefined)
  const { vault: url, ...rest } = vault
  if (isKnown && isTimed) {
    return { vault: url, protectedUpTo: (open && open < until ? open : until).toISOString(), ...rest }
  }
  return {
    vault: url,
    protectedUpTo: "unknown",
    ...(open ? { notProtectedAfter: open.toISOString() } : {}),
    ...rest,
  }
}
