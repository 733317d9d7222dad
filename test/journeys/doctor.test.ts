import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Fix } from "../../shared/diagnosis/verdict.ts"
import { answering, type DoctorRun, runDoctorIn } from "../support/runDoctorIn.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

let journey: Journey
let roles: Readonly<Record<string, readonly string[]>>
let disabled = ""

const fixes: Fix[] = []

beforeAll(async () => {
  journey = await startJourney({ runsTimers: false })
  roles = (await journey.control("GET /roles")) as typeof roles
  disabled = await journey.set("switched-off", "v")
})
afterAll(() => journey.stop())

const firewall = (target: string, state: string) => journey.control("PUT /firewall", { [target]: state })
const without = (job: string, pattern: RegExp) =>
  journey.control("PUT /roles", { [job]: roles[job]!.filter((grant) => !pattern.test(grant)) })
const restored = (job: string) => journey.control("PUT /roles", { [job]: roles[job]! })
const enable = (enabled: boolean) =>
  journey.secrets.updateSecretProperties("switched-off", disabled.split("/").at(-1) ?? "", { enabled })
const container = "keyvault-backups"

interface BrokenSetup {
  readonly name: string
  readonly verdict: string
  readonly run?: () => DoctorRun
  readonly breakIt?: () => Promise<unknown>
  readonly mend?: () => Promise<unknown>
  /** How it is run once it is mended, where the fix is a setting or a name. */
  readonly mended?: (fix: Fix) => DoctorRun
  /** What the fix must name. */
  readonly names: RegExp
}

const settingOf = (fix: Fix) => Object.fromEntries([(fix.setting ?? "").split("=", 2) as [string, string]])

const setups: readonly BrokenSetup[] = [
  {
    name: "the vault's firewall is closed",
    verdict: "vault.firewall",
    breakIt: () => firewall("keyvault", "closed"),
    mend: () => firewall("keyvault", "open"),
    names: /az keyvault network-rule add --name 127\.0\.0\.1 --subnet/,
  },
  {
    name: "C42: the store's firewall is closed, and the role is there",
    verdict: "store.firewall",
    breakIt: () => firewall("blob", "closed"),
    mend: () => firewall("blob", "open"),
    names: /az storage account network-rule add .* --subnet/,
  },
  {
    name: "the namespace's firewall is closed",
    verdict: "queue.firewall",
    breakIt: () => firewall("servicebus", "closed"),
    mend: () => firewall("servicebus", "open"),
    names: /az servicebus namespace network-rule-set virtual-network-rule add/,
  },
  {
    name: "the role at the vault is missing",
    verdict: "vault.role",
    breakIt: () => without("backup", /getSecret/),
    mend: () => restored("backup"),
    names:
      /Key Vault backup: backup at vaults.*secrets\/getSecret|secrets\/getSecret.*Key Vault backup: backup at vaults/s,
  },
  {
    name: "C42: the store is reached, and the role is missing",
    verdict: "store.role",
    breakIt: () => without("backup", /blobs\/add\/action/),
    mend: () => restored("backup"),
    names: /Key Vault backup: add at containers.*containers\/keyvault-backups/s,
  },
  {
    name: "the role at the quarantine queue is missing",
    verdict: "queue.role",
    breakIt: () => without("backup", /send\/action on keyvault-changes-quarantine$/),
    mend: () => restored("backup"),
    names: /Key Vault backup: send at queues.*queues\/keyvault-changes-quarantine/s,
  },
  {
    name: "the vault's name leads to its public address",
    verdict: "vault.dnsPublic",
    run: () => ({
      env: storeByName(),
      resolver: answering("127.0.0.1", {
        addresses: ["20.61.103.226"],
        aliases: ["payments.privatelink.vaultcore.azure.net"],
      }),
    }),
    breakIt: () => firewall("keyvault", "private"),
    mend: () => firewall("keyvault", "open"),
    mended: () => ({ env: storeByName(), resolver: answering("127.0.0.1", { addresses: ["10.1.0.5"] }) }),
    names: /private-dns link vnet create .* --zone-name privatelink\.vaultcore\.azure\.net/,
  },
  {
    name: "the version is disabled",
    verdict: "object.disabled",
    run: () => ({ object: disabled }),
    breakIt: () => enable(false),
    mend: () => enable(true),
    mended: () => ({ object: disabled }),
    names:
      /az keyvault secret set-attributes --id https:\/\/.*\/secrets\/switched-off\/[0-9a-f]{32} --enabled true/,
  },
  {
    name: "the audience is another cloud's",
    verdict: "vault.audience",
    run: () => ({ env: { BACKUP_VAULT_AUDIENCE: "https://vault.azure.cn" } }),
    mended: (fix) => ({ env: settingOf(fix) }),
    names: /BACKUP_VAULT_AUDIENCE=https:\/\/vault\.azure\.net/,
  },
  {
    name: "the client id of the identity is missing",
    verdict: "identity.idMissing",
    run: () => ({
      env: { BACKUP_BACKUP_CLIENT_ID: "", BackupServiceBus__clientId: "", BackupServiceBus__credential: "" },
    }),
    mended: (fix) => {
      const [name = ""] = Object.keys(settingOf(fix))
      return { env: { [name]: journey.cloud.file.identities["backup"]!.clientId } }
    },
    names: /BACKUP_BACKUP_CLIENT_ID=CLIENT_ID/,
  },
  {
    name: "the identity is not assigned to the app",
    verdict: "identity.unknown",
    run: () => {
      const nobody = "00000000-1111-2222-3333-444444444444"
      return { env: { BACKUP_BACKUP_CLIENT_ID: nobody, BackupServiceBus__clientId: nobody } }
    },
    mended: () => ({}),
    names: /az functionapp identity assign .*00000000-1111-2222-3333-444444444444/,
  },
  {
    name: "C53: the policy is there, and not locked",
    verdict: "policy.unlocked",
    breakIt: () => journey.control("PUT /policy", { container, state: "unlocked", days: 30 }),
    mend: () => journey.control("PUT /policy", { container, state: "locked", days: 30 }),
    names: /immutability-policy lock .*--container-name keyvault-backups/,
  },
  {
    name: "C53: the policy is locked, for too few days",
    verdict: "policy.tooShort",
    run: ninetyDays,
    mend: () => journey.control("PUT /policy", { container, state: "locked", days: 90 }),
    mended: ninetyDays,
    names: /immutability-policy extend .*--period 90/,
  },
  {
    name: "the container has no policy at all",
    verdict: "policy.absent",
    breakIt: () => journey.control("PUT /policy", { container, state: "none" }),
    mend: () => journey.control("PUT /policy", { container, state: "locked", days: 30 }),
    names: /immutability-policy create .*--container-name keyvault-backups/,
  },
  {
    name: "replay may not read the dead letters",
    verdict: "deadLetter.role",
    run: () => ({ as: "replay" }),
    breakIt: () => without("replay", /eventgrid-dead-letters/),
    mend: () => restored("replay"),
    mended: () => ({ as: "replay" }),
    names: /Key Vault backup: read at containers.*containers\/eventgrid-dead-letters/s,
  },
  {
    name: "replay may not hold its lease",
    verdict: "state.role",
    run: () => ({ as: "replay" }),
    breakIt: () => without("replay", /blobs\/write/),
    mend: () => restored("replay"),
    mended: () => ({ as: "replay" }),
    names: /Key Vault backup: state at containers/,
  },
]

/** So that the vault alone has the address 127.0.0.1. */
function storeByName() {
  const url = journey.cloud.file.blob.url.replace("127.0.0.1", "localhost")
  return { BACKUP_STORE_URL: url, BACKUP_DEADLETTER_URL: url }
}

function ninetyDays(): DoctorRun {
  return { local: true, env: { BACKUP_STORE_MIN_RETENTION_DAYS: "90" } }
}

describe("C42, C43, C44, C45, C46: kvbackup doctor tells apart", () => {
  it("a set-up that is well", async () => {
    const { exitCode, failing, unknown } = await runDoctorIn(journey)
    expect({ exitCode, failing, unknown }).toEqual({ exitCode: 0, failing: [], unknown: [] })
  })

  it.each(setups)(
    "$name: $verdict, and its fix mends it",
    async ({ verdict, run, breakIt, mend, mended, names }) => {
      await breakIt?.()
      const broken = await runDoctorIn(journey, { as: "backup", ...run?.() })
      const fix = broken.findings.find((finding) => finding.verdict === verdict)?.fix
      await mend?.()
      expect({ failing: broken.failing, unknown: broken.unknown, exitCode: broken.exitCode }).toEqual({
        failing: [verdict],
        unknown: [],
        exitCode: 30,
      })
      expect(JSON.stringify(fix).replaceAll(String.raw`\"`, '"')).toMatch(names)
      fixes.push(fix!)
      const well = await runDoctorIn(journey, { as: "backup", ...(mended?.(fix!) ?? run?.()) })
      expect({ failing: well.failing, exitCode: well.exitCode }).toEqual({ failing: [], exitCode: 0 })
    },
  )

  it("each by a verdict of its own", () => {
    expect(new Set(setups.map(({ verdict }) => verdict)).size).toBe(setups.length)
    expect(fixes).toHaveLength(setups.length)
  })

  it("and never proposes to open anything to everybody", () => {
    const text = JSON.stringify(fixes)
    expect(text).not.toMatch(/AzureServices|default-action Allow|0\.0\.0\.0|public-network-access Enabled/i)
    expect(text).not.toMatch(/trusted-service-access true|Owner"|"Contributor/)
  })
})
