import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { AuditReport } from "../../shared/audit/auditReport.ts"
import { eventFacts, eventGridForm } from "../support/eventForms.ts"
import { runCli } from "../support/runCli.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

let journey: Journey
/** A moment before which everything of the first tests was stored. */
let until: string
const ids: string[] = []

const audit = (...argv: readonly string[]) => runCli(journey.directory, "audit", ...argv)
const reportOf = async (...argv: readonly string[]) => (await audit("--json", ...argv)).json<AuditReport>()

beforeAll(async () => {
  journey = await startJourney({ settings: { BACKUP_RETRY_FIRST_DELAY: "200ms" } })
  // The vault refuses once: this change is deferred, and stored at the second attempt.
  await journey.control("POST /faults", [
    { target: "keyvault", match: { job: "backup", path: "slow" }, effect: "status", status: 429, count: 1 },
  ])
  for (const name of ["slow", "first", "second", "third"]) ids.push(await journey.set(name, "value"))
  await journey.settled()
  const metadata = await Promise.all(ids.map((id) => journey.metadata(id)))
  const last = Math.max(...metadata.map(({ putat }) => Date.parse(putat ?? "")))
  until = new Date((Math.floor(last / 1000) + 1) * 1000).toISOString()
  while (Date.now() < Date.parse(until)) await new Promise((resolve) => setTimeout(resolve, 20))
}, 30_000)
afterAll(() => journey.stop())

describe("kvbackup audit of a running cloud", () => {
  it("tells each version with all its stages, as the metadata has them", async () => {
    const end = await audit("--json")
    expect([end.exitCode, end.err]).toEqual([0, ""])
    const report = end.json<AuditReport>()
    expect(report).toMatchObject({
      format: "kvbackup-audit/1",
      complete: true,
      attention: [],
      objective: { population: 4, measured: 4, breaches: 0, met: true, isMeaningful: false },
      queues: { waiting: 0, deferred: 0, deadLettered: 0, quarantined: 0, complete: true },
    })
    expect(report.vaults[0]?.protectedUpTo).toBe(report.query.until)
    const [slow] = report.worst
    const metadata = await journey.metadata(ids[0]!)
    expect(slow).toMatchObject({
      id: ids[0],
      attempt: 2,
      latencyMs: Date.parse(metadata["putat"]!) - Date.parse(metadata["eventat"]!),
      times: {
        putAt: metadata["putat"],
        enqueuedAt: metadata["enqueuedat"],
        receivedAt: metadata["receivedat"],
      },
      sha256: metadata["sha256"],
    })
    expect(Object.values(slow?.stages ?? {}).every((ms) => typeof ms === "number")).toBe(true)
    expect(
      report.groups.filter(({ stage, vault }) => stage === "eventToPut" && vault === null),
    ).toMatchObject([
      { deferred: null, count: 4 },
      { deferred: false, count: 3 },
      { deferred: true, count: 1 },
    ])
  })

  it.each(["table", "json", "csv"])("gives the same bytes for the same period, as %s", async (format) => {
    const argv = ["--since", "2026-01-01", "--until", until, "--format", format]
    const one = await audit(...argv)
    const other = await audit(...argv)
    expect(one).toMatchObject({ exitCode: 0, err: "" })
    expect(one.out.length).toBeGreaterThan(500)
    expect(hashOf(other.out)).toBe(hashOf(one.out))
  })

  it("exports one row a version", async () => {
    const { out } = await audit("--format", "csv", "--since", "all")
    const lines = out.trimEnd().split("\n")
    expect(lines[0]).toMatch(/^state,id,vault,collection,name,version,origin,attempt,/)
    expect(
      lines
        .slice(1)
        .map((line) => line.split(",")[1])
        .sort(),
    ).toEqual(ids.toSorted())
  })

  it("writes a new file, and never over one", async () => {
    const file = join(journey.directory, "audit.csv")
    const end = await audit("--format", "csv", "--out", file, "--json")
    expect([end.exitCode, end.json<AuditReport>().format]).toEqual([0, "kvbackup-audit/1"])
    expect(readFileSync(file, "utf8").split("\n").length).toBe(6)
    const again = await audit("--out", file)
    expect([again.exitCode, again.err]).toEqual([2, expect.stringContaining("must be a new file")])
    expect((await audit("--json", "--format", "csv")).exitCode).toBe(2)
  })

  it("is 30 when the objective is not met, and names the worst first", async () => {
    const { exitCode, out } = await audit("--objective", "p99=1ms")
    expect(exitCode).toBe(30)
    expect(out).toContain("Objective p99=1ms: NOT MET\n")
    expect(out).toContain("of 4 versions it means nothing, it is the maximum")
    const worst = out.slice(out.indexOf("Worst"))
    expect(worst.split("\n")[1]).toContain(ids[0])
  })

  it("spoofed broker metadata in an event's body changes no figure", async () => {
    const before = await reportOf("--since", "all")
    const { url } = journey.cloud.file.vaults[0]!
    const event = eventGridForm(eventFacts(`${url}/secrets/first/${"0".repeat(32)}`))
    const long = "2020-01-01T00:00:00Z"
    await journey.control("POST /events", {
      ...event,
      enqueuedTimeUtc: long,
      deliveryCount: 99,
      messageId: "x",
    })
    await journey.control("POST /events", {
      ...eventGridForm(eventFacts(ids[1]!)),
      EnqueuedTimeUtc: long,
      DeliveryCount: 99,
      MessageId: "x",
    })
    await journey.settled()
    const after = await reportOf("--since", "all")
    expect(after.queues?.quarantinedBy).toMatchObject([{ cause: "ERR_EVENT_COLLISION", count: 2 }])
    const { groups, objective, worst, histogram, timeline, vaults, prefixes } = before
    expect(after).toMatchObject({ groups, objective, worst, histogram, timeline, prefixes })
    expect(after.vaults[0]?.protectedUpTo).toBe(after.query.until)
    expect(after.vaults.map(({ records }) => records)).toEqual(vaults.map(({ records }) => records))
  })

  it("counts a version that cannot be read as unprotected, in every format", async () => {
    const id = await journey.set("disabled", "value", { enabled: false })
    await journey.settled()
    const end = await audit("--json", "--since", "all")
    const report = end.json<AuditReport>()
    expect([end.exitCode, report.attention]).toEqual([30, ["gap", "objective", "quarantine"]])
    expect(report.objective).toMatchObject({ unprotected: 1, percentileMs: null, met: false })
    expect(report.vaults[0]?.openGaps).toMatchObject([{ id, reason: "disabled" }])
    expect(report.vaults[0]?.protectedUpTo).toBe(report.vaults[0]?.openGaps[0]?.since)
    expect((await audit("--format", "csv")).out).toContain(`\ngap,${id},`)
    expect((await audit()).out).toContain("Not protected since")
  })

  it("is 31 with a blob that is not ours, which wins", async () => {
    // No identity of the product may add there: somebody was given more.
    const usual = journey.cloud.access.roles()["backup"] ?? []
    const add = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action"
    const more = `${add} on ${journey.cloud.file.blob.container}/somebody/`
    await journey.control("PUT /roles", { backup: [...usual, more] })
    await journey
      .store("backup")
      .getBlockBlobClient("somebody/backup.zip")
      .upload("x", 1, {
        conditions: { ifNoneMatch: "*" },
      })
    await journey.control("PUT /roles", { backup: usual })
    const end = await audit("--json")
    expect(end.exitCode).toBe(31)
    expect(end.json<AuditReport>()).toMatchObject({
      complete: false,
      problems: [{ code: "foreign-blob", count: 1, samples: ["somebody/backup.zip"] }],
    })
    const status = await runCli(journey.directory, "status", "--json")
    expect([status.exitCode, status.json()]).toMatchObject([31, { exitCode: 31, complete: false }])
    const { err } = await audit("--format", "csv")
    expect(err).toContain("foreign-blob")
    // The period that was over before it came is as it was.
    expect((await audit("--until", until)).exitCode).toBe(0)
  })

  it("is 31 when the listing breaks off half way, with what is known", async () => {
    await journey.control("POST /faults", [
      { target: "blob", match: { method: "GET", job: "audit" }, effect: "cut", afterBytes: 4000 },
    ])
    const end = await audit("--json", "--since", "all")
    await journey.control("DELETE /faults")
    expect(end.exitCode).toBe(31)
    const report = end.json<AuditReport>()
    expect(report).toMatchObject({
      complete: false,
      problems: [{ code: "ERR_STORE_UNAVAILABLE" }, { code: "foreign-blob" }],
      objective: { met: null },
      vaults: [{ protectedUpTo: "unknown" }],
    })
    expect(report.prefixes.records + report.prefixes.gaps).toBeGreaterThan(0)
  })

  it("is 31 when a queue cannot be read, with what the store has; and when the store cannot be, with its code", async () => {
    await journey.control("PUT /firewall", { servicebus: "closed" })
    const status = await runCli(journey.directory, "status")
    await journey.control("PUT /firewall", { servicebus: "open" })
    expect(status.exitCode).toBe(31)
    expect(status.out).toContain("protected up to  unknown, not after ")
    expect(status.out).toMatch(/ERR_QUEUE_(FIREWALL|UNAVAILABLE|FORBIDDEN)/)
    await journey.control("PUT /firewall", { blob: "closed" })
    const end = await audit("--json")
    await journey.control("PUT /firewall", { blob: "open" })
    expect([end.exitCode, end.json()]).toMatchObject([
      31,
      { format: "kvbackup-error/1", code: "ERR_STORE_FIREWALL" },
    ])
  })
})

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}
