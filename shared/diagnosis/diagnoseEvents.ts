import { listAt, memberAt, type Members, propertiesOf, textAt } from "./armAnswer.ts"
import type { CallAnswer } from "./harmlessCall.ts"
import { judgeDeadLettering, judgeDelivery } from "./diagnoseDelivery.ts"
import { type EventsEvidence, nameOf, topicOf } from "./eventsEvidence.ts"
import { failingVerdict, okVerdict, type Verdict } from "./verdict.ts"

/** Verdicts on the parts of the way: the provider, what is subscribed, the way to the queue, the way of dead letters. */
export type EventsVerdicts = Readonly<
  Record<"provider" | "subscription" | "delivery" | "deadLettering", Verdict>
>

const backedUp = [
  "Microsoft.KeyVault.SecretNewVersionCreated",
  "Microsoft.KeyVault.CertificateNewVersionCreated",
]

const longestAttempts = 30
const longestMinutes = 1440

/** Judges the settings of the event subscription. Pure. */
export function diagnoseEvents(evidence: EventsEvidence): EventsVerdicts {
  const properties = propertiesOf(evidence.subscription)
  if (properties === undefined) {
    const missing = notFound(evidence)
    const rest: Verdict = { status: "notAsked", verdict: "notAsked", says: "see the event subscription" }
    return {
      provider: judgeProvider(evidence),
      subscription: missing,
      delivery: rest,
      deadLettering: rest,
    }
  }
  return {
    provider: judgeProvider(evidence),
    subscription: judgeSubscription(evidence.id, properties),
    delivery: judgeDelivery(evidence, properties),
    deadLettering: judgeDeadLettering(evidence, properties),
  }
}

/** Without the provider nothing is ever delivered, and nothing says so. */
function judgeProvider({ provider }: EventsEvidence): Verdict {
  const state = textAt(provider?.json, "registrationState")
  if (state === "") return notTold("provider", provider)
  if (state === "Registered") return okVerdict("Microsoft.EventGrid is registered in the subscription")
  return failingVerdict(
    "provider.notRegistered",
    `Microsoft.EventGrid is ${state} in the subscription: no event ever comes`,
    {
      what: "Register the provider in the subscription of the vault, then deploy the event subscription again.",
      az: ["az provider register --namespace Microsoft.EventGrid --wait"],
    },
  )
}

function notFound({ id, subscription }: EventsEvidence): Verdict {
  if (subscription?.status !== 404) return notTold("subscription", subscription)
  return failingVerdict(
    "subscription.absent",
    `there is no event subscription ${nameOf(id)}: no event ever comes`,
    {
      what: "Deploy the event subscription.",
      az: [
        "az deployment sub create --name kvbackup --location LOCATION --template-file infra/main.bicep --parameters infra/main.bicepparam",
      ],
    },
  )
}

/** What is subscribed, and how it is delivered, by the properties of the event subscription. Pure. */
export function judgeSubscription(id: string, properties: Members): Verdict {
  const update = (change: string) => [
    `az eventgrid system-topic event-subscription update --resource-group RESOURCE_GROUP --system-topic-name ${topicOf(id)} --name ${nameOf(id)} ${change}`,
  ]
  const state = textAt(properties, "provisioningState")
  if (state !== "" && state !== "Succeeded") {
    return failingVerdict("subscription.provisioning", `the event subscription is ${state}`, {
      what: "Deploy the event subscription again, and read what the deployment says.",
    })
  }
  const schema = textAt(properties, "eventDeliverySchema")
  if (schema !== "" && !/^(EventGridSchema|CloudEventSchemaV1_0)$/.test(schema)) {
    return failingVerdict("subscription.schema", `events come as ${schema}, which the worker does not read`, {
      what: "Make the event subscription anew with CloudEvents; the schema is fixed when it is made.",
      bicep: "eventDeliverySchema of infra/modules/eventSubscription.bicep",
    })
  }
  const filter = memberAt(properties, "filter")
  const types = listAt(filter, "includedEventTypes").map(String)
  const missing = types.length === 0 ? [] : backedUp.filter((type) => !types.includes(type))
  if (missing.length > 0) {
    return failingVerdict("subscription.filter", `the filter leaves out ${missing.join(" and ")}`, {
      what: `Take exactly these event types: ${backedUp.join(", ")}.`,
      az: update(`--included-event-types ${backedUp.join(" ")}`),
    })
  }
  const [begins, ends] = [textAt(filter, "subjectBeginsWith"), textAt(filter, "subjectEndsWith")]
  if (begins !== "" || ends !== "" || listAt(filter, "advancedFilters").length > 0) {
    return failingVerdict(
      "subscription.filter",
      "the filter lets only some objects through, by name or by field",
      {
        what: "Take the other filters away; names that are not wanted belong in BACKUP_EXCLUDE, where they are counted.",
        az: update(`--subject-begins-with "" --subject-ends-with ""`),
      },
    )
  }
  const retry = memberAt(properties, "retryPolicy")
  const attempts = Number(retry["maxDeliveryAttempts"] ?? longestAttempts)
  const minutes = Number(retry["eventTimeToLiveInMinutes"] ?? longestMinutes)
  if (attempts < longestAttempts || minutes < longestMinutes) {
    return failingVerdict(
      "subscription.retry",
      `Event Grid gives up after ${attempts} attempts or ${minutes} minutes`,
      {
        what: `Let it try ${longestAttempts} times in ${longestMinutes} minutes, the most there is.`,
        az: update(`--max-delivery-attempts ${longestAttempts} --event-ttl ${longestMinutes}`),
      },
    )
  }
  const all =
    types.length === 0 ? ["All event types are taken; those that are not backed up are skipped."] : []
  return {
    ...okVerdict(`${schema || "default schema"}, ${attempts} attempts in ${minutes} minutes`),
    notes: all,
  }
}

function notTold(part: string, answer: CallAnswer | undefined): Verdict {
  const codes = [answer?.status, answer?.code].filter(Boolean).join(" ")
  return {
    status: "unknown",
    verdict: `${part}.notTold`,
    says: `the management plane does not tell${codes === "" ? "" : ` (${codes})`}`,
    fix: {
      what: "Run this as somebody who may read the event subscription and its topic, with --credential azureCli.",
      role: "Reader",
    },
  }
}
