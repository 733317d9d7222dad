import type { CallAnswer } from "./harmlessCall.ts"
import type { Fix, Verdict } from "./verdict.ts"

/** What is known of the protection of the container with the backups. */
export interface PolicyEvidence {
  readonly account: string
  readonly container: string
  /** BACKUP_STORE_MIN_RETENTION_DAYS. */
  readonly leastDays?: number
  /** The three booleans of the data plane; absent, nobody who asked may read them. */
  readonly flags?: CallAnswer["flags"]
  /** What the management plane said of the policy; absent, it was not asked. */
  readonly management?: CallAnswer
}

/**
 * Is what was stored safe from everybody, and for how long? That there is a policy the data plane tells; whether it is
 * locked, and for how many days, only the management plane. Pure.
 */
export function diagnosePolicy(evidence: PolicyEvidence): Verdict {
  const { account, container, leastDays, flags, management } = evidence
  const where = `--account-name ${account} --container-name ${container}`
  const days = leastDays ?? "DAYS"
  const found = readManagement(management)
  // The data plane sees a policy: then the id that was given is another container's.
  const told = found === "absent" && flags?.["x-ms-has-immutability-policy"] === "true" ? "notTold" : found
  const absent = failing("absent", `nothing protects what lies in ${container}`, {
    what: `Set a time-based retention policy on the container ${container}, and lock it once it is right.`,
    bicep: `retentionDays = ${days}`,
    az: [
      `az storage container immutability-policy create ${where} --period ${days} --allow-protected-append-writes false`,
    ],
  })
  if (flags?.["x-ms-has-immutability-policy"] === "false" || told === "absent") return absent
  if (flags?.["x-ms-immutable-storage-with-versioning-enabled"] === "true") {
    return failing(
      "versionLevel",
      `${container} is protected by versions: an overwrite would be taken, beside what it hides`,
      {
        what: `Let the backups go to a container with a policy of its own, in an account with blob versioning off: that this is on cannot be undone.`,
        setting: "BACKUP_STORE_CONTAINER=another-name",
      },
    )
  }
  if (typeof told === "object") {
    if (told.state !== "Locked") {
      return failing(
        "unlocked",
        `the policy of ${container} is ${told.state.toLowerCase()}: whoever may manage the account can take it away`,
        {
          what: "Lock the policy, once its days are right: this cannot be undone, and it can only be made longer after.",
          bicep: "retentionPolicyState = 'locked', after infra/scripts/lockRetention.sh",
          az: [
            `az storage container immutability-policy lock ${where} --if-match "$(az storage container immutability-policy show ${where} --query etag --output tsv)"`,
          ],
        },
      )
    }
    if (leastDays !== undefined && told.days < leastDays) {
      return failing(
        "tooShort",
        `the policy of ${container} lasts ${told.days} days, and BACKUP_STORE_MIN_RETENTION_DAYS asks for ${leastDays}`,
        {
          what: `Extend the policy to ${leastDays} days. A locked one can only be made longer.`,
          bicep: `retentionDays = ${leastDays}`,
          az: [
            `az storage container immutability-policy extend ${where} --period ${leastDays} --if-match "$(az storage container immutability-policy show ${where} --query etag --output tsv)"`,
          ],
        },
      )
    }
    return ok(`time-based policy of the container, locked, ${told.days} days`, flags)
  }
  if (told === "notTold" || leastDays !== undefined) {
    return {
      status: "unknown",
      verdict: "policy.notTold",
      says:
        management === undefined
          ? "whether the policy is locked, and for how many days, was not asked"
          : `the management plane does not tell (${[management.status, management.code].filter(Boolean).join(" ")})`,
      fix: {
        what: "Run `kvbackup doctor --store-id ID --credential azureCli` as somebody who may read the policy (Reader at the container is enough).",
        role: "Reader",
        az: [`az storage container immutability-policy show ${where}`],
      },
    }
  }
  if (flags === undefined) {
    return { status: "notAsked", verdict: "notAsked", says: "nobody who was asked may read the container" }
  }
  return ok("there is a policy of the container", flags, [
    "Whether it is locked, and for how many days, was not asked: give --store-id, or set BACKUP_STORE_MIN_RETENTION_DAYS to demand it.",
  ])
}

function ok(says: string, flags: PolicyEvidence["flags"], more: readonly string[] = []): Verdict {
  const hold = flags?.["x-ms-has-legal-hold"] === "true" ? ["There is a legal hold, too."] : []
  const notes = [...hold, ...more]
  return { status: "ok", verdict: "ok", says, ...(notes.length > 0 ? { notes } : {}) }
}

function failing(verdict: string, says: string, fix: Fix): Verdict {
  return { status: "failing", verdict: `policy.${verdict}`, says, fix }
}

type Told = { readonly state: string; readonly days: number } | "absent" | "notTold" | undefined

function readManagement(answer: CallAnswer | undefined): Told {
  if (answer === undefined) return undefined
  if (answer.status === 404) return "absent"
  const properties: unknown =
    typeof answer.json === "object" && answer.json !== null
      ? Reflect.get(answer.json, "properties")
      : undefined
  if (answer.status !== 200 || typeof properties !== "object" || properties === null) return "notTold"
  const state: unknown = Reflect.get(properties, "state")
  const days: unknown = Reflect.get(properties, "immutabilityPeriodSinceCreationInDays")
  // A policy that was deleted is told with this state for a while.
  if (state === "Deleted") return "absent"
  return typeof state === "string" && typeof days === "number" ? { state, days } : "notTold"
}
