import { one, set, remove, change, type Mutant } from "./mutant.ts"
import { bus, vault } from "./resourceTypes.ts"

export const serviceMutants: readonly Mutant[] = [
  {
    breaks: "plan-is-evaluated",
    change: "an id is left as an expression",
    mutate: (plan) => set(one(plan, "Microsoft.Web/serverfarms"), "id", "[resourceId('x')]"),
  },
  {
    breaks: "plan-is-evaluated",
    change: "the CLI had something to say",
    mutate: (plan) => plan.diagnostics.push({ code: "x" }),
  },

  {
    breaks: "bus-keys-off",
    change: "connection strings work",
    mutate: change(bus, "", "properties.disableLocalAuth", false),
  },
  {
    breaks: "bus-premium",
    change: "a tier without private endpoints",
    mutate: change(bus, "", "sku.tier", "Standard"),
  },
  { breaks: "bus-tls", change: "TLS 1.0", mutate: change(bus, "", "properties.minimumTlsVersion", "1.0") },
  {
    breaks: "bus-denies-networks",
    change: "an address is let in",
    mutate: change(`${bus}/networkRuleSets`, "", "properties.ipRules", [{ ipMask: "203.0.113.7" }]),
  },
  {
    breaks: "bus-denies-networks",
    change: "everybody is let in",
    mutate: change(`${bus}/networkRuleSets`, "", "properties.defaultAction", "Allow"),
  },
  {
    breaks: "bus-admits-event-grid",
    change: "Event Grid is shut out",
    mutate: change(`${bus}/networkRuleSets`, "", "properties.trustedServiceAccessEnabled", false),
  },
  {
    breaks: "bus-public-access-decided",
    change: "namespace and rules contradict each other",
    mutate: change(bus, "", "properties.publicNetworkAccess", "Enabled"),
  },
  {
    breaks: "queues-are-two",
    change: "there is no quarantine",
    mutate: (plan) => remove(plan, one(plan, `${bus}/queues`, "quarantine")),
  },
  {
    breaks: "queues-without-sessions",
    change: "C16 sessions, which Event Grid has not",
    mutate: change(`${bus}/queues`, "", "properties.requiresSession", true),
  },
  {
    breaks: "queues-lose-nothing",
    change: "what expires vanishes",
    mutate: change(`${bus}/queues`, "", "properties.deadLetteringOnMessageExpiration", false),
  },
  {
    breaks: "queues-lose-nothing",
    change: "messages live for an hour",
    mutate: change(`${bus}/queues`, "", "properties.defaultMessageTimeToLive", "PT1H"),
  },
  {
    breaks: "queue-locks",
    change: "a lock in words",
    mutate: change(`${bus}/queues`, "", "properties.lockDuration", "five minutes"),
  },
  {
    breaks: "changes-delivery-count",
    change: "one delivery and dead",
    mutate: change(`${bus}/queues`, "", "properties.maxDeliveryCount", 1),
  },
  {
    breaks: "quarantine-delivery-count",
    change: "ten replays and dead",
    mutate: change(`${bus}/queues`, "quarantine", "properties.maxDeliveryCount", 10),
  },
  {
    breaks: "duplicate-window",
    change: "duplicates are known for a minute",
    plan: "severalVaults",
    mutate: change(`${bus}/queues`, "", "properties.duplicateDetectionHistoryTimeWindow", "PT1M"),
  },

  {
    breaks: "vault-public-access-off",
    change: "the vault has a public way in",
    mutate: change(vault, "kv-new", "properties.publicNetworkAccess", "Enabled"),
  },
  {
    breaks: "vault-denies-networks",
    change: "the vault admits trusted services",
    mutate: change(vault, "kv-new", "properties.networkAcls.bypass", "AzureServices"),
  },
  {
    breaks: "vault-by-roles",
    change: "a new vault decides by access policies",
    mutate: change(vault, "kv-new", "properties.enableRbacAuthorization", false),
  },
  {
    breaks: "vault-keeps-what-is-deleted",
    change: "the recovery vault may be purged",
    mutate: change(vault, "kv-kvbr", "properties.enablePurgeProtection", false),
  },
  {
    breaks: "recovery-keys-apart",
    change: "the key that opens lies with what it opens",
    mutate: (plan) => {
      const key = one(plan, `${vault}/keys`)
      key.id = `${one(plan, vault, "kv-new").id}/keys/backup-recovery`
    },
  },
  {
    breaks: "recovery-keys-are-kept",
    change: "the keys may go while what they open stays",
    plan: "locked",
    mutate: (plan) => remove(plan, one(plan, "Microsoft.Authorization/locks", "recovery-keys-are-kept")),
  },
  {
    breaks: "recovery-keys-do-one-thing",
    change: "the key also decrypts and signs",
    mutate: change(`${vault}/keys`, "recovery", "properties.keyOps", ["encrypt", "decrypt", "sign"]),
  },
  {
    breaks: "access-policies-take-nothing-away",
    change: "an app may purge",
    plan: "severalVaults",
    mutate: change(`${vault}/accessPolicies`, "", "properties.accessPolicies.0.permissions.secrets", [
      "get",
      "purge",
    ]),
  },
]
