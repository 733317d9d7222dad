import { z } from "zod"
import type { FaultBook, FaultRule } from "../faults/faultBook.ts"
import { ControlError, type ControlRoutes } from "./controlEndpoint.ts"
import type { EventGridLeg } from "./eventGridLeg.ts"

const faultSchema = z.strictObject({
  target: z.enum(["keyvault", "blob", "servicebus", "eventgrid", "identity"]),
  match: z
    .strictObject({
      method: z.string().optional(),
      path: z.string().optional(),
      job: z.string().optional(),
    })
    .optional(),
  effect: z.enum(["status", "hang", "cut", "delay", "duplicate", "reorder", "drop"]),
  status: z.int().min(100).max(599).optional(),
  code: z.string().optional(),
  innerCode: z.string().optional(),
  retryAfter: z.union([z.string(), z.number()]).optional(),
  afterBytes: z.int().min(0).optional(),
  delayMs: z.int().min(0).max(3_600_000).optional(),
  count: z.int().min(1).optional(),
})

/** What the control endpoint can reach. */
export interface ControlledParts {
  readonly faults: FaultBook
  readonly eventGrid: EventGridLeg
  readonly state: () => Readonly<Record<string, unknown>>
}

/** The calls of the control endpoint; `docs/local-cloud.md` lists them for people. */
export function createControlRoutes({ faults, eventGrid, state }: ControlledParts): ControlRoutes {
  return {
    "GET /state": () => state(),
    "GET /faults": () => ({ faults: faults.list() }),
    "POST /faults": (body) => {
      const rules = z.array(faultSchema).parse(Array.isArray(body) ? body : [body])
      return { ids: rules.map((rule) => faults.add(withoutUndefined(rule))) }
    },
    "DELETE /faults": () => {
      faults.clear()
    },
    "POST /events": (body) => {
      const events = Array.isArray(body) ? body : [body]
      if (events.some((event) => typeof event !== "object" || event === null)) {
        throw new ControlError(400, "Send one event as a JSON object, or an array of them")
      }
      for (const event of events) eventGrid.publishRaw(event as object)
      return { published: events.length }
    },
  }
}

function withoutUndefined(rule: z.infer<typeof faultSchema>): FaultRule {
  return JSON.parse(JSON.stringify(rule)) as FaultRule
}
