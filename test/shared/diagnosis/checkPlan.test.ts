import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { checkPlan } from "../../../shared/diagnosis/plan/checkPlan.ts"
import { readPlan } from "../../../shared/diagnosis/plan/plan.ts"

const folder = fileURLToPath(new URL("../../../infra/plans/", import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith(".snapshot.json"))

interface Resource {
  type: string
  name: string
  id: string
  location?: string
  identity?: Record<string, unknown>
  sku?: Record<string, unknown>
  /** Of any shape: a mutant changes one thing deep inside. */
  properties: Record<string, ReturnType<typeof JSON.parse>>
}

const load = (file: string) =>
  JSON.parse(readFileSync(`${folder}${file}`, "utf8")) as { predictedResources: Resource[] }

function rulesOf(json: unknown): string[] {
  const plan = readPlan(json)
  return plan ? checkPlan(plan).map(({ rule }) => rule) : ["no plan"]
}

describe("checkPlan", () => {
  it.each(files)("finds nothing in the plan %s of this project", (file) => {
    expect(rulesOf(load(file))).toEqual([])
  })

  const all = load("newVault.snapshot.json").predictedResources
  const account = (letter: string) => (resources: Resource[]) =>
    resources.find(
      ({ type, name }) => type.endsWith("/storageAccounts") && name.startsWith(`stkvb${letter}`),
    )!
  const [backups, runtime, deadLetters] = [account("b"), account("r"), account("d")]
  const first = (type: string) => (resources: Resource[]) =>
    resources.find((resource) => resource.type === type)!
  const vault = first("Microsoft.KeyVault/vaults")
  const namespace = first("Microsoft.ServiceBus/namespaces")
  const ruleSet = first("Microsoft.ServiceBus/namespaces/networkRuleSets")
  const queue = first("Microsoft.ServiceBus/namespaces/queues")
  const topic = first("Microsoft.EventGrid/systemTopics")
  const subscription = first("Microsoft.EventGrid/systemTopics/eventSubscriptions")
  const site = first("Microsoft.Web/sites")
  const settings = first("Microsoft.Web/sites/config")
  const without = (resources: Resource[], test: (resource: Resource) => boolean) =>
    resources.splice(0, resources.length, ...resources.filter((resource) => !test(resource)))

  const mutants: readonly {
    readonly rule: string
    readonly when: string
    readonly change: (resources: Resource[]) => void
  }[] = [
    {
      rule: "ip-rule-same-region",
      when: "an address rule stands for the app of the same region",
      change: (all) => {
        backups(all).properties["networkAcls"].ipRules = [{ value: "20.61.103.226", action: "Allow" }]
      },
    },
    {
      rule: "ip-rule-private",
      when: "an address rule names a private address",
      change: (all) => {
        vault(all).properties["networkAcls"].ipRules = [{ value: "10.90.0.0/24" }]
      },
    },
    {
      rule: "trusted-services",
      when: "the account of the backups admits trusted services",
      change: (all) => {
        backups(all).properties["networkAcls"].bypass = "Logging, AzureServices"
      },
    },
    {
      rule: "trusted-services",
      when: "the vault admits trusted services",
      change: (all) => {
        vault(all).properties["networkAcls"].bypass = "AzureServices"
      },
    },
    {
      rule: "zone-link-missing",
      when: "the zone of the vaults is linked to no network",
      change: (all) => without(all, ({ name }) => name.startsWith("privatelink.vaultcore.azure.net/")),
    },
    {
      rule: "zone-group-missing",
      when: "a private endpoint has no zone group",
      change: (all) => without(all, ({ name }) => name === "pe-backups-blob/default"),
    },
    {
      rule: "zone-group-missing",
      when: "a private endpoint writes into another service's zone",
      change: (all) => {
        const group = all.find(({ name }) => name === "pe-service-bus/default")!
        const [config] = group.properties["privateDnsZoneConfigs"]
        config.properties.privateDnsZoneId = config.properties.privateDnsZoneId.replace(
          "servicebus",
          "blob.core",
        )
      },
    },
    {
      rule: "endpoint-missing",
      when: "the account of the backups has no private endpoint",
      change: (all) => without(all, ({ name }) => /^pe-backups-blob(\/|$)/.test(name)),
    },
    {
      rule: "namespace-not-premium",
      when: "the namespace is of the Standard tier",
      change: (all) => {
        namespace(all).sku = { name: "Standard" }
      },
    },
    {
      rule: "public-network",
      when: "the vault takes everybody",
      change: (all) => {
        Object.assign(vault(all).properties, {
          publicNetworkAccess: "Enabled",
          networkAcls: { bypass: "None", defaultAction: "Allow" },
        })
      },
    },
    {
      rule: "shared-key",
      when: "an account does not say that it takes no keys",
      change: (all) => {
        delete runtime(all).properties["allowSharedKeyAccess"]
      },
    },
    {
      rule: "local-auth",
      when: "the namespace takes keys",
      change: (all) => {
        namespace(all).properties["disableLocalAuth"] = false
      },
    },
    {
      rule: "event-user-identity",
      when: "the topic delivers with a user-assigned identity",
      change: (all) => {
        subscription(all).properties["deliveryWithResourceIdentity"].identity.type = "UserAssigned"
      },
    },
    {
      rule: "dead-letter-user-identity",
      when: "the topic writes dead letters with a user-assigned identity",
      change: (all) => {
        subscription(all).properties["deadLetterWithResourceIdentity"].identity.type = "UserAssigned"
      },
    },
    {
      rule: "topic-no-identity",
      when: "the topic has a user-assigned identity only",
      change: (all) => {
        topic(all).identity = { type: "UserAssigned", userAssignedIdentities: {} }
      },
    },
    {
      rule: "event-not-trusted",
      when: "the private namespace does not admit Event Grid (C12)",
      change: (all) => {
        ruleSet(all).properties["trustedServiceAccessEnabled"] = false
      },
    },
    {
      rule: "dead-letter-not-trusted",
      when: "the account of the dead letters does not admit Event Grid (C13)",
      change: (all) => {
        deadLetters(all).properties["networkAcls"].bypass = "None"
      },
    },
    {
      rule: "dead-letter-missing",
      when: "there is no place for dead letters",
      change: (all) => {
        delete subscription(all).properties["deadLetterWithResourceIdentity"]
        deadLetters(all).properties["networkAcls"].bypass = "None"
      },
    },
    {
      rule: "queue-sessions",
      when: "the queue demands sessions (C16)",
      change: (all) => {
        queue(all).properties["requiresSession"] = true
      },
    },
    {
      rule: "event-filter",
      when: "certificates are left out",
      change: (all) => {
        subscription(all).properties["filter"].includedEventTypes.pop()
      },
    },
    {
      rule: "event-retry",
      when: "Event Grid gives up early",
      change: (all) => {
        subscription(all).properties["retryPolicy"].eventTimeToLiveInMinutes = 60
      },
    },
    {
      rule: "event-schema",
      when: "events come in a schema of somebody's own",
      change: (all) => {
        subscription(all).properties["eventDeliverySchema"] = "CustomInputSchema"
      },
    },
    {
      rule: "client-id-missing",
      when: "the trigger's identity is not named (C63)",
      change: (all) => {
        delete settings(all).properties["BackupServiceBus__clientId"]
      },
    },
    {
      rule: "client-id-missing",
      when: "the worker's identity is not named",
      change: (all) => {
        delete settings(all).properties["BACKUP_BACKUP_CLIENT_ID"]
      },
    },
    {
      rule: "setting-with-key",
      when: "a setting holds a key",
      change: (all) => {
        settings(all).properties["AzureWebJobsStorage"] = "AccountName=a;AccountKey=bm9ib2R5"
      },
    },
    {
      rule: "app-outside",
      when: "the app is in no network",
      change: (all) => {
        delete site(all).properties["virtualNetworkSubnetId"]
      },
    },
    {
      rule: "retention-missing",
      when: "the container has no policy (C53)",
      change: (all) => without(all, ({ type }) => type.endsWith("/immutabilityPolicies")),
    },
    {
      rule: "retention-short",
      when: "the policy is shorter than the setting asks for (C53)",
      change: (all) => {
        settings(all).properties["BACKUP_STORE_MIN_RETENTION_DAYS"] = "3650"
      },
    },
    {
      rule: "versioning-on",
      when: "blob versioning is on",
      change: (all) => {
        const services = all.find(({ name }) => name === `${backups(all).name}/default`)!
        services.properties["isVersioningEnabled"] = true
      },
    },
  ]

  it.each(mutants)("finds $rule, and nothing else, when $when", ({ rule, change }) => {
    const changed = structuredClone(all)
    change(changed)
    expect(rulesOf({ predictedResources: changed })).toEqual([rule])
  })

  it("proposes no opening to everybody", () => {
    const fixes = mutants.flatMap(({ change }) => {
      const changed = structuredClone(all)
      change(changed)
      return checkPlan(readPlan({ predictedResources: changed })!).map(({ fix }) => fix)
    })
    expect(fixes.length).toBe(mutants.length)
    expect(JSON.stringify(fixes)).not.toMatch(/default-action Allow|public-network-access Enabled|0\.0\.0\.0/)
  })

  it("reads a template with nested resources, and works out the names in it", () => {
    const template = {
      parameters: { account: { type: "string", defaultValue: "stbackups" } },
      resources: [
        {
          type: "Microsoft.Storage/storageAccounts",
          name: "[parameters('account')]",
          location: "West Europe",
          properties: { publicNetworkAccess: "Disabled", networkAcls: { bypass: "AzureServices" } },
          resources: [
            {
              type: "blobServices",
              name: "default",
              properties: { isVersioningEnabled: true },
            },
          ],
        },
        {
          type: "Microsoft.Network/privateEndpoints",
          name: "[concat(parameters('account'), '-endpoint')]",
          properties: {
            privateLinkServiceConnections: [
              {
                properties: {
                  privateLinkServiceId:
                    "[resourceId('Microsoft.Storage/storageAccounts', parameters('account'))]",
                  groupIds: ["blob"],
                },
              },
            ],
          },
        },
      ],
    }
    const findings = checkPlan(readPlan(template)!)
    expect(findings.map(({ rule, resource }) => `${rule} ${resource.split("/").at(-1)}`)).toEqual([
      "trusted-services stbackups",
      "shared-key stbackups",
      "zone-group-missing stbackups-endpoint",
    ])
  })

  it.each([{}, [], "text", null, { resources: "none" }, { resources: [{ name: "x" }] }])(
    "knows %j for no description of a set-up",
    (json) => {
      expect(readPlan(json)).toBeUndefined()
    },
  )
})
