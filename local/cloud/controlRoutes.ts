import { z } from "zod"
import type { AccessControl, FirewallState, FirewallTarget } from "../access/accessControl.ts"
import { type Job, jobs } from "../access/job.ts"
import type { ArmAnswers, RunningArm } from "../arm/startArm.ts"
import type { ContainerPolicy } from "../blob/containerPolicy.ts"
import type { RunningBlob } from "../blob/startBlob.ts"
import type { FaultBook, FaultRule } from "../faults/faultBook.ts"
import type { RunningFunctionsHost } from "../functionsHost/startFunctionsHost.ts"
import { ControlError, type ControlRoutes } from "./controlEndpoint.ts"
import type { EventGridLeg } from "./eventGridLeg.ts"

const faultFields = z.strictObject({
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

const faultSchema = faultFields.refine(
  ({ target, effect }) => target === "eventgrid" || !/^(duplicate|reorder|drop)$/.test(effect),
  { path: ["effect"], error: "duplicate, reorder and drop are effects of the target eventgrid" },
)

const rolesSchema = z.partialRecord(z.enum(jobs), z.array(z.string()))

const firewallSchema = z.partialRecord(
  z.enum(["keyvault", "blob", "servicebus"]),
  z.enum(["open", "closed", "private"]),
)

const policySchema = z.strictObject({
  container: z.string(),
  state: z.enum(["none", "unlocked", "locked"]),
  days: z.int().min(1).max(146_000).optional(),
  legalHold: z.boolean().optional(),
})

const clockSchema = z.strictObject({ target: z.literal("eventgrid"), speed: z.number().positive() })

const hostSchema = z.strictObject({ action: z.enum(["restart", "kill"]) })

const armSchema = z.strictObject({
  immutability: z
    .union([
      z.literal("absent"),
      z.strictObject({ state: z.enum(["Locked", "Unlocked"]), days: z.int().min(1) }),
    ])
    .optional(),
  eventSubscription: z.union([z.literal("absent"), z.record(z.string(), z.unknown())]).optional(),
  provider: z.enum(["Registered", "NotRegistered"]).optional(),
  namespaceRules: z.record(z.string(), z.unknown()).optional(),
  deadLetterAccount: z.record(z.string(), z.unknown()).optional(),
  error: z.strictObject({ status: z.int(), code: z.string(), message: z.string().optional() }).optional(),
})

const backdoorSchema = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("remove"), container: z.string(), name: z.string() }),
  z.strictObject({
    action: z.literal("alter"),
    container: z.string(),
    name: z.string(),
    /** Base64. */
    body: z.base64().optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    /** What the service says of when it got the blob. */
    createdAt: z.iso.datetime().optional(),
  }),
])

/** What the control endpoint can reach. */
export interface ControlledParts {
  readonly faults: FaultBook
  readonly access: AccessControl
  readonly blob: RunningBlob
  readonly eventGrid: EventGridLeg
  readonly host: RunningFunctionsHost
  readonly arm: RunningArm
  readonly state: () => Readonly<Record<string, unknown>>
}

/** The calls of the control endpoint; `docs/local-cloud.md` lists them for people. */
export function createControlRoutes(parts: ControlledParts): ControlRoutes {
  const { faults, access, blob, eventGrid, host, arm } = parts
  return {
    "GET /state": () => parts.state(),
    "GET /faults": () => ({ faults: faults.list() }),
    "POST /faults": (body) => {
      const rules = z.array(faultSchema).parse(Array.isArray(body) ? body : [body])
      return { ids: rules.map((rule) => faults.add(exact<FaultRule>(rule))) }
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
    "GET /roles": () => access.roles(),
    "PUT /roles": (body) => {
      access.setRoles(exact<Partial<Record<Job, readonly string[]>>>(rolesSchema.parse(body)))
    },
    "PUT /firewall": (body) => {
      access.setFirewall(exact<Partial<Record<FirewallTarget, FirewallState>>>(firewallSchema.parse(body)))
    },
    "PUT /policy": async (body) => {
      const { container, ...policy } = policySchema.parse(body)
      if (policy.state !== "none" && policy.days === undefined) {
        throw new ControlError(400, "A time-based policy needs days")
      }
      if (!Object.hasOwn(blob.counts(), container)) {
        throw new ControlError(404, `There is no container ${container}`)
      }
      await blob.setPolicy(container, exact<ContainerPolicy>(policy))
    },
    "PUT /clock": (body) => {
      eventGrid.clock.setSpeed(clockSchema.parse(body).speed)
    },
    "POST /functions/*": (_body, name) => {
      const timers = host.functions.filter(({ type }) => type === "timerTrigger").map((each) => each.name)
      if (!timers.includes(name)) {
        throw new ControlError(
          404,
          `There is no such timer function; there are: ${timers.join(", ") || "none"}`,
        )
      }
      return host.runTimer(name)
    },
    "POST /host": (body) => (hostSchema.parse(body).action === "kill" ? host.kill() : host.restart()),
    "PUT /arm": (body) => {
      arm.setAnswers(exact<ArmAnswers>(armSchema.parse(body)))
    },
    "POST /backdoor/blobs": async (body) => {
      const { container, name, ...rest } = backdoorSchema.parse(body)
      const key = { container, name }
      const found = rest.action === "remove" ? await blob.backdoor.remove(key) : await alter(blob, key, rest)
      if (!found) throw new ControlError(404, "There is no such blob")
    },
  }
}

function alter(
  { backdoor }: RunningBlob,
  key: { readonly container: string; readonly name: string },
  change: {
    readonly body?: string | undefined
    readonly metadata?: Record<string, string> | undefined
    readonly createdAt?: string | undefined
  },
): Promise<boolean> {
  return backdoor.alter(key, {
    ...(change.body === undefined ? {} : { body: Buffer.from(change.body, "base64") }),
    ...(change.metadata ? { metadata: change.metadata } : {}),
    ...(change.createdAt === undefined ? {} : { createdAt: new Date(change.createdAt) }),
  })
}

/** The parsed body as the type it was checked for: JSON has no `undefined`, which exact optional members refuse. */
function exact<T extends object>(value: object): T {
  return JSON.parse(JSON.stringify(value)) as T
}
