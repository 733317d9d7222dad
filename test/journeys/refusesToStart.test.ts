import { existsSync, readFileSync } from "node:fs"
import { mkdtempDisposable } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { exportJWK, generateKeyPair, type JWK } from "jose"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { startCloud } from "../../local/cloud/startCloud.ts"
import { workerSettings } from "../../local/cloud/workerSettings.ts"
import {
  type RunningFunctionsHost,
  startFunctionsHost,
} from "../../local/functionsHost/startFunctionsHost.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

const appDirectory = fileURLToPath(new URL("../..", import.meta.url))

/** A cloud whose own worker takes nothing from the queue, so that another can be started beside it. */
let journey: Journey
let ids: readonly string[]
const lines: string[] = []

beforeAll(async () => {
  journey = await startJourney({ settings: { BACKUP_PAUSED: "true" } })
  ids = await Promise.all(["one", "two", "three"].map((name) => journey.set(name, `value of ${name}`)))
})
afterAll(() => journey.stop())

function publicKeys(): string {
  const { keys } = JSON.parse(readFileSync(journey.cloud.file.recoveryKeyFile, "utf8")) as { keys: JWK[] }
  return JSON.stringify({ keys: keys.map(({ kty, crv, x, y, kid }) => ({ kty, crv, x, y, kid })) })
}

/** Starts a worker on this cloud with the usual settings, `overrides` in their place. */
function start(overrides: Readonly<Record<string, string>>): Promise<RunningFunctionsHost> {
  const { authority, file } = journey.cloud
  const { container, stateContainer, deadLetterContainer } = file.blob
  const { queue, quarantineQueue } = file.serviceBus
  return startFunctionsHost({
    appDirectory,
    bundle: join(appDirectory, "dist", "functions", "index.cjs"),
    caFile: file.caFile,
    env: workerSettings({
      authority,
      identity: file.identityEndpoint,
      blobUrl: file.blob.url,
      vaultUrls: file.vaults.map(({ url }) => url),
      fullyQualifiedNamespace: file.serviceBus.fullyQualifiedNamespace,
      recipients: publicKeys(),
      digestKeyFile: file.digestKeyFile,
      scopes: { container, stateContainer, deadLetterContainer, queue, quarantineQueue },
      overrides,
    }),
    onLog: ({ message }) => lines.push(message),
  })
}

/** What the worker says when it does not start; stops it and fails when it does. */
async function refusalOf(overrides: Readonly<Record<string, string>>): Promise<string> {
  const outcome: unknown = await start(overrides).catch((error: unknown) => error)
  if (outcome instanceof Error) return outcome.message
  await (outcome as RunningFunctionsHost).stop()
  throw new Error("The worker started")
}

/** The messages are as they were sent: nobody has taken one in hand. */
async function expectUntouched(): Promise<void> {
  const { queue } = journey.cloud.file.serviceBus
  expect(journey.cloud.serviceBus.counts()[queue]).toEqual({
    active: ids.length,
    locked: 0,
    scheduled: 0,
    deferred: 0,
    deadLettered: 0,
  })
  const messages = await journey.peek("changes")
  expect(messages.map(({ deliveryCount }) => deliveryCount)).toEqual(ids.map(() => 0))
}

describe("a worker whose settings are wrong", () => {
  it("names every one of them at once, each with what it takes", async () => {
    const refusal = await refusalOf({
      BACKUP_MODE: "prod",
      BACKUP_VAULTS: "https://kv-a.vault.azure.net/secrets, kv-b",
      BACKUP_STORE_URL: "http://account.blob.core.windows.net",
      BACKUP_STORE_CONTAINER: "Backups",
      BACKUP_STORE_MIN_RETENTION_DAYS: "0",
      BACKUP_RETRY_FIRST_DELAY: "15",
      BACKUP_RETRY_MAX_AGE: "1y",
      BACKUP_OBJECTIVE: "fast",
      BACKUP_PAUSED: "perhaps",
      BACKUP_REPLAY_MAX: "1000",
      BACKUP_BACKUP_CLIENT_ID: "me",
      BACKUP_VAULT_CHALLENGE_CHECK: "sometimes",
      BACKUP_CANARY_SECRET: "https://kv-a.vault.azure.net/keys/a",
      BACKUP_CREDENTIAL: "password",
      BACKUP_RETRY_MAX_DELY: "15m",
      BackupServiceBus__fullyQualifiedNamespace: "sb://bus.servicebus.windows.net/",
    })
    expect(refusal).toContain("The functions host failed to start: ")
    expect(refusal).toContain("[ERR_CONFIG_INVALID] 17 settings are wrong:")
    const problems = refusal.split("\n  ").slice(1)
    for (const [name, what] of [
      ["BACKUP_MODE", "must be production or development"],
      ["BACKUP_VAULTS", '"https://kv-a.vault.azure.net/secrets" is none'],
      ["BACKUP_VAULTS", '"kv-b" is none'],
      ["BACKUP_STORE_URL", "must be an https URL"],
      ["BACKUP_STORE_CONTAINER", "must be 3 to 63 lower-case letters"],
      ["BACKUP_STORE_MIN_RETENTION_DAYS", "must be a whole number from 1 to 146000"],
      ["BACKUP_RETRY_FIRST_DELAY", "must be a duration from 10ms to 1h"],
      ["BACKUP_RETRY_MAX_AGE", "must be a duration from 1s to 14d"],
      ["BACKUP_OBJECTIVE", "must be pNN=DURATION"],
      ["BACKUP_PAUSED", "must be true or false"],
      ["BACKUP_REPLAY_MAX", "must be a whole number from 1 to 100"],
      ["BACKUP_BACKUP_CLIENT_ID", "must be a client id"],
      ["BACKUP_VAULT_CHALLENGE_CHECK", "must be on or off"],
      ["BACKUP_CANARY_SECRET", "must be the URL of a secret"],
      ["BACKUP_CREDENTIAL", "must be managedIdentity, azureCli or workloadIdentity"],
      ["BACKUP_RETRY_MAX_DELY", "is no setting of this product"],
      ["BackupServiceBus__fullyQualifiedNamespace", "must be a host name"],
    ] as const) {
      const problem = problems.find((line) => line.startsWith(`${name} `) && line.includes(what))
      expect(problem, `${name} ${what} in ${refusal}`).toBeDefined()
    }
    await expectUntouched()
  })

  it.each([
    { name: "no recipients", recipients: "", says: "BACKUP_RECIPIENTS is not set" },
    {
      name: "an empty set of recipients",
      recipients: '{"keys":[]}',
      says: "BACKUP_RECIPIENTS the JWK Set has no keys",
    },
    {
      name: "a file of recipients that is not there",
      recipients: "/nowhere/keys.json",
      says: "BACKUP_RECIPIENTS must be",
    },
    {
      name: "recipients for another vault only",
      recipients: '{"https://kv-z.vault.azure.net": KEYS}',
      says: "BACKUP_RECIPIENTS names https://kv-z.vault.azure.net, which is not in BACKUP_VAULTS",
    },
    {
      name: "a key that is none",
      recipients: '{"keys":[{"kty":"EC","crv":"P-384","kid":"k","x":"AAAA","y":"AAAA"}]}',
      says: "[ERR_CONFIG_INVALID]",
    },
  ])("refuses $name", async ({ recipients, says }) => {
    const refusal = await refusalOf({ BACKUP_RECIPIENTS: recipients.replace("KEYS", publicKeys()) })
    expect(refusal).toContain("[ERR_CONFIG_INVALID]")
    expect(refusal).toContain(says)
    await expectUntouched()
  })

  it.each(["EC", "RSA"] as const)(
    "refuses a private %s key among the recipients, and quotes nothing of it",
    async (kty) => {
      const { privateKey } = await generateKeyPair(kty === "EC" ? "ECDH-ES+A256KW" : "RSA-OAEP-256", {
        crv: "P-384",
        extractable: true,
      })
      const jwk = { ...(await exportJWK(privateKey)), kid: "leaked" }
      const { keys } = JSON.parse(publicKeys()) as { keys: JWK[] }
      const refusal = await refusalOf({ BACKUP_RECIPIENTS: JSON.stringify({ keys: [...keys, jwk] }) })
      expect(refusal).toContain("BACKUP_RECIPIENTS key 2 holds a private or secret member")
      const members = ["d", "p", "q", "dp", "dq", "qi"] as const
      const secrets = members.flatMap((member) => jwk[member] ?? [])
      expect(secrets.length).toBe(kty === "EC" ? 1 : 6)
      for (const secret of secrets) expect([refusal, ...lines].join("\n")).not.toContain(secret)
      await expectUntouched()
    },
  )
})

describe("a worker in production", () => {
  const production = { BACKUP_MODE: "production", BACKUP_VAULT_CHALLENGE_CHECK: "on" }

  it("refuses a container without a policy, before it calls a vault", async () => {
    const { blob, file } = journey.cloud
    // Changes nothing and counts what the worker asks of the vault.
    await journey.control("POST /faults", {
      target: "keyvault",
      match: { job: "backup" },
      effect: "delay",
      delayMs: 0,
    })
    await blob.setPolicy(file.blob.container, { state: "none" })
    try {
      const refusal = await refusalOf(production)
      expect(refusal).toContain("[ERR_STORE_NOT_IMMUTABLE] The container has no time-based retention policy")
    } finally {
      await blob.setPolicy(file.blob.container, { state: "locked", days: 30 })
    }
    expect(journey.cloud.faults.list()).toMatchObject([{ target: "keyvault", hits: 0 }])
    await journey.control("DELETE /faults")
    await expectUntouched()
  })

  it.each([
    {
      name: "to leave the vault's challenge unchecked",
      settings: { BACKUP_VAULT_CHALLENGE_CHECK: "off" },
      says: "BACKUP_VAULT_CHALLENGE_CHECK must be on in production",
    },
    {
      name: "a credential of a person",
      settings: { BACKUP_CREDENTIAL: "azureCli" },
      says: "BACKUP_CREDENTIAL must be managedIdentity for functions in production",
    },
  ])("refuses $name", async ({ settings, says }) => {
    const refusal = await refusalOf({ ...production, ...settings })
    expect(refusal).toContain("[ERR_CONFIG_INVALID]")
    expect(refusal).toContain(says)
    await expectUntouched()
  })
})

describe("a cloud whose worker refuses to start", () => {
  it("does not start either, and leaves nothing behind", async () => {
    await using place = await mkdtempDisposable(join(tmpdir(), "refused-"))
    const starting = startCloud({ directory: place.path, settings: { BACKUP_REPLAY_MAX: "0" } })
    await expect(starting).rejects.toThrow("BACKUP_REPLAY_MAX must be a whole number from 1 to 100")
    expect(existsSync(join(place.path, ".local", "cloud.json"))).toBe(false)
  })
})

describe("a worker whose settings are right", () => {
  it("takes the messages that the others left untouched", async () => {
    await expectUntouched()
    const host = await start({})
    try {
      await journey.settled()
      const values = await Promise.all(ids.map(async (id) => (await journey.open(id)).value))
      expect(values).toEqual(["value of one", "value of two", "value of three"])
    } finally {
      await host.stop()
    }
  })
})
