import { CertificateClient } from "@azure/keyvault-certificates"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { namesIn, reconcile, unheard } from "../support/reconcileJourney.ts"
import { runCli } from "../support/runCli.ts"
import { type Journey, recordNameOf, startJourney } from "../support/startJourney.ts"

let journey: Journey

beforeAll(async () => {
  journey = await startJourney({ runsTimers: false })
})
afterAll(() => journey.stop())

/** By name: status tells the oldest first, of which two of one second have either order. */
const openGaps = async () =>
  (await runCli(journey.directory, "status", "--json"))
    .json<{ vaults: { openGaps: { id: string; reason: string }[] }[] }>()
    .vaults.flatMap(({ openGaps: gaps }) => gaps)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))

const versionOf = (id: string) => id.slice(id.lastIndexOf("/") + 1)
const enable = (name: string, id: string) =>
  journey.secrets.updateSecretProperties(name, versionOf(id), { enabled: true })

/** A certificate that nobody hears of. @returns the version URL. */
async function setCertificate(name: string): Promise<string> {
  const { file } = journey.cloud
  const token = file.identities["user"]?.tokens.vault ?? ""
  const client = new CertificateClient(
    file.vaults[0]?.url ?? "",
    { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
    { disableChallengeResourceVerification: true },
  )
  const policy = { issuerName: "Self", subject: "CN=example.test", keyType: "EC" } as const
  return unheard(journey, async () => {
    const poller = await client.beginCreateCertificate(name, policy, { intervalInMs: 1 })
    return (await poller.pollUntilDone()).properties.id ?? ""
  })
}

describe("kvbackup reconcile", () => {
  it("finds the third of five versions, whose event vanished, and has it backed up (C14)", async () => {
    const ids: string[] = []
    for (const value of ["1", "2"]) ids.push(await journey.set("vanished", value))
    const third = await unheard(journey, () => journey.set("vanished", "3"))
    const certificate = await setCertificate("tls")
    for (const value of ["4", "5"]) ids.push(await journey.set("vanished", value))
    await journey.settled()
    const before = namesIn(journey, "")

    const dry = await reconcile(journey)
    expect(dry).toMatchObject({
      exitCode: 30,
      executed: false,
      complete: true,
      counts: { versions: 6, stored: 4, sent: 0 },
    })
    expect(dry.gaps).toMatchObject([
      { id: certificate, reason: "missing", action: "send" },
      { id: third, reason: "missing", action: "send" },
    ])
    expect(namesIn(journey, "")).toEqual(before)
    expect(journey.cloud.serviceBus.counts()[journey.cloud.file.serviceBus.queue]).toMatchObject({
      active: 0,
      locked: 0,
    })

    const wet = await reconcile(journey, "--execute")
    expect(wet).toMatchObject({ exitCode: 30, executed: true, counts: { sent: 2 } })
    await journey.settled()
    expect((await journey.open(third)).value).toBe("3")
    const metadata = await journey.metadata(third)
    expect(metadata).toMatchObject({
      origin: "reconcile",
      attempt: "1",
      changedat: expect.stringMatching(/^\d{4}-/),
    })
    expect(metadata).not.toHaveProperty("eventat")
    expect(namesIn(journey, "reconcile/").at(-1)).toMatch(/\/summary\.json$/)

    const after = await reconcile(journey)
    expect(after).toMatchObject({ exitCode: 0, complete: true, counts: { versions: 6, stored: 6 }, gaps: [] })
  })

  it("notices the records of a secret and of a certificate that were taken away, and sends one change for each", async () => {
    const robbed = namesIn(journey, "v1/").filter((name) => /\/vanished\/|\/tls\//.test(name))
    for (const name of robbed.slice(0, 2)) {
      await journey.cloud.blob.backdoor.remove({ container: journey.cloud.file.blob.container, name })
    }
    const { exitCode, gaps, counts } = await reconcile(journey, "--execute")
    expect(exitCode).toBe(30)
    expect(gaps.map(({ id }) => recordNameOf(id))).toEqual(robbed.slice(0, 2))
    expect(counts.sent).toBe(2)
    await journey.settled()
    expect(namesIn(journey, "v1/")).toEqual(robbed)
    expect((await reconcile(journey)).exitCode).toBe(0)
  })

  it("backs up a version that was disabled and is enabled, which raises no event (C28)", async () => {
    const heard = await journey.set("off-heard", "heard", { enabled: false })
    const silent = await unheard(journey, () => journey.set("off-silent", "silent", { enabled: false }))
    await journey.settled()
    expect((await openGaps()).map(({ id }) => id)).toEqual([heard])

    const first = await reconcile(journey, "--execute")
    expect(first.exitCode).toBe(30)
    expect(first.gaps).toMatchObject([
      { id: heard, reason: "disabled", action: "none" },
      { id: silent, reason: "disabled", action: "record" },
    ])
    expect(first.counts).toMatchObject({ sent: 0, recorded: 1 })
    expect(await openGaps()).toMatchObject([
      { id: heard, reason: "disabled", code: "ERR_VAULT_VERSION_DISABLED" },
      { id: silent, reason: "disabled", code: "ERR_VAULT_VERSION_DISABLED" },
    ])

    await enable("off-heard", heard)
    await enable("off-silent", silent)
    const { gaps, counts } = await reconcile(journey, "--execute")
    expect(gaps).toMatchObject([
      { id: heard, reason: "disabled", action: "send" },
      { id: silent, reason: "disabled", action: "send" },
    ])
    expect(counts.sent).toBe(2)
    await journey.settled()
    expect((await journey.open(heard)).value).toBe("heard")
    expect((await journey.open(silent)).value).toBe("silent")
    expect(await openGaps()).toEqual([])
    expect((await reconcile(journey)).exitCode).toBe(0)
  })

  it("tells a version as lost that was deleted before it could be read, and does not send it", async () => {
    const id = await journey.set("doomed", "value", { enabled: false })
    await journey.settled()
    await (await journey.secrets.beginDeleteSecret("doomed", { intervalInMs: 1 })).pollUntilDone()
    for (let run = 0; run < 2; run++) {
      const { exitCode, gaps, counts } = await reconcile(journey, "--execute")
      expect({ exitCode, sent: counts.sent }).toEqual({ exitCode: 30, sent: 0 })
      expect(gaps).toEqual([{ id, reason: "lost", action: "none" }])
    }
    const recovered = await journey.secrets.beginRecoverDeletedSecret("doomed", { intervalInMs: 1 })
    await recovered.pollUntilDone()
    await enable("doomed", id)
    expect((await reconcile(journey, "--execute")).counts.sent).toBe(1)
    await journey.settled()
    expect((await journey.open(id)).value).toBe("value")
  })

  it("refuses a vault that is not backed up", async () => {
    const { exitCode, err } = await runCli(
      journey.directory,
      "reconcile",
      "--vault",
      "https://other.vault.azure.net",
    )
    expect(exitCode).toBe(2)
    expect(err).toContain("--vault is none of BACKUP_VAULTS")
  })
})
