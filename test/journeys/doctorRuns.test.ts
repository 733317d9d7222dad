import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readLocalCloud } from "../../cli/localCloud.ts"
import { runDoctorIn } from "../support/runDoctorIn.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

let journey: Journey
let roles: Readonly<Record<string, readonly string[]>>

beforeAll(async () => {
  journey = await startJourney({ runsTimers: false })
  roles = (await journey.control("GET /roles")) as typeof roles
})
afterAll(() => journey.stop())

const well = { failing: [], unknown: [], exitCode: 0 }

describe("doctor", () => {
  it.each([
    { name: "client id", env: { BackupServiceBus__clientId: "" }, verdict: "settings.clientIdMissing" },
    {
      name: "credential",
      env: { BackupServiceBus__credential: "" },
      verdict: "settings.credentialMissing",
    },
  ])("C63: the trigger is asleep, because its $name is not set", async ({ env, verdict }) => {
    const app = { WEBSITE_SITE_NAME: "func-backup" }
    const { failing, findings, exitCode } = await runDoctorIn(journey, {
      as: "backup",
      env: { ...app, ...env },
    })
    expect({ failing, exitCode }).toEqual({ failing: [verdict], exitCode: 30 })
    const fix = findings[0]?.fix
    expect(fix?.az?.[0]).toMatch(
      /^az functionapp config appsettings set --resource-group RESOURCE_GROUP --name func-backup --settings BackupServiceBus__/,
    )
    const settings = Object.fromEntries(
      fix!.setting!.split(" ").map((pair) => pair.split("=", 2) as [string, string]),
    )
    const mended = await runDoctorIn(journey, { as: "backup", env: { ...app, ...env, ...settings } })
    expect(mended.failing).toEqual([])
  })

  it("C63: the trigger is asleep, by the settings of an app as the Azure CLI lists them", async () => {
    const {
      BackupServiceBus__credential: _c,
      BackupServiceBus__clientId: _i,
      ...rest
    } = readLocalCloud(journey.directory).env
    const file = join(journey.directory, "settings.json")
    const listed = Object.entries(rest).map(([name, value]) => ({ name, slotSetting: false, value }))
    await writeFile(file, JSON.stringify(listed))
    const { failing, exitCode } = await runDoctorIn(journey, { as: "backup", env: {}, appSettings: file })
    expect({ failing, exitCode }).toEqual({ failing: ["settings.clientIdMissing"], exitCode: 30 })
  })

  it("C52: a writer that may only add is well without any right to immutability, and a retention of 0 is refused", async () => {
    const held = roles["backup"]!
    expect(held.filter((grant) => /immutable|runAsSuperUser|blobs\/write/.test(grant))).toEqual([])
    expect(await runDoctorIn(journey, { as: "backup" })).toMatchObject(well)
    await expect(
      runDoctorIn(journey, { as: "backup", env: { BACKUP_STORE_MIN_RETENTION_DAYS: "0" } }),
    ).rejects.toMatchObject({ code: "ERR_CONFIG_INVALID" })
    // Without a way to the management plane nobody can promise days.
    const { unknown, exitCode } = await runDoctorIn(journey, {
      as: "backup",
      env: { BACKUP_STORE_MIN_RETENTION_DAYS: "1" },
    })
    expect({ unknown, exitCode }).toEqual({ unknown: ["policy.notTold"], exitCode: 31 })
  })

  it("--live names its blob first, puts it twice, and tells what the add-only role is answered then", async () => {
    const { err, findings, exitCode } = await runDoctorIn(journey, { live: true })
    const [, blob = ""] = /keyvault-backups\/(probe\/[\dTZ-]+-[0-9a-f]{12}\.json)\n$/.exec(err) ?? []
    expect(findings.find(({ hop }) => hop === "live")).toMatchObject({
      status: "ok",
      evidence: { blob, first: "201 Created", second: "409 BlobAlreadyExists" },
    })
    expect(exitCode).toBe(0)
    const found = await journey.cloud.blob.backdoor.read({ container: "keyvault-backups", name: blob })
    expect(JSON.parse(String(Buffer.from(found!.body)))).toMatchObject({ format: "kvbackup-probe/1" })
  })

  it("asks for the right to sign and to set the canary's secret, and neither signs nor sets", async () => {
    const { file } = journey.cloud
    const [vault] = file.vaults
    const made = await fetch(`${vault!.url}/keys/digest/create?api-version=7.5`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${file.identities["user"]!.tokens.vault}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ kty: "EC", crv: "P-384" }),
    })
    expect(made.status).toBe(200)
    const env = {
      BACKUP_DIGEST_KEY: `${vault!.url}/keys/digest`,
      BACKUP_CANARY_SECRET: `${vault!.url}/secrets/kvbackup-canary`,
    }
    const before = journey.cloud.vaults[0]!.counts()
    const answers = async (as: "audit" | "canary", hop: string) => {
      const { findings } = await runDoctorIn(journey, { as, env })
      return findings.find((finding) => finding.hop === hop)
    }
    expect(await answers("audit", "digestKey")).toMatchObject({ status: "ok" })
    expect(await answers("canary", "vault")).toMatchObject({ status: "ok" })
    await journey.control("PUT /roles", {
      audit: roles["audit"]!.filter((grant) => !grant.includes("sign/action")),
      canary: roles["canary"]!.filter((grant) => !grant.includes("setSecret")),
    })
    expect(await answers("audit", "digestKey")).toMatchObject({
      verdict: "digestKey.role",
      fix: { role: "Key Vault backup: sign with keys" },
    })
    const canary = await answers("canary", "vault")
    expect(canary).toMatchObject({
      verdict: "vault.role",
      fix: { role: "Key Vault backup: canary at vaults" },
    })
    expect(canary?.fix?.az?.[0]).toMatch(/\/secrets\/kvbackup-canary"$/)
    await journey.control("PUT /roles", { audit: roles["audit"]!, canary: roles["canary"]! })
    expect(journey.cloud.vaults[0]!.counts()).toEqual(before)
  })

  it("changes nothing without --live", async () => {
    const state = async () => {
      const { blobs, queues } = (await journey.control("GET /state")) as Record<string, unknown>
      return { blobs, queues }
    }
    await journey.settled()
    const before = await state()
    await runDoctorIn(journey)
    expect(await state()).toEqual(before)
  })

  it("is done within 15 seconds when everything hangs, and could not tell", async () => {
    const targets = ["keyvault", "blob", "servicebus"]
    await journey.control(
      "POST /faults",
      targets.map((target) => ({ target, effect: "hang" })),
    )
    const startedAt = Date.now()
    const { exitCode, failing } = await runDoctorIn(journey)
    const tookMs = Date.now() - startedAt
    await journey.control("DELETE /faults")
    expect(tookMs).toBeLessThan(15_000)
    expect({ exitCode, failing: failing.filter((verdict) => /firewall|role/.test(verdict)) }).toEqual({
      exitCode: 31,
      failing: [],
    })
  })

  it("shows no token", async () => {
    const { out } = await runDoctorIn(journey)
    expect(out).not.toMatch(/eyJ[\w-]+\./)
  })
})
