/** A new version in a vault, at the moment its vault had it. */
export interface VersionCreated {
  readonly kind: "changed"
  readonly at: Date
  /** `https://host:port/collection/name/version`, folded. */
  readonly id: string
}

/** A blob that the store acknowledged. */
export interface BlobStored {
  readonly kind: "stored"
  readonly at: Date
  readonly container: string
  readonly blob: string
}

/** What the worker said of one change, or of a message that held none. */
export interface OutcomeReported {
  readonly kind: "outcome"
  readonly at: Date
  readonly outcome: string
  readonly id?: string
  readonly blob?: string
  readonly code?: string
  readonly reason?: string
  /** `absentByPolicy` where only the public part of a certificate was stored. */
  readonly privateKey?: string
}

export type Activity = VersionCreated | BlobStored | OutcomeReported

/** What happens in a local cloud, for whoever shows it or waits for it. */
export interface ActivityFeed {
  readonly emit: (activity: Activity) => void
  /** Calls `listener` for everything from now on. @returns what stops the calls. */
  readonly subscribe: (listener: (activity: Activity) => void) => () => void
}

/** An empty feed; it keeps nothing. */
export function createActivityFeed(): ActivityFeed {
  const listeners = new Set<(activity: Activity) => void>()
  return {
    emit: (activity) => {
      for (const listener of listeners) listener(activity)
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Reads the worker's log line about one outcome; `undefined` for any other line. */
export function parseOutcomeLine(line: string): OutcomeReported | undefined {
  if (!line.includes('"backup.outcome"')) return undefined
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof json !== "object" || json === null) return undefined
  const text = (key: string): string | undefined => {
    const value: unknown = Reflect.get(json, key)
    return typeof value === "string" ? value : undefined
  }
  const outcome = text("outcome")
  if (text("event") !== "backup.outcome" || outcome === undefined) return undefined
  const [host, kind, name, version] = [text("host"), text("kind"), text("name"), text("version")]
  const optional = Object.fromEntries(
    (["blob", "code", "reason", "privateKey"] as const).flatMap((key) => {
      const value = text(key)
      return value === undefined ? [] : [[key, value]]
    }),
  )
  return {
    kind: "outcome",
    at: new Date(text("at") ?? Date.now()),
    outcome,
    ...(host && kind && name && version ? { id: `https://${host}/${kind}s/${name}/${version}` } : {}),
    ...optional,
  }
}
