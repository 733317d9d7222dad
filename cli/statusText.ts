import type { AuditProblem, AuditQueues, AuditVault } from "../shared/audit/auditReport.ts"
import { hintOf } from "../shared/audit/problems.ts"
import type { StatusReport } from "../shared/audit/statusReport.ts"
import { formatMs, formatObjective, formatSpan } from "./figures.ts"

/** More than this of one kind would push the rest off the screen. */
const mostShown = 4
const mostVaults = 6

/** The status for people, one screen: what is protected up to when comes first. */
export function formatStatus(status: StatusReport): string {
  const { at, vaults, queues, canary, problems } = status
  const sorted = sortByNeed(vaults)
  const lines = [
    ...sorted.slice(0, mostVaults).flatMap((vault) => formatVault(vault, at)),
    ...formatOtherVaults(sorted.slice(mostVaults), at),
    ...formatLatency(status),
    ...(canary ? [`Canary             ${formatCanary(canary)}`] : []),
    ...(queues ? formatQueues(queues, at) : ["Queues             unknown: they could not be read"]),
    ...formatProblems(problems),
  ]
  return `${lines.join("\n")}\n`
}

/** Those that need attention first, so that they are seen where there are many. */
function sortByNeed(vaults: StatusReport["vaults"]): StatusReport["vaults"] {
  const time = ({ protectedUpTo = "unknown", notProtectedAfter }: StatusReport["vaults"][number]) =>
    notProtectedAfter ?? (protectedUpTo === "unknown" ? "" : protectedUpTo)
  return vaults.toSorted((one, other) => (time(one) < time(other) ? -1 : Number(time(one) > time(other))))
}

/** They are protected for at least as long as those that are shown. */
function formatOtherVaults(vaults: StatusReport["vaults"], at: string): string[] {
  const [first] = vaults
  if (!first) return []
  return [
    `And ${vaults.length} more vaults (--json shows them), each protected up to`,
    `  ${formatProtection(first, at)}${first.protectedUpTo === at ? "" : " or later"}`,
  ]
}

function formatVault(vault: Omit<AuditVault, "objective">, at: string): string[] {
  const { records, firstPutAt, lastPutAt, openGaps, openGapCount, publicOnly, publicOnlyCount } = vault
  const stored = firstPutAt && lastPutAt ? `, first ${firstPutAt}, last ${lastPutAt}` : ""
  return [
    `Vault ${vault.vault}`,
    `  protected up to  ${formatProtection(vault, at)}`,
    `  versions stored  ${records}${stored}`,
    ...openGaps
      .slice(0, mostShown)
      .map(({ id, reason, since }) => `  NOT PROTECTED    ${id} (${reason} since ${since})`),
    ...formatRest("NOT PROTECTED   ", openGapCount),
    ...publicOnly
      .slice(0, mostShown)
      .map((id) => `  PUBLIC PART ONLY ${id} (its policy keeps the private key in the vault)`),
    ...formatRest("PUBLIC PART ONLY", publicOnlyCount),
  ]
}

function formatRest(what: string, count: number): string[] {
  return count > mostShown ? [`  ${what} and ${count - mostShown} more: kvbackup audit`] : []
}

function formatProtection(
  { protectedUpTo = "unknown", notProtectedAfter }: Omit<AuditVault, "objective">,
  at: string,
): string {
  if (protectedUpTo === at) return `now (${at})`
  if (protectedUpTo !== "unknown") return protectedUpTo
  return `unknown${notProtectedAfter ? `, not after ${notProtectedAfter}` : ""}`
}

function formatLatency({ objective, limit, since, at }: StatusReport): string[] {
  const { latency, measured, met, budget, population } = objective
  const span = since ? ` of the last ${formatSpan(new Date(at).getTime() - new Date(since).getTime())}` : ""
  if (population === 0) return [`Latency            no versions${span}: nothing to measure`]
  const few = latency && !latency.isP99Meaningful ? " (the maximum: fewer than 100)" : ""
  const figures = latency
    ? `p50 ${formatMs(latency.p50Ms)}  p95 ${formatMs(latency.p95Ms)}  p99 ${formatMs(latency.p99Ms)}${few}`
    : "nothing measured"
  const verdict = met === null ? "cannot tell" : met ? "met" : "NOT MET"
  return [
    `Latency            ${figures}, ${measured} ${measured === 1 ? "version" : "versions"}${span}`,
    `  ${formatObjective(limit).padEnd(16)} ${verdict}: ${budget.used} of ${population} missed it, ${budget.allowed} may`,
  ]
}

function formatCanary({ ageMs, isOverdue }: NonNullable<StatusReport["canary"]>): string {
  if (ageMs === null) return "NEVER CAME THROUGH"
  return `${formatSpan(ageMs)} old${isOverdue ? ": OVERDUE, changes do not get through or none is sent" : ""}`
}

function formatQueues(queues: AuditQueues, at: string): string[] {
  const { waiting, deferred, deadLettered, quarantined, oldestAt, complete } = queues
  const age = oldestAt ? new Date(at).getTime() - new Date(oldestAt).getTime() : 0
  return [
    "Queues",
    `  waiting          ${waiting}${oldestAt ? `, the oldest here for ${formatSpan(Math.max(0, age))}` : ""}`,
    `  deferred         ${deferred}`,
    ...formatCauses(queues.deferredBy),
    `  dead letters     ${deadLettered}`,
    ...formatCauses(queues.deadLetteredBy),
    `  quarantine       ${quarantined}`,
    ...formatCauses(queues.quarantinedBy),
    ...(complete ? [] : ["  more than 10,000 in a queue: the others were not looked at"]),
  ]
}

function formatCauses(causes: AuditQueues["deferredBy"]): string[] {
  const shown = causes.slice(0, mostShown).map(({ cause, count, oldest, next }) => {
    const times = [...(oldest ? [`oldest ${oldest}`] : []), ...(next ? [`next try ${next}`] : [])]
    return `    ${count} x ${cause}${times.length > 0 ? `, ${times.join(", ")}` : ""}`
  })
  const rest = causes.length - mostShown
  return rest > 0 ? [...shown, `    and ${rest} more causes`] : shown
}

/** What keeps the answer from being complete, and what to do about it. */
export function formatProblems(problems: readonly AuditProblem[]): string[] {
  if (problems.length === 0) return []
  return [
    "Incomplete",
    ...problems.flatMap(({ code, message, count, samples }) => [
      `  ${count} x ${code}: ${message}`,
      `    such as ${samples.slice(0, 3).join(", ")}`,
      ...(hintOf(code) ? [`    ${hintOf(code)}`] : []),
    ]),
  ]
}
