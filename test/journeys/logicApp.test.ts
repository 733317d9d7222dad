import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { ServiceBusClient } from "@azure/service-bus"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { listPlans } from "../../infra/tools/plans.ts"
import { listAssignments } from "../../infra/tools/policies/assignments.ts"
import { at, readPlan, resourcesOf } from "../../infra/tools/policies/plan.ts"
import { planRoles } from "../infra/planRoles.ts"
import { type EventFacts, eventFacts, eventGridForm } from "../support/eventForms.ts"
import { eventually } from "../support/plannedCloud.ts"
import { namesIn } from "../support/reconcileJourney.ts"
import { type Journey, recordNameOf, startJourney } from "../support/startJourney.ts"

const page = readFileSync(join(import.meta.dirname, "../../docs/logic-app.md"), "utf8")
const plan = readPlan(listPlans().find(({ name }) => name === "existingVault")!.snapshot)
/** `logic-payments` of the plan: it is in `changeSenders` and in `allowedResourceInstances`. */
const logicApp = "55555555-0000-4000-8000-000000000003"
/** Who plays it in the local cloud; this job has no part in sending. */
const job = "verify"

let journey: Journey
let client: ServiceBusClient

/** A code block of the page, as it stands there. */
function block(name: string): string {
  const [, text] = new RegExp(`\`\`\`json ${name}\n(.*?)\n\`\`\``, "s").exec(page) ?? []
  if (text === undefined) throw new Error(`The page shows no ${name}`)
  return text
}

/** The documented body for a version, its placeholders filled in and not a byte else changed. */
function bodyOf({ versionUrl, eventId, time }: EventFacts): string {
  const [name = "", version = ""] = versionUrl.split("/").slice(-2)
  return block("body")
    .replace("https://VAULT.vault.azure.net", new URL(versionUrl).origin)
    .replace("/NAME/VERSION", `/${name}/${version}`)
    .replace("EVENT-ID", eventId)
    .replace("EVENT-TIME", time)
}

/** What Logic Apps makes of texts that are one expression over the body of the trigger. */
function evaluate(value: unknown, triggerBody: unknown): unknown {
  if (typeof value === "string") {
    const [, path] = /^@triggerBody\(\)((?:\?\['\w+'\])+)$/.exec(value) ?? []
    if (path === undefined) return value
    return [...path.matchAll(/'(\w+)'/g)].reduce(
      (found: unknown, [, key = ""]) => (found as Record<string, unknown> | undefined)?.[key],
      triggerBody,
    )
  }
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, evaluate(member, triggerBody)]),
  )
}

const base64 = (text: string) => Buffer.from(text).toString("base64")
const json = JSON.stringify

interface Action {
  readonly inputs: { readonly method: string; readonly uri: string; readonly body: object }
}

/** What the HTTP action of the page puts into the request. */
const httpBodyOf = (facts: EventFacts) =>
  json(evaluate((JSON.parse(block("http")) as Action).inputs.body, eventGridForm(facts)))

const changeOf = (facts: EventFacts) =>
  (JSON.parse(bodyOf(facts)) as { change: Record<string, string> }).change

/** A body for each row of the table of the page. */
const bodies: Readonly<Record<string, (facts: EventFacts) => string>> = {
  "the body above": bodyOf,
  "base64 of it": (facts) => base64(bodyOf(facts)),
  "an array of it": (facts) => `[${bodyOf(facts)}]`,
  "the event as the trigger has it": (facts) => json(eventGridForm(facts)),
  "the array of events that a webhook gets": (facts) => json([eventGridForm(facts)]),
  "base64 of base64 of it": (facts) => base64(base64(bodyOf(facts))),
  "the members of `change` without `change` around them": (facts) => json(changeOf(facts)),
  "`@triggerOutputs()`, which is headers and body": (facts) =>
    json({ headers: { "aeg-event-type": "Notification" }, body: eventGridForm(facts) }),
  "an `origin` of your own": (facts) => json({ change: { ...changeOf(facts), origin: "logic-app" } }),
  "an expression that found nothing: `id` is empty": (facts) =>
    json({ change: { ...changeOf(facts), id: "" } }),
  "`ContentData` and `ContentType`, as the connector's body": (facts) =>
    json({ ContentData: base64(bodyOf(facts)), ContentType: "application/json" }),
  "a version in a vault that is not backed up": (facts) =>
    bodyOf(facts).replace(new URL(facts.versionUrl).host, "kv-other.vault.azure.net"),
}

/** The table of the page: what is sent, and what it becomes. */
const [, section = ""] = page.split("## When the body is another one\n")
const rows = [...(section.split("\n## ")[0] ?? "").matchAll(/^\| (?!-|what)(.*?) +\| `?(\w+)`? +\|$/gm)].map(
  ([, sent = "", becomes = ""]) => ({ sent, becomes }),
)

/** Sends as the Logic App. @returns the id of the message. */
async function send(body: string): Promise<string> {
  const messageId = randomUUID()
  const sender = client.createSender(journey.cloud.file.serviceBus.queue)
  // Bytes, as an HTTP request carries them.
  await sender.sendMessages({ body: Buffer.from(body), messageId, contentType: "application/json" })
  await sender.close()
  return messageId
}

/** What the worker says of a message, in the end. */
const outcomeOf = (messageId: string) =>
  eventually(() => {
    const line = journey.lines.find((said) => said.includes('"backup.outcome"') && said.includes(messageId))
    if (line === undefined) return undefined
    return JSON.parse(line.slice(line.indexOf("{"))) as Readonly<Record<string, string>>
  })

beforeAll(async () => {
  journey = await startJourney({ runsTimers: false })
  const grants = planRoles(plan, { verify: logicApp, restore: "" }).verify
  await journey.control("PUT /roles", { [job]: grants })
  // Nobody else tells of the versions.
  await journey.control("POST /faults", { target: "eventgrid", effect: "drop" })
  const token = journey.cloud.file.identities[job]?.tokens.serviceBus ?? ""
  client = new ServiceBusClient(
    journey.cloud.file.serviceBus.fullyQualifiedNamespace,
    { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) },
    { retryOptions: { maxRetries: 0 } },
  )
})
afterAll(async () => {
  await client?.close()
  await journey?.stop()
})

describe("the Logic App of a plan", () => {
  it("may send to the queue of changes, and nothing else anywhere", () => {
    const own = listAssignments(plan).filter(({ who }) => who === logicApp)
    expect(own.map(({ scope }) => scope.replace(/.*\/(queues\/)/, "$1"))).toEqual(["queues/keyvault-changes"])
    expect(own.flatMap(({ actions, dataActions }) => [...actions, ...dataActions])).toEqual([
      "Microsoft.ServiceBus/namespaces/messages/send/action",
    ])
  })

  it("is admitted by the firewall of the backups, and of no other account", () => {
    const admitted = resourcesOf(plan, "Microsoft.Storage/storageAccounts").filter((account) =>
      json(at(account, "properties.networkAcls.resourceAccessRules") ?? []).includes("logic-payments"),
    )
    expect(admitted).toHaveLength(1)
    const [backups] = admitted
    const scopes = listAssignments(plan).filter(({ who }) => who === "backup")
    expect(scopes.some(({ scope }) => scope.startsWith(`${backups?.id}/`))).toBe(true)
  })

  it("is refused receiving, looking, and quarantine", async () => {
    const { queue, quarantineQueue } = journey.cloud.file.serviceBus
    const receiver = client.createReceiver(queue)
    const denied = { code: "UnauthorizedAccess" }
    await expect(receiver.peekMessages(1)).rejects.toMatchObject(denied)
    await expect(receiver.receiveMessages(1, { maxWaitTimeInMs: 1000 })).rejects.toMatchObject(denied)
    await receiver.close()
    await expect(client.createSender(quarantineQueue).sendMessages({ body: "x" })).rejects.toMatchObject(
      denied,
    )
  })
})

describe("the body of docs/logic-app.md", () => {
  it.each([
    { how: "as it is", encode: (body: string) => body },
    { how: "as base64, which the connector makes of it", encode: base64 },
  ])("$how is stored once, with origin live and the times of the event", async ({ encode }) => {
    const id = await journey.set("told-by-logic-app", "the value")
    const facts = eventFacts(id)
    const first = await send(encode(bodyOf(facts)))
    expect(await outcomeOf(first)).toMatchObject({ outcome: "stored", origin: "live" })
    const again = await send(encode(bodyOf(facts)))
    expect(await outcomeOf(again)).toMatchObject({ outcome: "alreadyStored" })
    expect(namesIn(journey, recordNameOf(id))).toHaveLength(1)
    expect(await journey.metadata(id)).toMatchObject({
      origin: "live",
      eventid: facts.eventId,
      eventat: facts.time.replace(/\d{4}Z$/, "Z"),
    })
    expect((await journey.open(id)).value).toBe("the value")
  })

  it("is what the HTTP action makes of an event", async () => {
    const action = JSON.parse(block("http")) as Action
    expect(action.inputs.method).toBe("POST")
    expect(action.inputs.uri).toMatch(`/${journey.cloud.file.serviceBus.queue}/messages`)
    const facts = eventFacts(await journey.set("told-by-http", "the value"))
    expect(JSON.parse(httpBodyOf(facts))).toEqual(JSON.parse(bodyOf(facts)))
    expect(await outcomeOf(await send(httpBodyOf(facts)))).toMatchObject({
      outcome: "stored",
      origin: "live",
    })
  })

  it("is stored once where Event Grid tells of the version, too", async () => {
    await journey.control("DELETE /faults")
    const id = await journey.set("told-by-both", "the value")
    await outcomeOf(await send(bodyOf(eventFacts(id))))
    await journey.settled()
    expect(
      journey
        .outcomes(id)
        .map(({ outcome }) => outcome)
        .toSorted(),
    ).toEqual(["alreadyStored", "stored"])
    await journey.control("POST /faults", { target: "eventgrid", effect: "drop" })
  })
})

describe("another body", () => {
  it("is in the table of the page, each", () => {
    expect(rows.map(({ sent }) => sent)).toEqual(Object.keys(bodies))
  })

  it.each(rows)("$sent: $becomes", async ({ sent, becomes }) => {
    const id = await journey.set("told-otherwise", "the value")
    const messageId = await send(bodies[sent]!(eventFacts(id)))
    const { outcome, code } = await outcomeOf(messageId)
    const isStored = becomes === "stored"
    expect({ outcome, code }).toEqual(isStored ? { outcome: "stored" } : { outcome: "poison", code: becomes })
    expect(namesIn(journey, recordNameOf(id))).toHaveLength(isStored ? 1 : 0)
    await journey.settled()
    const quarantined = (await journey.peek("quarantine")).filter(
      ({ applicationProperties }) => applicationProperties?.["kvb-original-id"] === messageId,
    )
    expect(quarantined.map(({ applicationProperties }) => applicationProperties?.["kvb-last-code"])).toEqual(
      isStored ? [] : [becomes],
    )
  })
})
