import { listAt, memberAt, type Members, propertiesOf, textAt } from "./armAnswer.ts"
import { topicOf, type EventsEvidence } from "./eventsEvidence.ts"
import type { CallAnswer } from "./harmlessCall.ts"
import { failingVerdict, okVerdict, type Verdict } from "./verdict.ts"

/** The way from the topic to the queue, by the properties of the event subscription. Pure. */
export function judgeDelivery(evidence: EventsEvidence, properties: Members): Verdict {
  const delivery = memberAt(properties, "deliveryWithResourceIdentity")
  const identity = textAt(memberAt(delivery, "identity"), "type")
  const destination = memberAt(delivery, "destination")
  const { name: namespace, queue } = queueOf(textAt(memberAt(destination, "properties"), "resourceId"))
  if (identity === "") {
    return failingVerdict("delivery.noIdentity", "events are delivered without an identity of the topic", {
      what: "Deliver with the topic's system-assigned identity: a private namespace with local authentication off takes nothing else.",
      bicep: "deliveryWithResourceIdentity of infra/modules/eventSubscription.bicep",
    })
  }
  if (identity !== "SystemAssigned") return userIdentity("delivery", evidence.id)
  const rules = propertiesOf(evidence.namespaceRules)
  if (rules !== undefined && isClosed(rules) && rules["trustedServiceAccessEnabled"] !== true) {
    return failingVerdict(
      "delivery.trustedServices",
      `the namespace ${namespace} is private and admits no trusted services: Event Grid cannot enter through a private endpoint, and its events end as dead letters with outcome Forbidden`,
      {
        what: "Admit trusted services in the network rules of this one namespace; who may send is still decided by the role of the topic's identity.",
        bicep: "trustedServiceAccessEnabled of infra/modules/serviceBus.bicep",
        az: [
          `az servicebus namespace network-rule-set update --resource-group RESOURCE_GROUP --namespace-name ${namespace} --enable-trusted-service-access true --default-action Deny`,
        ],
      },
    )
  }
  if (propertiesOf(evidence.queue)?.["requiresSession"] === true) {
    return failingVerdict(
      "delivery.sessions",
      `the queue ${queue} demands sessions, which Event Grid cannot deliver to (queue-sessions)`,
      {
        what: "Make a queue without sessions and deliver to that one: sessions are fixed when a queue is made.",
        az: [
          `az servicebus queue create --resource-group RESOURCE_GROUP --namespace-name ${namespace} --name ${queue}-plain --enable-session false`,
        ],
      },
    )
  }
  if (hasNoRole(evidence.queueRoles)) {
    return failingVerdict("delivery.role", `the topic's identity has no role at the queue ${queue}`, {
      what: "Let the topic's identity send to this one queue.",
      role: "Azure Service Bus Data Sender",
      az: [
        assign(
          evidence,
          "Azure Service Bus Data Sender",
          textAt(memberAt(destination, "properties"), "resourceId"),
        ),
      ],
    })
  }
  return okVerdict(
    `to ${queue || "the queue"} with the topic's own identity`,
    notTolds(evidence, ["namespaceRules", "queueRoles"]),
  )
}

/** The way of what cannot be delivered. Pure. */
export function judgeDeadLettering(evidence: EventsEvidence, properties: Members): Verdict {
  const dead = memberAt(properties, "deadLetterWithResourceIdentity")
  const destination = memberAt(dead, "deadLetterDestination", "properties")
  const accountId = textAt(destination, "resourceId")
  const container = textAt(destination, "blobContainerName")
  const account = accountId.split("/").at(-1) ?? ""
  if (Object.keys(dead).length === 0) {
    const isPlain = Object.keys(memberAt(properties, "deadLetterDestination")).length > 0
    return failingVerdict(
      isPlain ? "deadLettering.noIdentity" : "deadLettering.absent",
      isPlain
        ? "dead letters are written without an identity of the topic"
        : "there is no place for dead letters: what Event Grid cannot deliver is dropped",
      {
        what: "Give the event subscription a dead-letter container, with the topic's system-assigned identity.",
        bicep: "deadLetterWithResourceIdentity of infra/modules/eventSubscription.bicep",
      },
    )
  }
  if (textAt(memberAt(dead, "identity"), "type") !== "SystemAssigned") {
    return userIdentity("deadLettering", evidence.id)
  }
  const found = propertiesOf(evidence.deadLetterAccount)
  const rules = memberAt(found, "networkAcls")
  if (
    found !== undefined &&
    isClosed({ ...found, ...rules }) &&
    !/AzureServices/.test(textAt(rules, "bypass"))
  ) {
    return failingVerdict(
      "deadLettering.trustedServices",
      `the account ${account} denies every network and admits no trusted services: dead letters cannot be written there, and are dropped`,
      {
        what: "Admit trusted services on this one account, which holds dead letters and nothing else. A rule for the topic alone is reported not to suffice.",
        bicep: "bypass of infra/modules/deadLetterStorage.bicep",
        az: [`az storage account update --name ${account} --bypass AzureServices --default-action Deny`],
      },
    )
  }
  if (hasNoRole(evidence.deadLetterRoles)) {
    return failingVerdict(
      "deadLettering.role",
      `the topic's identity has no role at the container ${container} of ${account}`,
      {
        what: "Let the topic's identity write to this one container.",
        role: "Storage Blob Data Contributor",
        az: [
          assign(
            evidence,
            "Storage Blob Data Contributor",
            `${accountId}/blobServices/default/containers/${container}`,
          ),
        ],
      },
    )
  }
  return okVerdict(
    `to ${container || "a container"} with the topic's own identity`,
    notTolds(evidence, ["deadLetterAccount", "deadLetterRoles"]),
  )
}

function userIdentity(part: string, id: string): Verdict {
  return failingVerdict(
    `${part}.userIdentity`,
    "the topic comes with a user-assigned identity, which no firewall lets in",
    {
      what: "Use the topic's system-assigned identity: a user-assigned one is refused where the destination has a firewall, whatever it admits.",
      az: [
        `az eventgrid system-topic update --resource-group RESOURCE_GROUP --name ${topicOf(id)} --identity systemassigned`,
      ],
    },
  )
}

/** Does every network have to be admitted? Where public access is off, whatever the default action says. */
function isClosed(rules: Members): boolean {
  return textAt(rules, "publicNetworkAccess") === "Disabled" || textAt(rules, "defaultAction") === "Deny"
}

function hasNoRole(roles: CallAnswer | undefined): boolean {
  return roles?.status === 200 && listAt(roles.json, "value").length === 0
}

function assign({ topic, id }: EventsEvidence, role: string, scope: string): string {
  const principalId = textAt(memberAt(topic?.json, "identity"), "principalId")
  const assignee =
    principalId ||
    `"$(az resource show --ids ${id.split("/eventSubscriptions/")[0]} --query identity.principalId --output tsv)"`
  return `az role assignment create --role "${role}" --assignee-object-id ${assignee} --assignee-principal-type ServicePrincipal --scope ${scope}`
}

function queueOf(id: string): { readonly name: string; readonly queue: string } {
  const parts = id.split("/")
  return { name: parts[parts.indexOf("namespaces") + 1] ?? "", queue: parts.at(-1) ?? "" }
}

function notTolds(evidence: EventsEvidence, names: readonly (keyof EventsEvidence)[]): readonly string[] {
  return names
    .filter((name) => (evidence[name] as CallAnswer | undefined)?.status !== 200)
    .map((name) => `Not told: ${name}.`)
}
