import type { Change } from "../change/change.ts"
import { ServiceError } from "../errors.ts"
import type { ClassifiedLetter } from "./classify.ts"
import { type DeadLetter, type SourceName, sourceNames } from "./deadLetter.ts"

/** Which dead letters a plan is about. What is absent selects everything. */
export interface ReplayFilter {
  readonly from: readonly SourceName[]
  /** Causes; one that has parts (`REASON/OUTCOME`) is selected by either of them. Case makes no difference. */
  readonly reasons?: readonly string[]
  /** `https://host[:port]`. */
  readonly vault?: string
  /** URL of an object or of one version. Messages it selects are named: the attempt cap does not hold for them. */
  readonly object?: string
  /** Only those that entered their queue before it. */
  readonly before?: Date
  /** Only those that were replayed at most so often. */
  readonly attempts?: number
}

/** Everything from everywhere. */
export const everything: ReplayFilter = { from: sourceNames }

/** Does the filter select the letter? A message without a change is of no vault and no object. */
export function selects(filter: ReplayFilter, letter: DeadLetter, classified: ClassifiedLetter): boolean {
  const { reasons, vault, object, before, attempts } = filter
  if (!filter.from.includes(letter.source)) return false
  if (reasons && !reasons.some((reason) => isCause(reason, classified.cause))) return false
  if (vault !== undefined && !classified.changes.some((change) => change.object.vault === vault)) return false
  if (object !== undefined && !classified.changes.some((change) => isNamed(change, object))) return false
  if (before && !(letter.at && letter.at < before)) return false
  return attempts === undefined || classified.lineage.replays <= attempts
}

function isCause(reason: string, cause: string): boolean {
  const wanted = reason.toLowerCase()
  const whole = cause.toLowerCase()
  return whole === wanted || whole.split("/").includes(wanted)
}

/** A certificate is named by its secret's URL, too: they share name and version. */
function isNamed({ object }: Change, url: string): boolean {
  const wanted = new RegExp(`^https://([^/]+)/(?:secrets|certificates)/([^/]+)(?:/([^/]+))?$`).exec(url)
  const [, host, name, version] = wanted ?? []
  return host === object.host && name === object.name && (version ?? object.version) === object.version
}

/**
 * An object or version URL in the form that `ReplayFilter.object` has.
 *
 * @throws ServiceError ERR_CONFIG_INVALID for anything else.
 */
export function parseObjectUrl(text: string): string {
  const match =
    /^https:\/\/[^/?#@\s]+\/(?:secrets|certificates)\/[0-9a-z-]{1,127}(?:\/[0-9a-f]{32})?\/?$/i.exec(
      text.trim(),
    )
  const url = match ? URL.parse(text.trim()) : undefined
  if (!url) {
    throw new ServiceError(
      "ERR_CONFIG_INVALID",
      "--object must be https://VAULT/secrets/NAME or https://VAULT/secrets/NAME/VERSION",
    )
  }
  return `https://${url.host}${url.pathname.replace(/\/$/, "").toLowerCase()}`
}
