import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { addDays, lastClosedDay } from "../../shared/digest/digestDay.ts"
import { sendChanges } from "../support/deadLetters.ts"
import { eventFacts, eventGridForm } from "../support/eventForms.ts"
import { eventually, type PlannedCloud, startPlannedCloud } from "../support/plannedCloud.ts"
import { namesIn, reconcile, unheard } from "../support/reconcileJourney.ts"
import { recordNameOf } from "../support/startJourney.ts"

let cloud: PlannedCloud

const outcomesOf = (id: string) => cloud.journey.outcomes(id).map(({ outcome }) => outcome)
const deadLetters = () =>
  cloud.journey.cloud.serviceBus.counts()[cloud.journey.cloud.file.serviceBus.queue]?.deadLettered

beforeAll(async () => {
  cloud = await startPlannedCloud()
})
afterAll(() => cloud.stop())

describe("with exactly the rights that a plan gives", () => {
  it("every right is the plan's", async () => {
    expect(await cloud.journey.control("GET /roles")).toMatchObject(cloud.roles)
  })

  it("secrets and certificates are backed up as they change", async () => {
    const secret = await cloud.journey.set("live-secret", "value of a secret")
    const certificate = await cloud.makeCertificate("live-certificate")
    await cloud.journey.settled()
    expect(outcomesOf(secret)).toEqual(["stored"])
    expect(namesIn(cloud.journey, "v1/")).toEqual(
      expect.arrayContaining([recordNameOf(secret), recordNameOf(certificate)]),
    )
  })

  it("a change waits out a fault of the vault", async () => {
    const match = { method: "GET", path: "/secrets/deferred/", job: "backup" }
    const rule = { target: "keyvault", match, effect: "status", status: 503, count: 1 }
    await cloud.journey.control("POST /faults", rule)
    const id = await cloud.journey.set("deferred", "value")
    await cloud.journey.settled()
    expect(outcomesOf(id)).toEqual(["deferred", "stored"])
  })

  it("quarantine takes what is no event, and replay sends again what is dead", async () => {
    const { journey } = cloud
    const id = await unheard(journey, () => journey.set("dead", "value"))
    const event = JSON.stringify(eventGridForm(eventFacts(id)))
    await sendChanges(journey, [{ body: "no event" }, { body: Buffer.from(event, "utf16le") }])
    await eventually(() => (deadLetters() === 1 ? true : undefined))
    const replayed = await cloud.cli("replay", "--execute")
    expect(replayed.json()).toMatchObject({ exitCode: 0, result: { sent: 1, undone: 0, refused: 0 } })
    await journey.settled()
    expect(await journey.metadata(id)).toMatchObject({ origin: "replay" })
    const quarantined = await journey.peek("quarantine")
    expect(quarantined.map(({ applicationProperties }) => applicationProperties?.["kvb-last-code"])).toEqual([
      "ERR_EVENT_MALFORMED",
    ])
    expect((await cloud.cli("replay", "--history")).exitCode).toBe(0)
  })

  it("reconciliation finds what nobody heard of", async () => {
    const id = await unheard(cloud.journey, () => cloud.journey.set("unheard", "value"))
    const { exitCode, complete, counts } = await reconcile(cloud.journey, "--execute")
    expect({ exitCode, complete, sent: counts.sent }).toEqual({ exitCode: 30, complete: true, sent: 1 })
    await cloud.journey.settled()
    expect(await cloud.journey.metadata(id)).toMatchObject({ origin: "reconcile" })
  })

  it("timers send the canary, look into the queues, reconcile, and sign the ledger", async () => {
    const { journey } = cloud
    const [name = ""] = namesIn(journey, "v1/")
    const yesterday = addDays(lastClosedDay(new Date()), -1)
    const { container } = journey.cloud.file.blob
    const createdAt = `${yesterday}T10:00:00Z`
    await journey.control("POST /backdoor/blobs", { container, name, action: "alter", createdAt })
    const timers = ["sendCanary", "watchBacklog", "reconcileVaults", "continueReconcile", "writeDigest"]
    for (const timer of timers) expect([timer, await cloud.runTimer(timer)]).toEqual([timer, true])
    expect(namesIn(journey, "digest/v1/")).toHaveLength(2)
  })

  it("status and audit tell all, and the digests are proved with the key in its vault", async () => {
    // What lies in quarantine needs attention.
    expect((await cloud.cli("status")).json()).toMatchObject({ exitCode: 30, complete: true })
    expect((await cloud.cli("audit")).json()).toMatchObject({ complete: true, problems: [] })
    const proof = await cloud.cli("audit", "--prove", "all", "--digest-key", cloud.digestKey)
    expect(proof.json()).toMatchObject({ exitCode: 0 })
  })

  it("people verify every record, and restore a secret and a certificate", async () => {
    const key = ["--unwrap-key", cloud.recoveryKey]
    const verified = await cloud.cli("verify", "--deep", ...key)
    const { versions } = verified.json<{ versions: readonly { finding: string }[] }>()
    expect(versions.length).toBeGreaterThanOrEqual(5)
    expect(new Set(versions.map(({ finding }) => finding))).toEqual(new Set(["protected"]))
    for (const kind of ["secret", "certificate"]) {
      const object = ["--object", `${cloud.vault}/${kind}s/live-${kind}`]
      const target = ["--to", cloud.vault, "--as", `restored-${kind}`, "--execute"]
      const restored = await cloud.cli("restore", ...object, ...target, ...key)
      expect(restored.json()).toMatchObject({ exitCode: 0, items: [{ result: "restored", compared: true }] })
    }
    const { value } = await cloud.journey.secrets.getSecret("restored-secret")
    expect(value).toBe("value of a secret")
    const files = ["--to-dir", "files", "--execute"]
    expect((await cloud.cli("restore", "--vault", cloud.vault, ...files, ...key)).exitCode).toBe(0)
    const file = join(cloud.journey.directory, "files", "secrets", "live-secret.value")
    expect(readFileSync(file, "utf8")).toBe("value of a secret")
  })

  it("nobody was refused anything", async () => {
    await cloud.journey.settled()
    expect(cloud.journey.lines.filter((line) => /_FORBIDDEN|Unauthorized/.test(line))).toEqual([])
  })
})
