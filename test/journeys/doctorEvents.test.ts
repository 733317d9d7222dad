import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import type { Finding } from "../../shared/diagnosis/doctorReport.ts"
import { runDoctorIn } from "../support/runDoctorIn.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

let journey: Journey
let roles: Readonly<Record<string, readonly string[]>>

beforeAll(async () => {
  journey = await startJourney({ runsTimers: false })
  roles = (await journey.control("GET /roles")) as typeof roles
})
afterAll(() => journey.stop())

const arm = (answers: object) => journey.control("PUT /arm", answers)
const fixOf = (findings: readonly Finding[], verdict: string) =>
  JSON.stringify(findings.find((finding) => finding.verdict === verdict)?.fix)
const subscription = () => journey.cloud.eventGrid.description
const well = { failing: [], unknown: [], exitCode: 0 }

describe("doctor, where the event subscription may be read", () => {
  it("C11: nothing ever arrives, because the provider is not registered", async () => {
    await arm({ provider: "NotRegistered" })
    const { failing, exitCode, findings } = await runDoctorIn(journey, { as: "backup" })
    await arm({})
    expect({ failing, exitCode }).toEqual({ failing: ["provider.notRegistered"], exitCode: 30 })
    expect(fixOf(findings, "provider.notRegistered")).toContain(
      "az provider register --namespace Microsoft.EventGrid",
    )
    expect(await runDoctorIn(journey, { as: "backup" })).toMatchObject(well)
  })

  it("C11: nothing ever arrives, because there is no event subscription", async () => {
    await arm({ eventSubscription: "absent" })
    const { failing, exitCode } = await runDoctorIn(journey, { as: "backup" })
    await arm({})
    expect({ failing, exitCode }).toEqual({ failing: ["subscription.absent"], exitCode: 30 })
  })

  it("C12: the namespace is private, and Event Grid cannot enter through a private endpoint", async () => {
    await arm({
      namespaceRules: {
        publicNetworkAccess: "Disabled",
        defaultAction: "Deny",
        trustedServiceAccessEnabled: false,
      },
    })
    const { failing, exitCode, findings } = await runDoctorIn(journey, { as: "backup" })
    await arm({})
    expect({ failing, exitCode }).toEqual({ failing: ["delivery.trustedServices"], exitCode: 30 })
    expect(fixOf(findings, "delivery.trustedServices")).toMatch(
      /network-rule-set update .*--namespace-name local --enable-trusted-service-access true --default-action Deny/,
    )
  })

  it.each([
    {
      name: "C13: the account of the dead letters denies everybody and admits no trusted services",
      answers: () => ({
        deadLetterAccount: {
          publicNetworkAccess: "Enabled",
          networkAcls: { bypass: "None", defaultAction: "Deny" },
        },
      }),
      verdict: "deadLettering.trustedServices",
      names: /az storage account update --name localdeadletters --bypass AzureServices --default-action Deny/,
    },
    {
      name: "there is no place for dead letters at all",
      answers: () => ({
        eventSubscription: { ...subscription(), deadLetterWithResourceIdentity: undefined },
      }),
      verdict: "deadLettering.absent",
      names: /dead-letter container, with the topic's system-assigned identity/,
    },
    {
      name: "the topic comes with a user-assigned identity, which no firewall lets in",
      answers: () => ({
        eventSubscription: {
          ...subscription(),
          deliveryWithResourceIdentity: {
            ...(subscription()["deliveryWithResourceIdentity"] as object),
            identity: { type: "UserAssigned", userAssignedIdentity: "/subscriptions/s/x" },
          },
        },
      }),
      verdict: "delivery.userIdentity",
      names: /system-topic update .*--identity systemassigned/,
    },
    {
      name: "the filter leaves certificates out",
      answers: () => ({
        eventSubscription: {
          ...subscription(),
          filter: { includedEventTypes: ["Microsoft.KeyVault.SecretNewVersionCreated"] },
        },
      }),
      verdict: "subscription.filter",
      names: /--included-event-types .*CertificateNewVersionCreated/,
    },
    {
      name: "Event Grid gives up after an hour",
      answers: () => ({
        eventSubscription: {
          ...subscription(),
          retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 60 },
        },
      }),
      verdict: "subscription.retry",
      names: /--event-ttl 1440/,
    },
    {
      name: "events come in a schema that nobody reads",
      answers: () => ({ eventSubscription: { ...subscription(), eventDeliverySchema: "CustomInputSchema" } }),
      verdict: "subscription.schema",
      names: /CloudEvents/,
    },
  ])("$name: $verdict", async ({ answers, verdict, names }) => {
    await arm(answers())
    const { failing, exitCode, findings } = await runDoctorIn(journey, { as: "backup" })
    await arm({})
    expect({ failing, exitCode }).toEqual({ failing: [verdict], exitCode: 30 })
    expect(fixOf(findings, verdict)).toMatch(names)
  })

  it("C13: the topic's identity has no role at the container of the dead letters", async () => {
    await journey.control("PUT /roles", {
      eventgrid: roles["eventgrid"]!.filter((grant) => !grant.includes("eventgrid-dead-letters")),
    })
    const { failing, findings } = await runDoctorIn(journey, { as: "backup" })
    await journey.control("PUT /roles", { eventgrid: roles["eventgrid"]! })
    expect(failing).toEqual(["deadLettering.role"])
    const topic = journey.cloud.authority.callers.get("eventgrid")!.objectId
    expect(fixOf(findings, "deadLettering.role")).toMatch(
      new RegExp(`Storage Blob Data Contributor.*${topic}.*/containers/eventgrid-dead-letters`),
    )
    expect(await runDoctorIn(journey, { as: "backup" })).toMatchObject(well)
  })

  it("C12: a dead letter says Forbidden, and gets the fix that belongs to it", async () => {
    await journey.control("PUT /roles", {
      eventgrid: roles["eventgrid"]!.filter((grant) => !grant.includes("messages/send")),
    })
    await journey.control("PUT /clock", { target: "eventgrid", speed: 100_000 })
    await journey.set("never-arrives", "v")
    const letters = () => journey.cloud.blob.counts()["eventgrid-dead-letters"] ?? 0
    await vi.waitFor(() => expect(letters()).toBeGreaterThan(0), { timeout: 10_000 })
    const { failing, findings } = await runDoctorIn(journey, { as: "replay" })
    await journey.control("PUT /roles", { eventgrid: roles["eventgrid"]! })
    // The role is missing at the management plane, too.
    expect(failing).toEqual(["deadLetters.forbidden", "delivery.role"])
    expect(fixOf(findings, "deadLetters.forbidden")).toMatch(
      /Azure Service Bus Data Sender.*--enable-trusted-service-access true --default-action Deny/,
    )
    const mended = await runDoctorIn(journey, { as: "replay" })
    expect(mended.failing).toEqual(["deadLetters.forbidden"])
  })

  it("says that it could not tell, and exits with 31, where the management plane is closed to it", async () => {
    await arm({ error: { status: 403, code: "AuthorizationFailed" } })
    const { unknown, exitCode, failing } = await runDoctorIn(journey, { as: "backup" })
    await arm({})
    expect({ failing, exitCode }).toEqual({ failing: [], exitCode: 31 })
    expect(unknown).toEqual(["policy.notTold", "provider.notTold", "subscription.notTold"])
  })
})
