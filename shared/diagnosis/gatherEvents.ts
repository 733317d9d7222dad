import { memberAt, type Members, propertiesOf, textAt } from "./armAnswer.ts"
import type { HttpCaller } from "./caller.ts"
import type { EventsEvidence } from "./eventsEvidence.ts"
import type { CallAnswer } from "./harmlessCall.ts"
import { within } from "./within.ts"

/** The management plane: reads only. */
export interface Management {
  readonly url: string
  readonly http: HttpCaller
  readonly token: string
}

const readMs = 4000

/** Reads one resource. Never rejects: no answer is an answer. */
export async function readResource(
  { url, http, token }: Management,
  path: string,
  version: string,
  query = "",
): Promise<CallAnswer> {
  const call = {
    name: "read a resource",
    right: "Microsoft.Resources/subscriptions/resources/read",
    method: "GET",
    url: `${url}${path}?api-version=${version}${query}`,
    passes: ["200"],
  } as const
  const answer = await within(readMs, (signal) => http.call(call, "management", token, { signal }))
  return answer ?? { code: "ETIMEDOUT", innerCode: "", flags: {}, error: "ERR_UNKNOWN" }
}

/** Everything the management plane tells of the way of an event, in two rounds. Changes nothing, never rejects. */
export async function gatherEvents(management: Management, id: string): Promise<EventsEvidence> {
  const read = (path: string, version: string, query?: string) =>
    path === "" ? undefined : readResource(management, path, version, query)
  const subscriptionOf = /^\/subscriptions\/[^/]+/i.exec(id)?.[0] ?? ""
  const topicId = id.split(/\/eventSubscriptions\//i)[0] ?? ""
  const [provider, subscription, topic] = await Promise.all([
    read(`${subscriptionOf}/providers/Microsoft.EventGrid`, "2021-04-01"),
    read(id, "2025-02-15"),
    read(/\/systemTopics\/[^/]+$/i.test(topicId) ? topicId : "", "2025-02-15"),
  ])
  const properties = propertiesOf(subscription) ?? {}
  const queueId = destinationOf(properties)
  const deadLetters = memberAt(
    properties,
    "deadLetterWithResourceIdentity",
    "deadLetterDestination",
    "properties",
  )
  const accountId = textAt(deadLetters, "resourceId")
  const container = textAt(deadLetters, "blobContainerName")
  const principalId = textAt(memberAt(topic?.json, "identity"), "principalId")
  const roles = (scope: string) =>
    scope === "" || principalId === ""
      ? undefined
      : read(
          `${scope}/providers/Microsoft.Authorization/roleAssignments`,
          "2022-04-01",
          `&$filter=${encodeURIComponent(`assignedTo('${principalId}')`)}`,
        )
  const namespaceId = queueId.split(/\/queues\//i)[0] ?? ""
  const [namespaceRules, queue, deadLetterAccount, queueRoles, deadLetterRoles] = await Promise.all([
    read(namespaceId === "" ? "" : `${namespaceId}/networkRuleSets/default`, "2024-01-01"),
    read(queueId, "2024-01-01"),
    read(accountId, "2025-06-01"),
    roles(queueId),
    roles(accountId === "" ? "" : `${accountId}/blobServices/default/containers/${container}`),
  ])
  return {
    id,
    ...defined({ provider, subscription, topic, namespaceRules, queue }),
    ...defined({ deadLetterAccount, queueRoles, deadLetterRoles }),
  }
}

function destinationOf(properties: Members): string {
  const destination = memberAt(properties, "deliveryWithResourceIdentity", "destination", "properties")
  return textAt(destination, "resourceId")
}

/** Only those that were told: what was not is absent. */
function defined<Name extends string>(
  answers: Readonly<Record<Name, CallAnswer | undefined>>,
): { readonly [Key in Name]?: CallAnswer } {
  return Object.fromEntries(Object.entries(answers).filter(([, answer]) => answer !== undefined)) as {
    readonly [Key in Name]?: CallAnswer
  }
}
