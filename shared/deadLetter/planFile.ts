// A replay plan as a file, format keyvault-replay-plan/1: docs/formats.md.
import { z } from "zod"
import { ServiceError } from "../errors.ts"
import { sourceNames } from "./deadLetter.ts"
import { replayActions } from "./decide.ts"
import { planDigest, planFormat, type ReplayPlan } from "./replayPlan.ts"

const time = z.iso.datetime().transform((text) => new Date(text))

/** A replay plan as its file holds it. */
export const planSchema = z.object({
  format: z.literal(planFormat),
  digest: z.string(),
  madeAt: time,
  filter: z.strictObject({
    from: z.array(z.enum(sourceNames)),
    reasons: z.array(z.string()).optional(),
    vault: z.string().optional(),
    object: z.string().optional(),
    before: time.optional(),
    attempts: z.int().min(0).optional(),
  }),
  groups: z.array(
    z.object({
      source: z.enum(sourceNames),
      cause: z.string(),
      action: z.enum(replayActions),
      why: z.string(),
      count: z.int().min(1),
      sum: z.string().regex(/^[0-9a-f]{64}$/),
      oldest: time.optional(),
      newest: time.optional(),
      sample: z.object({
        place: z.string(),
        id: z.string(),
        messageId: z.string().optional(),
        objects: z.array(z.string()),
      }),
    }),
  ),
})

/** The plan as a JSON value; `parsePlan` reads its text back unchanged. Ids, causes, counts and times only. */
export function formatPlan(plan: ReplayPlan): string {
  return `${JSON.stringify(plan, undefined, 2)}\n`
}

/**
 * Reads a plan that `formatPlan` wrote.
 *
 * @throws ServiceError ERR_FORMAT_NEWER for a plan of a newer format; ERR_CONFIG_INVALID for what is no plan, and for one
 * that was altered: its digest says so.
 */
export function parsePlan(json: unknown): ReplayPlan {
  const format: unknown = typeof json === "object" && json !== null ? Reflect.get(json, "format") : undefined
  if (typeof format === "string" && format.startsWith("keyvault-replay-plan/") && format !== planFormat) {
    throw new ServiceError("ERR_FORMAT_NEWER", `The plan has a format this release does not read`)
  }
  const parsed = planSchema.safeParse(json)
  if (!parsed.success) throw new ServiceError("ERR_CONFIG_INVALID", "The plan file is not what replay writes")
  const plan = withoutUndefined(parsed.data)
  if (planDigest(plan.filter, plan.groups) !== plan.digest) {
    throw new ServiceError(
      "ERR_CONFIG_INVALID",
      "The plan file was altered: its digest is not that of its content",
    )
  }
  return plan
}

/** zod gives optional members as `undefined`, which exact optional members refuse. */
function withoutUndefined(plan: z.infer<typeof planSchema>): ReplayPlan {
  const strip = <T extends object>(value: T) =>
    Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
  return {
    ...plan,
    filter: strip(plan.filter) as unknown as ReplayPlan["filter"],
    groups: plan.groups.map(
      (group) =>
        ({ ...strip(group), sample: strip(group.sample) }) as unknown as ReplayPlan["groups"][number],
    ),
  }
}
