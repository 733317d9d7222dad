import { listAt, memberAt, type Members, textAt } from "../armAnswer.ts"
import type { Plan, PlanResource } from "./plan.ts"
import {
  destinationsOf,
  finding,
  isExpression,
  isNamed,
  namespaceIdOf,
  namespaceType,
  ofType,
  type PlanFinding,
  type PlanRule,
  storageType,
  subscriptionType,
  vaultType,
} from "./planFinding.ts"

/** What the firewall of a vault, an account or a namespace says. */
interface Firewall {
  readonly resource: PlanResource
  readonly publicAccess: string
  readonly defaultAction: string
  readonly ipRules: readonly string[]
  readonly admitsTrusted: boolean
}

/** Every firewall of the set-up, with what holds where nothing is said. */
export function firewallsOf(plan: Plan): readonly Firewall[] {
  const ofAcls = (resource: PlanResource): Firewall => {
    const acls = memberAt(resource.properties, "networkAcls")
    const isTold = Object.keys(acls).length > 0
    return {
      resource,
      publicAccess: textAt(resource.properties, "publicNetworkAccess") || "Enabled",
      defaultAction: textAt(acls, "defaultAction") || "Allow",
      ipRules: addressesOf(acls),
      admitsTrusted: isTold && textAt(acls, "bypass").includes("AzureServices"),
    }
  }
  const ofRuleSet = (resource: PlanResource): Firewall => {
    const rules = ofType(plan, `${namespaceType}/networkrulesets`).find(({ name }) =>
      name.toLowerCase().startsWith(`${resource.name.toLowerCase()}/`),
    )
    const said: Members = rules?.properties ?? {}
    return {
      resource,
      publicAccess:
        textAt(said, "publicNetworkAccess") ||
        textAt(resource.properties, "publicNetworkAccess") ||
        "Enabled",
      defaultAction: textAt(said, "defaultAction") || "Allow",
      ipRules: addressesOf(said),
      admitsTrusted: said["trustedServiceAccessEnabled"] === true,
    }
  }
  return [
    ...ofType(plan, storageType).map(ofAcls),
    ...ofType(plan, vaultType).map(ofAcls),
    ...ofType(plan, namespaceType).map(ofRuleSet),
  ]
}

/** Is nobody let in but who is named, or comes through a private endpoint? */
export function isClosed({ publicAccess, defaultAction }: Firewall): boolean {
  return publicAccess === "Disabled" || publicAccess === "SecuredByPerimeter" || defaultAction === "Deny"
}

function addressesOf(rules: Members): readonly string[] {
  return listAt(rules, "ipRules").map((rule) => textAt(rule, "value") || textAt(rule, "ipMask"))
}

const openNetwork: PlanRule = (plan) =>
  firewallsOf(plan)
    .filter((firewall) => !isClosed(firewall))
    .filter(({ publicAccess, defaultAction }) => !isExpression(publicAccess) && !isExpression(defaultAction))
    .map(({ resource }) =>
      finding("public-network", resource, "takes calls from every network", {
        what: `Turn public network access of ${resource.name} off, and reach it by its private endpoint.`,
        az: [disableOf(resource)],
      }),
    )

/** An address of the same region is never compared with the rules: such calls come from inside Microsoft's network. */
const addressRules: PlanRule = (plan) => {
  const regions = ofType(plan, "microsoft.web/sites").map(({ location }) => location)
  return firewallsOf(plan).flatMap(({ resource, ipRules }): readonly PlanFinding[] => {
    const isSameRegion = regions.length === 0 || regions.includes(resource.location)
    const privateOnes = ipRules.filter((text) => /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(text))
    const fix = {
      what: `Take the address rules of ${resource.name} away, and let the app's subnet in by a private endpoint.`,
    }
    if (privateOnes.length > 0) {
      return [
        finding(
          "ip-rule-private",
          resource,
          `has rules for private addresses, which it never sees: ${privateOnes.join(", ")}`,
          fix,
        ),
      ]
    }
    return ipRules.length > 0 && isSameRegion
      ? [
          finding(
            "ip-rule-same-region",
            resource,
            `has address rules, which have no effect on callers of its own region: ${ipRules.join(", ")}`,
            fix,
          ),
        ]
      : []
  })
}

/** The exception for trusted services is right in two places, where Event Grid has no other way. */
const trustedServices: PlanRule = (plan) => {
  const used = ofType(plan, subscriptionType).map((subscription) => destinationsOf(subscription))
  return firewallsOf(plan).flatMap(({ resource, admitsTrusted }) => {
    if (!admitsTrusted) return []
    const isNeeded =
      resource.type === namespaceType
        ? used.some(({ delivery }) => isNamed(namespaceIdOf(delivery), resource))
        : used.some(({ deadLetters }) => isNamed(deadLetters, resource))
    if (isNeeded) return []
    return [
      finding(
        "trusted-services",
        resource,
        "admits every trusted service of every tenant, and Event Grid does not need it here",
        {
          what: `Take the exception away, and name the resources that come without a network in allowedResourceInstances.`,
          bicep: "allowedResourceInstances",
          az: [
            resource.type === vaultType
              ? `az keyvault update --name ${resource.name} --bypass None`
              : resource.type === namespaceType
                ? `az servicebus namespace network-rule-set update --resource-group RESOURCE_GROUP --namespace-name ${resource.name} --enable-trusted-service-access false`
                : `az storage account update --name ${resource.name} --bypass None`,
          ],
        },
      ),
    ]
  })
}

const sharedKeys: PlanRule = (plan) => [
  ...ofType(plan, storageType)
    .filter(({ properties }) => properties["allowSharedKeyAccess"] !== false)
    .map((account) =>
      finding("shared-key", account, "takes account keys and what is signed with them", {
        what: `Turn shared keys of ${account.name} off: who has one may do everything, and is nobody in the logs.`,
        az: [`az storage account update --name ${account.name} --allow-shared-key-access false`],
      }),
    ),
  ...ofType(plan, namespaceType)
    .filter(({ properties }) => properties["disableLocalAuth"] !== true)
    .map((namespace) =>
      finding("local-auth", namespace, "takes shared access keys", {
        what: `Turn local authentication of ${namespace.name} off.`,
        az: [
          `az servicebus namespace update --resource-group RESOURCE_GROUP --name ${namespace.name} --disable-local-auth true`,
        ],
      }),
    ),
]

function disableOf({ type, name }: PlanResource): string {
  if (type === vaultType) return `az keyvault update --name ${name} --public-network-access Disabled`
  if (type === namespaceType) {
    return `az servicebus namespace update --resource-group RESOURCE_GROUP --name ${name} --public-network-access Disabled`
  }
  return `az storage account update --name ${name} --public-network-access Disabled`
}

export const networkRules: readonly PlanRule[] = [openNetwork, addressRules, trustedServices, sharedKeys]
