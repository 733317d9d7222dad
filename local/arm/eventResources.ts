import type { AccessControl } from "../access/accessControl.ts"
import type { Caller } from "../access/tokenAuthority.ts"

/** What the management plane tells of the way of an event beyond its subscription. */
export interface EventResources {
  readonly access: AccessControl
  /** The identity of the system topic. */
  readonly topic: Caller
  readonly requiresSession: boolean
}

/** What it is made to say instead. */
export interface EventResourceAnswers {
  readonly provider?: "Registered" | "NotRegistered" | undefined
  /** `properties` of the network rules of the namespace. */
  readonly namespaceRules?: Readonly<Record<string, unknown>> | undefined
  /** `properties` of the account of the dead letters. */
  readonly deadLetterAccount?: Readonly<Record<string, unknown>> | undefined
}

const group = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers"

/** Ids of the resources on the way of an event, as a deployment would name them. */
export const eventResourceIds = {
  queue: (name: string) => `${group}/Microsoft.ServiceBus/namespaces/local/queues/${name}`,
  deadLetterAccount: `${group}/Microsoft.Storage/storageAccounts/localdeadletters`,
} as const

const send = "Microsoft.ServiceBus/namespaces/messages/send/action"
const write = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"

/**
 * The body of a resource, as it is in a deployment of `infra/`; undefined for one that is not on the way. Roles are those
 * in force: without the grant of the topic there is no assignment.
 */
export function eventResource(
  path: string,
  { access, topic, requiresSession }: EventResources,
  answers: EventResourceAnswers,
): Readonly<Record<string, unknown>> | undefined {
  const properties = (value: object) => ({ id: path, properties: value })
  if (/^\/subscriptions\/[^/]+\/providers\/Microsoft\.EventGrid$/i.test(path)) {
    return { id: path, namespace: "Microsoft.EventGrid", registrationState: answers.provider ?? "Registered" }
  }
  if (/\/systemTopics\/[^/]+$/i.test(path)) {
    return { id: path, identity: { type: "SystemAssigned", principalId: topic.objectId }, properties: {} }
  }
  if (/\/networkRuleSets\/default$/i.test(path)) {
    return properties(
      answers.namespaceRules ?? {
        publicNetworkAccess: "Disabled",
        defaultAction: "Deny",
        trustedServiceAccessEnabled: true,
      },
    )
  }
  const scope = /^(.*)\/providers\/Microsoft\.Authorization\/roleAssignments$/i.exec(path)?.[1]
  if (scope !== undefined) return { value: assignments(scope, access, topic) }
  if (/\/queues\/[^/]+$/i.test(path)) return properties({ requiresSession })
  if (/\/storageAccounts\/[^/]+$/i.test(path)) {
    return properties(
      answers.deadLetterAccount ?? {
        publicNetworkAccess: "Enabled",
        allowSharedKeyAccess: false,
        networkAcls: { bypass: "AzureServices", defaultAction: "Deny", ipRules: [], virtualNetworkRules: [] },
      },
    )
  }
  return undefined
}

function assignments(scope: string, access: AccessControl, topic: Caller): readonly object[] {
  const [, kind, name = ""] = /\/(queues|containers)\/([^/]+)$/i.exec(scope) ?? []
  const action = kind === "queues" ? send : write
  const held = kind === undefined ? false : access.may(topic, action, kind === "queues" ? name : `${name}/x`)
  return held ? [{ properties: { principalId: topic.objectId, scope } }] : []
}
