/**
 * Causes that pass without anybody doing anything: throttling, and networks and services that did not answer. A message
 * that was deferred for too long carries the code that it was last deferred for. A missing role, a firewall, a wrong
 * setting and whatever is not known are no such causes: replay would only fail again.
 *
 * The last three are outcomes of Event Grid's deliveries.
 */
export const transientCauses: readonly string[] = [
  "ERR_VAULT_THROTTLED",
  "ERR_VAULT_UNAVAILABLE",
  "ERR_STORE_UNAVAILABLE",
  "ERR_QUEUE_UNAVAILABLE",
  "TimedOut",
  "Busy",
  "ServiceUnavailable",
]
