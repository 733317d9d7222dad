import { failingVerdict, type Fix, okVerdict, type Verdict } from "./verdict.ts"

/** The newest dead letter of Event Grid. */
export interface NewestLetter {
  readonly blob: string
  readonly at: Date
  /** `REASON/OUTCOME`, as Event Grid says them. */
  readonly reason: string
}

/** A dead letter older than this tells of a fault that may be mended by now. */
const recentMs = 3_600_000

/**
 * What the newest dead letter says of the way from Event Grid to the queue. A dead letter stays after its cause is mended,
 * so an old one is a note. Pure.
 */
export function diagnoseLetters(
  newest: NewestLetter | undefined,
  names: { readonly namespace: string; readonly queue: string },
  now: Date,
): Verdict {
  if (newest === undefined) return okVerdict("no dead letters of Event Grid")
  const says = `the newest dead letter of Event Grid, of ${newest.at.toISOString()}, says ${newest.reason}`
  if (now.getTime() - newest.at.getTime() > recentMs) {
    return okVerdict("no dead letter of Event Grid in the last hour", [`${says}.`])
  }
  const { cause, fix } = adviseDeadLetter(newest.reason, names)
  return failingVerdict(`deadLetters.${cause}`, says, fix)
}

/** The fix that belongs to what Event Grid says of a delivery, as `REASON/OUTCOME`. */
export function adviseDeadLetter(
  reason: string,
  { namespace, queue }: { readonly namespace: string; readonly queue: string },
): { readonly cause: "forbidden" | "notFound" | "rejected" | "unavailable"; readonly fix: Fix } {
  const outcome = reason.split("/").at(-1) ?? ""
  if (/^(Forbidden|Unauthorized)$/i.test(outcome)) {
    return {
      cause: "forbidden",
      fix: {
        what: "Let the topic's system-assigned identity send to the queue, and admit trusted services in the network rules of this namespace: Event Grid cannot enter through a private endpoint. Then replay with `kvbackup replay --from event-grid`.",
        bicep: "trustedServiceAccessEnabled of infra/modules/serviceBus.bicep",
        role: "Azure Service Bus Data Sender",
        az: [
          `az role assignment create --role "Azure Service Bus Data Sender" --assignee-object-id "$(az eventgrid system-topic show --resource-group RESOURCE_GROUP --name TOPIC --query identity.principalId --output tsv)" --assignee-principal-type ServicePrincipal --scope "$(az servicebus queue show --resource-group RESOURCE_GROUP --namespace-name ${namespace} --name ${queue} --query id --output tsv)"`,
          `az servicebus namespace network-rule-set update --resource-group RESOURCE_GROUP --namespace-name ${namespace} --enable-trusted-service-access true --default-action Deny`,
        ],
      },
    }
  }
  if (/^NotFound$/i.test(outcome)) {
    return {
      cause: "notFound",
      fix: {
        what: `Deploy the queue ${queue}, or let the event subscription name the one there is. Then replay with \`kvbackup replay --from event-grid\`.`,
        az: [
          `az servicebus queue show --resource-group RESOURCE_GROUP --namespace-name ${namespace} --name ${queue}`,
        ],
      },
    }
  }
  if (/^(BadRequest|PayloadTooLarge|RequestEntityTooLarge)$/i.test(outcome)) {
    return {
      cause: "rejected",
      fix: {
        what: `See whether the queue ${queue} demands sessions, which Event Grid has not: they are fixed when a queue is made.`,
        az: [
          `az servicebus queue show --resource-group RESOURCE_GROUP --namespace-name ${namespace} --name ${queue} --query requiresSession`,
        ],
      },
    }
  }
  return {
    cause: "unavailable",
    fix: { what: "Replay with `kvbackup replay --from event-grid`, once the namespace answers again." },
  }
}
