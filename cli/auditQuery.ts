import type { AuditQuery } from "../shared/audit/readAudit.ts"
import type { Objective } from "../shared/audit/objective.ts"
import { parseVaultHost } from "../shared/change/vaultHost.ts"
import { ServiceError } from "../shared/errors.ts"
import { objectiveSetting, parseDurationMs } from "../shared/settingFormats.ts"
import { parseTime } from "../shared/store/ledgerEntry.ts"

/** The question as the command line gives it. */
export interface AuditQueryOptions {
  readonly since?: string
  readonly until?: string
  readonly objective?: string
  readonly vault?: string
}

const defaultSince = "24h"

/**
 * Reads the question. Spans count back from the end of the period, which is `now` unless `until` names one. Both ends
 * are cut to whole seconds, as the service cuts its times of creation: so a period that is over stays as it is, and
 * what follows it begins where it ends.
 *
 * @throws ServiceError ERR_CONFIG_INVALID that names the option.
 */
export function readAuditQuery(
  options: AuditQueryOptions,
  settings: { readonly vaults: readonly string[]; readonly objective: Objective },
  now: Date,
): AuditQuery {
  const { since: sinceText = defaultSince, until: untilText, objective, vault } = options
  const until = untilText === undefined ? now : toSecond(readMoment(untilText, "--until", now))
  if (until > now) throw wrong("--until lies ahead; leave it out for a report about this moment")
  const since = sinceText === "all" ? undefined : toSecond(readMoment(sinceText, "--since", until))
  if (since && since >= until) throw wrong("--since must lie before the end of the period")
  return {
    ...(since ? { since } : {}),
    until,
    isClosed: untilText !== undefined,
    objective: objective === undefined ? settings.objective : readObjective(objective),
    vaults: vault === undefined ? settings.vaults : [readVault(vault)],
    isNarrow: vault !== undefined,
  }
}

function readMoment(text: string, option: string, from: Date): Date {
  const spanMs = parseDurationMs(text)
  if (spanMs !== undefined) return new Date(from.getTime() - spanMs)
  const time = parseTime(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)
  if (time) return time
  throw wrong(
    `${option} must be a duration such as 24h or 30d, or a time such as 2026-03-01 or 2026-03-01T12:00:00Z`,
  )
}

function toSecond(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000)
}

function readObjective(text: string): Objective {
  const parsed = objectiveSetting.safeParse(text)
  if (parsed.success) return parsed.data
  throw wrong(`--objective ${parsed.error.issues[0]?.message}`)
}

function readVault(text: string): string {
  const [, authority = ""] = /^https:\/\/([^/]*)\/?$/.exec(text) ?? []
  const parsed = parseVaultHost(authority)
  if ("host" in parsed) return `https://${parsed.host}`
  throw wrong("--vault must be https://NAME.vault.azure.net")
}

function wrong(message: string): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", message)
}
