/**
 * The container-level immutability of one container, with blob versioning off. Per-blob policies and
 * version-level immutability are not played.
 */
export interface ContainerPolicy {
  /** `none`: no time-based retention policy. */
  readonly state: "none" | "unlocked" | "locked"
  /** Retention in days, counted from the creation of each blob; 1 to 146,000. Needed unless `state` is `none`. */
  readonly days?: number
  readonly legalHold?: boolean
}

/**
 * What a request would do to a blob that exists. `replace`: new content under the same name. `modify`: Set
 * Blob Metadata, Set Blob Properties, Put Page, Append Block, Snapshot Blob.
 */
export type BlobChange = "replace" | "modify" | "delete"

export type ImmutabilityCode = "BlobImmutableDueToPolicy" | "BlobImmutableDueToLegalHold"

/** The policy of a container nobody has set one on. */
export const noPolicy: ContainerPolicy = { state: "none" }

const dayMs = 86_400_000
const maxRetentionDays = 146_000

/**
 * Checks a policy that is about to be set.
 *
 * @throws TypeError when a time-based policy has no whole number of days in the allowed range.
 */
export function assertContainerPolicy(policy: ContainerPolicy): void {
  if (policy.state === "none") return
  const { days } = policy
  if (days === undefined || !Number.isInteger(days) || days < 1 || days > maxRetentionDays) {
    throw new TypeError(`A time-based retention policy needs days between 1 and ${maxRetentionDays}`)
  }
}

/**
 * Why `change` to a blob created at `createdAt` is refused, or undefined when it is allowed.
 *
 * A legal hold refuses everything. A time-based policy, locked or not, refuses to replace or modify a blob for
 * ever, and to delete it until its retention is over. Setting tags or tier and leasing change neither content
 * nor user metadata and are never refused.
 *
 * Source: learn.microsoft.com/azure/storage/blobs/immutable-container-level-worm-policies
 */
export function immutabilityRefusal(
  policy: ContainerPolicy,
  change: BlobChange,
  createdAt: Date,
  now: Date,
): ImmutabilityCode | undefined {
  if (policy.legalHold) return "BlobImmutableDueToLegalHold"
  if (policy.state === "none") return undefined
  const heldUntilMs = createdAt.getTime() + (policy.days ?? 0) * dayMs
  if (change === "delete" && now.getTime() >= heldUntilMs) return undefined
  return "BlobImmutableDueToPolicy"
}

/**
 * Why Delete Container is refused, or undefined. With a locked policy or a legal hold the data plane never
 * deletes a container; with an unlocked policy it deletes an empty one. The codes are storage's own; which of
 * them a real account answers here is not documented.
 */
export function containerDeleteRefusal(
  policy: ContainerPolicy,
  isEmpty: boolean,
): "ContainerHasLegalHold" | "ContainerImmutabilityPolicyLocked" | undefined {
  if (policy.legalHold) return "ContainerHasLegalHold"
  if (policy.state === "locked" || (policy.state === "unlocked" && !isEmpty)) {
    return "ContainerImmutabilityPolicyLocked"
  }
  return undefined
}
