import { type Origin, origins } from "../change/change.ts"
import { parseTime } from "../store/ledgerEntry.ts"

/**
 * What a message carries of its own past, in application properties that all begin with `kvb-`. All values are
 * strings and all names lower case, because the Functions host rewrites first letters and parses values.
 * Format: `docs/formats.md`.
 */
export interface MessageLineage {
  /** Wins over the origin in the body. */
  readonly origin?: Origin
  /** MessageId of the first message. */
  readonly originalId?: string
  /** When the first message entered the queue; never reset. */
  readonly firstEnqueuedAt?: Date
  /** Start of the present deferral. */
  readonly retrySince?: Date
  /** Failed attempts since then. */
  readonly attempt: number
  readonly replays: number
  readonly firstCode?: string
  readonly lastCode?: string
  readonly plan?: string
}

/** Reads the properties as any client delivers them: values may have become numbers or booleans on the way. */
export function parseLineage(properties: Readonly<Record<string, unknown>>): MessageLineage {
  const text = (key: string): string | undefined => {
    const value = properties[`kvb-${key}`]
    return value === undefined || value === null || typeof value === "object" ? undefined : String(value)
  }
  const count = (key: string): number => {
    const number = Number(text(key) ?? "0")
    return Number.isSafeInteger(number) && number >= 0 ? number : 0
  }
  const given = <K extends string, V>(key: K, value: V | undefined) =>
    (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }
  return {
    ...given(
      "origin",
      origins.find((origin) => origin === text("origin")),
    ),
    ...given("originalId", text("original-id")),
    ...given("firstEnqueuedAt", parseTime(text("first-enqueued"))),
    ...given("retrySince", parseTime(text("retry-since"))),
    attempt: count("attempt"),
    replays: count("replays"),
    ...given("firstCode", text("first-code")),
    ...given("lastCode", text("last-code")),
    ...given("plan", text("plan")),
  }
}

/** The lineage as application properties; what is absent is left out. */
export function formatLineage(lineage: MessageLineage): Record<string, string> {
  const properties: Record<string, string> = {}
  const put = (key: string, value: string | undefined) => {
    if (value !== undefined) properties[`kvb-${key}`] = value
  }
  put("origin", lineage.origin)
  put("original-id", lineage.originalId)
  put("first-enqueued", lineage.firstEnqueuedAt?.toISOString())
  put("retry-since", lineage.retrySince?.toISOString())
  if (lineage.attempt > 0) put("attempt", String(lineage.attempt))
  if (lineage.replays > 0) put("replays", String(lineage.replays))
  put("first-code", lineage.firstCode)
  put("last-code", lineage.lastCode)
  put("plan", lineage.plan)
  return properties
}
