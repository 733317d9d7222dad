const managementSuffix = "/$management"
const deadLetterSuffix = "/$deadletterqueue"

/** An address taken apart. Entity names are compared without regard to case. */
export interface EntityPath {
  /** Lower case, without scheme, host and outer slashes. */
  readonly path: string
  readonly queue: string
  readonly isDeadLetters: boolean
  readonly isManagement: boolean
}

/** Reads a link address or a token audience: `queue`, `/queue` (as .NET writes it) or `sb://host:port/queue`. */
export function parseEntityPath(address: string): EntityPath {
  const path = address
    .replace(/^[a-z]+:\/\/[^/]*/i, "")
    .replace(/^\/+|\/+$/g, "")
    .toLowerCase()
  const isManagement = path.endsWith(managementSuffix)
  const entity = isManagement ? path.slice(0, -managementSuffix.length) : path
  const isDeadLetters = entity.endsWith(deadLetterSuffix)
  return {
    path,
    queue: isDeadLetters ? entity.slice(0, -deadLetterSuffix.length) : entity,
    isDeadLetters,
    isManagement,
  }
}
