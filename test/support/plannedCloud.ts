import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CertificateClient } from "@azure/keyvault-certificates"
import { KeyClient } from "@azure/keyvault-keys"
import { vi } from "vitest"
import { readLocalCloud } from "../../cli/localCloud.ts"
import { listPlans } from "../../infra/tools/plans.ts"
import { readPlan } from "../../infra/tools/policies/plan.ts"
import type { Job } from "../../local/access/job.ts"
import { parseVersionUrl } from "../../shared/change/objectVersion.ts"
import { canaryOf, examplePeople, type plannedJobs, planRoles } from "../infra/planRoles.ts"
import { type CliEnd, runCli } from "./runCli.ts"
import { type Journey, startJourney } from "./startJourney.ts"

/** A job that the plan of `infra/plans/newVault.bicepparam` gives rights. */
export type PlannedJob = (typeof plannedJobs)[number]

/**
 * A local cloud in which every identity has exactly the rights that a plan gives it, whose records are sealed to a key
 * in the vault and whose digests are signed with one: so that each right of the plan has something to be used for.
 */
export interface PlannedCloud {
  readonly journey: Journey
  readonly roles: Readonly<Record<PlannedJob, readonly string[]>>
  readonly vault: string
  /** Full URL of the version of the key that opens records. */
  readonly recoveryKey: string
  readonly digestKey: string
  readonly certificates: CertificateClient
  /** Settings of the worker, for parts of it that are composed in this process. */
  readonly env: Readonly<Record<string, string>>
  /** Gives a job these rights and no others. */
  readonly give: (job: PlannedJob, grants: readonly string[]) => Promise<void>
  /** Makes a self-signed certificate. @returns the id of its version as the product writes it. */
  readonly makeCertificate: (name: string) => Promise<string>
  /** Runs a command with `--json`. */
  readonly cli: (...argv: readonly string[]) => Promise<CliEnd>
  /** Asks a timer to run. @returns whether it ended well. */
  readonly runTimer: (name: string) => Promise<boolean>
  /** A name that nothing has yet. */
  readonly newName: (stem: string) => string
  readonly stop: () => Promise<void>
}

const retries = { BACKUP_RETRY_FIRST_DELAY: "300ms", BACKUP_RETRY_MAX_DELAY: "1s" }

/** Starts a cloud with the rights of the plan `newVault`, the one with everything in it. */
export async function startPlannedCloud(): Promise<PlannedCloud> {
  const snapshot = listPlans().find(({ name }) => name === "newVault")?.snapshot
  if (snapshot === undefined) throw new Error("There is no plan newVault")
  const plan = readPlan(snapshot)
  const roles = planRoles(plan, examplePeople)
  const [vaultName = ""] = canaryOf(plan)?.split("/") ?? []
  const keep = await mkdtemp(join(tmpdir(), "planned-"))
  const options = { keep, runsTimers: false, vaultNames: [vaultName] }
  // Twice: the keys must be in the vault before the worker is told of them.
  const first = await startJourney(options)
  const keys = await makeKeys(first).finally(first.stop)
  const settings = { BACKUP_RECIPIENTS: keys.recipients, BACKUP_DIGEST_KEY: keys.digestKey, ...retries }
  const journey = await startJourney({ ...options, settings })
  const allGiven = (rights: Partial<Record<Job, readonly string[]>>) => journey.control("PUT /roles", rights)
  await allGiven(roles)
  const certificates = new CertificateClient(keys.vault, userOf(journey), clientOptions)
  let names = 0
  return {
    journey,
    roles,
    vault: keys.vault,
    recoveryKey: keys.recoveryKey,
    digestKey: keys.digestKey,
    certificates,
    env: { ...readLocalCloud(journey.directory).env, ...settings },
    give: async (job, grants) => {
      await allGiven({ [job]: grants })
    },
    makeCertificate: async (name) => {
      const policy = { issuerName: "Self", subject: "CN=example.test", keyType: "EC", exportable: true }
      const poller = await certificates.beginCreateCertificate(name, policy, { intervalInMs: 5 })
      const { properties } = await poller.pollUntilDone()
      return (properties.id ?? "").toLowerCase()
    },
    cli: (...argv) => runCli(journey.directory, ...argv, "--json"),
    runTimer: (name) =>
      journey.control(`POST /functions/${name}`).then(
        () => true,
        () => false,
      ),
    newName: (stem) => `${stem}-${(names += 1)}`,
    stop: async () => {
      await journey.stop()
      await rm(keep, { recursive: true, force: true })
    },
  }
}

const clientOptions = { disableChallengeResourceVerification: true } as const

function userOf({ cloud }: Journey) {
  const token = cloud.file.identities["user"]?.tokens.vault ?? ""
  return { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) }
}

/** The key that opens records and the key that signs digests, and what the worker is told of them. */
async function makeKeys(journey: Journey) {
  const vault = journey.cloud.file.vaults[0]?.url ?? ""
  const client = new KeyClient(vault, userOf(journey), clientOptions)
  const { id: recoveryKey = "", key } = await client.createRsaKey("backup-recovery", { keySize: 2048 })
  await client.createEcKey("backup-digest", { curve: "P-256" })
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("base64url")
  const jwk = { kty: "RSA", kid: recoveryKey, n: text(key?.n), e: text(key?.e) }
  return {
    vault,
    recoveryKey,
    digestKey: `${vault}/keys/backup-digest`,
    recipients: JSON.stringify({ keys: [jwk] }),
  }
}

/** The code in the last line `event` that the worker printed after the first `from` lines; `undefined` without one. */
export function codeSaid({ lines }: Journey, event: string, from: number): string | undefined {
  const line = lines.slice(from).findLast((said) => said.includes(`"event":"${event}"`))
  return /"code":"(\w+)"/.exec(line ?? "")?.[1]
}

/** Waits until `look` gives something. */
export async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  return vi.waitFor(
    async () => {
      const found = await look()
      if (found === undefined) throw new Error("Not yet")
      return found
    },
    { timeout: 25_000, interval: 20 },
  )
}

/** Name and version in the id of a version. */
export function partsOf(id: string): { readonly name: string; readonly version: string } {
  const parsed = parseVersionUrl(id)
  if (!("object" in parsed)) throw new TypeError(`${id} is no version URL`)
  return parsed.object
}
