import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { formatDoctorReport } from "../../cli/doctorText.ts"
import { main } from "../../cli/main.ts"
import { type DoctorReport, exitCodeOfReport, type Finding } from "../../shared/diagnosis/doctorReport.ts"

const folder = mkdtempSync(join(tmpdir(), "doctor-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function aFile(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content))
  return path
}

async function run(argv: readonly string[], env: Record<string, string> = {}) {
  let out = ""
  let err = ""
  const streams = {
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    env,
    cwd: folder,
  }
  const exitCode = await main(["doctor", ...argv], streams)
  return { exitCode, out, err }
}

const settings = { BACKUP_VAULTS: "https://kv-a.vault.azure.net" }

describe("kvbackup doctor", () => {
  it.each([
    { name: "a job that is none", argv: ["--as", "nobody"], says: /argument 'nobody' is invalid/ },
    { name: "an object that is no version", argv: ["--object", "x"], says: /--object is no version URL/ },
    {
      name: "C48: a key of a managed HSM",
      argv: ["--object", `https://hsm1.managedhsm.azure.net/keys/k/${"0".repeat(32)}`],
      says: /managed HSM, which this product does not back up; use its own full backup/,
    },
    {
      name: "a version of another vault",
      argv: ["--object", `https://kv-b.vault.azure.net/secrets/a/${"0".repeat(32)}`],
      says: /lies in no vault of BACKUP_VAULTS/,
    },
    { name: "an id that is none", argv: ["--store-id", "stbackups"], says: /--store-id is no resource id/ },
    {
      name: "an id with a way out of it",
      argv: ["--event-subscription", "/subscriptions/s/../x"],
      says: /--event-subscription is no resource id/,
    },
    {
      name: "--live as another job",
      argv: ["--live", "--as", "audit"],
      says: /--live puts its blob as backup/,
    },
    {
      name: "settings of nobody",
      argv: ["--app-settings", aFile("list.json", [1])],
      says: /no list of names/,
    },
    { name: "a plan that is not there", argv: ["--plan", "none.json"], says: /Cannot read the plan/ },
    { name: "a plan that is no JSON", argv: ["--plan", aFile("plan.txt", "{")], says: /is not JSON/ },
    {
      name: "a plan without resources",
      argv: ["--plan", aFile("empty.json", {})],
      says: /describes no resources/,
    },
  ])("refuses $name", async ({ argv, says }) => {
    const { exitCode, out, err } = await run(argv, settings)
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" })
    expect(err).toMatch(says)
  })

  it("tells what is wrong in a plan, for people and as a document", async () => {
    const plan = aFile("plan.json", {
      resources: [
        {
          type: "Microsoft.Storage/storageAccounts",
          name: "stbackups",
          properties: { publicNetworkAccess: "Enabled", allowSharedKeyAccess: false },
        },
      ],
    })
    const text = await run(["--plan", plan])
    expect(text).toEqual({
      exitCode: 30,
      err: "",
      out: `public-network  microsoft.storage/storageaccounts/stbackups
       takes calls from every network
       Fix:   Turn public network access of stbackups off, and reach it by its private endpoint.
       $ az storage account update --name stbackups --public-network-access Disabled

1 finding in 1 resources.
`,
    })
    const json = JSON.parse((await run(["--plan", plan, "--json"])).out) as unknown
    expect(json).toMatchObject({
      format: "kvbackup-doctor/1",
      exitCode: 30,
      resources: 1,
      findings: [{ rule: "public-network" }],
    })
  })

  it("finds nothing in a plan of this project", async () => {
    const file = resolve(import.meta.dirname, "../../infra/plans/minimal.snapshot.json")
    expect(await run(["--plan", file])).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/^0 findings in \d+ resources\.\n$/),
    })
  })
})

const finding = (status: Finding["status"], more: Partial<Finding> = {}): Finding => ({
  hop: "store",
  job: "backup",
  target: "https://a/b",
  status,
  verdict: status === "ok" ? "ok" : "store.role",
  says: "said",
  ...more,
})

describe("exitCodeOfReport", () => {
  it.each([
    { is: 0, findings: [finding("ok"), finding("notAsked")] },
    { is: 30, findings: [finding("ok"), finding("failing")] },
    { is: 31, findings: [finding("failing"), finding("unknown")] },
  ])("is $is", ({ is, findings }) => {
    expect(exitCodeOfReport({ findings })).toBe(is)
  })
})

describe("formatDoctorReport", () => {
  it("gives each way a line, and each that fails its fix", () => {
    const report: DoctorReport = {
      at: new Date("2026-03-01T12:00:00Z"),
      jobs: ["backup"],
      findings: [
        finding("ok", { says: "add blobs: allowed", notes: ["There is a legal hold, too."] }),
        finding("failing", {
          fix: { what: "Do this.", role: "R", bicep: "b = 1", setting: "A=1", az: ["az x"] },
        }),
      ],
    }
    expect(formatDoctorReport(report)).toBe(`Asked as backup at 2026-03-01T12:00:00.000Z

ok     store as backup  https://a/b
       add blobs: allowed
       Note: There is a legal hold, too.
FAILS  store as backup  https://a/b
       store.role: said
       Fix:   Do this.
       Role:  R
       App:   A=1
       Bicep: b = 1
       $ az x

1 well, 1 failing. Exit code 30.
`)
  })
})
