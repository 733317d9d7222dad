import { setTimeout as sleep } from "node:timers/promises"
import type { FaultRule } from "../faults/faultBook.ts"
import type { Peer } from "./peer.ts"
import { faultError, type ServiceBusError } from "./serviceErrors.ts"

/** How long a `delay` waits that does not say. */
export const defaultDelayMs = 1000

/** The parts of one request that a fault comes between. */
export interface FaultableRequest {
  /** Does the work and returns how to answer. */
  perform(): () => void
  refuse(error: ServiceBusError): void
}

/**
 * Serves a request under a fault. `status` refuses it, `hang` never answers, `cut` destroys the socket before the
 * work is done, or (with `afterBytes`) after it and before the answer, `delay` waits first. Any other effect has no
 * meaning here and is served as in health.
 */
export async function playFault(rule: FaultRule, peer: Peer, request: FaultableRequest): Promise<void> {
  switch (rule.effect) {
    case "status":
      return request.refuse(faultError(rule.status, rule.code))
    case "hang":
      return
    case "cut":
      if (rule.afterBytes !== undefined) request.perform()
      return peer.guarded.cut()
    case "delay":
      await sleep(rule.delayMs ?? defaultDelayMs, undefined, { ref: false })
  }
  request.perform()()
}

/** Serves a request, with the fault that is in force if there is one. */
export function serveWithFaults(rule: FaultRule | undefined, peer: Peer, request: FaultableRequest): void {
  if (rule === undefined) request.perform()()
  else playFault(rule, peer, request).catch((error: unknown) => peer.guarded.drop(String(error)))
}
