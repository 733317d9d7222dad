import { z } from "zod"
import { badParameter } from "./vaultError.ts"
import type { Attributes, ObjectVersion } from "./vaultObject.ts"

const maxTags = 15
const maxTagLength = 512
const retentionDays = 90
const seconds = z.int().nonnegative()

/** What a request may say about attributes. An absent or null member leaves what is there. */
export const attributesSchema = z.object({
  enabled: z.boolean().nullish(),
  nbf: seconds.nullish(),
  exp: seconds.nullish(),
})

/** At most 15 tags, names and values of at most 512 characters. */
export const tagsSchema = z
  .record(z.string().min(1).max(maxTagLength), z.string().max(maxTagLength))
  .refine((tags) => Object.keys(tags).length <= maxTags)
  .nullish()

type AttributesRequest = z.infer<typeof attributesSchema>

/** Whole seconds since 1970. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

/** The attributes of a new version. */
export function newAttributes(asked: AttributesRequest | null | undefined): Attributes {
  const now = nowSeconds()
  return mergeAttributes({ enabled: true, created: now, updated: now }, asked)
}

/**
 * `current` with what a request changes; `updated` becomes now.
 *
 * @throws VaultError 400 BadParameter when the object would expire before it becomes valid.
 */
export function mergeAttributes(
  current: Attributes,
  asked: AttributesRequest | null | undefined,
): Attributes {
  const merged = {
    ...current,
    updated: nowSeconds(),
    enabled: asked?.enabled ?? current.enabled,
    notBefore: asked?.nbf ?? current.notBefore,
    expires: asked?.exp ?? current.expires,
  }
  if (merged.notBefore !== undefined && merged.expires !== undefined && merged.notBefore >= merged.expires) {
    throw badParameter("The attribute 'exp' must be later than 'nbf'")
  }
  return merged
}

/** The attributes as an answer gives them. */
export function attributesBody({ attributes }: ObjectVersion): Readonly<Record<string, unknown>> {
  return {
    enabled: attributes.enabled,
    nbf: attributes.notBefore,
    exp: attributes.expires,
    created: attributes.created,
    updated: attributes.updated,
    recoveryLevel: "Recoverable+Purgeable",
    recoverableDays: retentionDays,
  }
}

/** When an object deleted now would be removed for good. */
export function deletionFrom(deletedAt: number): { deletedAt: number; purgeAt: number } {
  return { deletedAt, purgeAt: deletedAt + retentionDays * 86_400 }
}
