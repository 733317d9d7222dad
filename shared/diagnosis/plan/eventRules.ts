import { judgeDeadLettering, judgeDelivery } from "../diagnoseDelivery.ts"
import { judgeSubscription } from "../diagnoseEvents.ts"
import type { EventsEvidence } from "../eventsEvidence.ts"
import type { CallAnswer } from "../harmlessCall.ts"
import type { Verdict } from "../verdict.ts"
import { firewallsOf } from "./networkRules.ts"
import type { Plan, PlanResource } from "./plan.ts"
import {
  destinationsOf,
  finding,
  isNamed,
  namespaceIdOf,
  namespaceType,
  ofType,
  type PlanFinding,
  type PlanRule,
  storageType,
  subscriptionType,
} from "./planFinding.ts"

/**
 * Event subscriptions by the same rules as the living ones: what the management plane would tell is taken from the plan.
 * Roles are no part of it, since their identities are not known before they are made.
 */
const subscriptions: PlanRule = (plan) =>
  ofType(plan, subscriptionType).flatMap((subscription): readonly PlanFinding[] => {
    const { delivery, deadLetters } = destinationsOf(subscription)
    const id = subscription.id || `/systemTopics/${subscription.name.replace("/", "/eventSubscriptions/")}`
    const evidence: EventsEvidence = {
      id,
      ...told("namespaceRules", rulesOf(plan, namespaceIdOf(delivery))),
      ...told(
        "queue",
        ofType(plan, `${namespaceType}/queues`).find((queue) => isQueue(delivery, queue)),
      ),
      ...told(
        "deadLetterAccount",
        ofType(plan, storageType).find((account) => isNamed(deadLetters, account)),
      ),
    }
    const { properties } = subscription
    return [
      judgeSubscription(id, properties),
      judgeDelivery(evidence, properties),
      judgeDeadLettering(evidence, properties),
    ].flatMap((verdict) => toFinding(subscription, verdict))
  })

/** Names of the rules, by the verdict on a living subscription. */
const ruleOf: Readonly<Record<string, string>> = {
  "subscription.schema": "event-schema",
  "subscription.filter": "event-filter",
  "subscription.retry": "event-retry",
  "delivery.noIdentity": "event-no-identity",
  "delivery.userIdentity": "event-user-identity",
  "delivery.trustedServices": "event-not-trusted",
  "delivery.sessions": "queue-sessions",
  "deadLettering.absent": "dead-letter-missing",
  "deadLettering.noIdentity": "dead-letter-no-identity",
  "deadLettering.userIdentity": "dead-letter-user-identity",
  "deadLettering.trustedServices": "dead-letter-not-trusted",
}

function toFinding(subscription: PlanResource, verdict: Verdict): readonly PlanFinding[] {
  const rule = ruleOf[verdict.verdict]
  return rule === undefined || verdict.fix === undefined
    ? []
    : [finding(rule, subscription, verdict.says, verdict.fix)]
}

/** The topic must have the identity that its subscription delivers with. */
const topicIdentities: PlanRule = (plan) =>
  ofType(plan, "microsoft.eventgrid/systemtopics")
    .filter(({ identity }) => !/SystemAssigned/i.test(String(identity["type"] ?? "")))
    .map((topic) =>
      finding("topic-no-identity", topic, "has no system-assigned identity to deliver with", {
        what: "Give the topic a system-assigned identity; a user-assigned one is let in by no firewall.",
        az: [
          `az eventgrid system-topic update --resource-group RESOURCE_GROUP --name ${topic.name} --identity systemassigned`,
        ],
      }),
    )

function rulesOf(plan: Plan, namespaceId: string): { readonly properties: object } | undefined {
  const firewall = firewallsOf(plan).find(
    ({ resource }) => resource.type === namespaceType && isNamed(namespaceId, resource),
  )
  if (!firewall) return undefined
  return {
    properties: {
      publicNetworkAccess: firewall.publicAccess,
      defaultAction: firewall.defaultAction,
      trustedServiceAccessEnabled: firewall.admitsTrusted,
    },
  }
}

function isQueue(id: string, { name }: PlanResource): boolean {
  const [namespace = "", queue = ""] = name.toLowerCase().split("/")
  return id.endsWith(`/namespaces/${namespace}/queues/${queue}`)
}

function told<Name extends string>(
  name: Name,
  resource: { readonly properties: object } | undefined,
): { readonly [Key in Name]?: CallAnswer } {
  if (resource === undefined) return {}
  const answer: CallAnswer = {
    status: 200,
    code: "",
    innerCode: "",
    flags: {},
    json: { properties: resource.properties },
  }
  return { [name]: answer } as { readonly [Key in Name]: CallAnswer }
}

export const eventRules: readonly PlanRule[] = [subscriptions, topicIdentities]
