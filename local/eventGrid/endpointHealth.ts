const toleratedFailures = 10
const minuteMs = 60_000
const longestHoldMs = 30 * minuteMs

/** What the relay thinks of its endpoint, from how the last attempts went. */
export interface EndpointHealth {
  failed(): void
  succeeded(): void
  /** How long the first attempt of a new event is held back; 0 for an endpoint in health. */
  holdBackMs(): number
}

/**
 * Delayed delivery: after ten failures in a row new events are held back too, for one minute, doubled with every
 * further ten failures up to half an hour. One success ends it. Event Grid documents that it delays, after "roughly
 * ten" failures and possibly for hours, but not for how long; these figures are a choice.
 *
 * Source: https://learn.microsoft.com/azure/event-grid/delivery-and-retry
 */
export function createEndpointHealth(): EndpointHealth {
  let failures = 0
  return {
    failed: () => {
      failures += 1
    },
    succeeded: () => {
      failures = 0
    },
    holdBackMs: () => {
      const tens = Math.floor(failures / toleratedFailures)
      return tens === 0 ? 0 : Math.min(minuteMs * 2 ** (tens - 1), longestHoldMs)
    },
  }
}
