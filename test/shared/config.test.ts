import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { loadSettings, type SettingName } from "../../shared/config.ts"
import { ServiceError } from "../../shared/errors.ts"
import { recipientPair } from "../support/recipientPair.ts"

const { publicJwk, privateJwk } = await recipientPair("EC", "recovery-1")
const folder = mkdtempSync(join(tmpdir(), "config-"))
afterAll(() => rmSync(folder, { recursive: true }))

type Env = Readonly<Record<string, string | undefined>>

function problemsOf(env: Env, required: readonly SettingName[] = []): string {
  try {
    loadSettings(env, required)
  } catch (error) {
    if (error instanceof ServiceError && error.code === "ERR_CONFIG_INVALID") return error.message
    throw error
  }
  return ""
}

const load = (env: Env) => loadSettings(env, [])

describe("loadSettings", () => {
  it("has a default for what need not be set", () => {
    expect(load({})).toEqual({
      BACKUP_MODE: "production",
      BACKUP_EXCLUDE: [],
      BACKUP_STORE_CONTAINER: "keyvault-backups",
      BACKUP_STATE_CONTAINER: "keyvault-backup-state",
      BACKUP_QUEUE: "keyvault-changes",
      BACKUP_QUARANTINE_QUEUE: "keyvault-changes-quarantine",
      BACKUP_DEADLETTER_CONTAINER: "eventgrid-dead-letters",
      BACKUP_OBJECTIVE: { percentile: 99, limitMs: 60_000 },
      BACKUP_RETRY_FIRST_DELAY: 15_000,
      BACKUP_RETRY_MAX_DELAY: 900_000,
      BACKUP_RETRY_MAX_AGE: 86_400_000,
      BACKUP_VAULT_CHALLENGE_CHECK: "on",
      BACKUP_PAUSED: false,
      BACKUP_AUTO_REPLAY: false,
      BACKUP_REPLAY_MAX: 3,
    })
  })

  it.each([
    {
      name: "BACKUP_VAULTS",
      value: " HTTPS://KV-A.vault.azure.net/ , https://kv-a.vault.azure.net,https://localhost:8443",
      is: ["https://kv-a.vault.azure.net", "https://localhost:8443"],
    },
    { name: "BACKUP_EXCLUDE", value: "tmp-*, ,old", is: ["tmp-*", "old"] },
    {
      name: "BACKUP_STORE_URL",
      value: "https://Account.blob.core.windows.net/",
      is: "https://account.blob.core.windows.net",
    },
    {
      name: "BACKUP_STORE_URL",
      value: "https://127.0.0.1:10000/Account/",
      is: "https://127.0.0.1:10000/Account",
    },
    { name: "BACKUP_RETRY_FIRST_DELAY", value: "500ms", is: 500 },
    { name: "BACKUP_RETRY_MAX_DELAY", value: "2h", is: 7_200_000 },
    { name: "BACKUP_RETRY_MAX_AGE", value: "7d", is: 604_800_000 },
    { name: "BACKUP_STORE_MIN_RETENTION_DAYS", value: "365", is: 365 },
    { name: "BACKUP_OBJECTIVE", value: "p99.9=2m", is: { percentile: 99.9, limitMs: 120_000 } },
    { name: "BACKUP_PAUSED", value: "True", is: true },
    {
      name: "BACKUP_CANARY_SECRET",
      value: "https://KV-a.vault.azure.net:443/secrets/Canary/",
      is: "https://kv-a.vault.azure.net/secrets/canary",
    },
    {
      name: "BackupServiceBus__fullyQualifiedNamespace",
      value: "ns.servicebus.windows.net",
      is: "ns.servicebus.windows.net",
    },
    { name: "BackupServiceBus__fullyQualifiedNamespace", value: "127.0.0.1:5671", is: "127.0.0.1:5671" },
    { name: "BACKUP_QUEUE", value: "   ", is: "keyvault-changes" },
  ] as const)("reads $name=$value", ({ name, value, is }) => {
    expect(load({ [name]: value })[name]).toEqual(is)
  })

  const wrong = [
    { name: "BACKUP_MODE", value: "prod", says: "must be production or development" },
    { name: "BACKUP_VAULTS", value: "http://kv-a.vault.azure.net", says: "https://NAME.vault.azure.net" },
    { name: "BACKUP_VAULTS", value: "https://kv-a.vault.azure.net/secrets", says: "is none" },
    { name: "BACKUP_VAULTS", value: ",", says: "at least one" },
    {
      name: "BACKUP_STORE_URL",
      value: "https://a.blob.core.windows.net/?sv=1&sig=hunter2",
      says: "without user, query or fragment",
    },
    { name: "BACKUP_STORE_CONTAINER", value: "Up", says: "3 to 63 lower-case letters" },
    { name: "BACKUP_STORE_CONTAINER", value: "a--b", says: "single hyphens" },
    { name: "BACKUP_STORE_MIN_RETENTION_DAYS", value: "0", says: "from 1 to 146000" },
    { name: "BACKUP_STORE_MIN_RETENTION_DAYS", value: "1.5", says: "from 1 to 146000" },
    { name: "BACKUP_RETRY_FIRST_DELAY", value: "15", says: "from 10ms to 1h" },
    { name: "BACKUP_RETRY_FIRST_DELAY", value: "2h", says: "from 10ms to 1h" },
    { name: "BACKUP_RETRY_MAX_DELAY", value: "1ms", says: "from 10ms to 12h" },
    { name: "BACKUP_RETRY_MAX_AGE", value: "15d", says: "from 1s to 14d" },
    { name: "BACKUP_REPLAY_MAX", value: "101", says: "from 1 to 100" },
    { name: "BACKUP_OBJECTIVE", value: "p100=60s", says: "above 0 and below 100" },
    { name: "BACKUP_OBJECTIVE", value: "p0=60s", says: "above 0 and below 100" },
    { name: "BACKUP_OBJECTIVE", value: "p99=0s", says: "p99=60s" },
    { name: "BACKUP_QUEUE", value: "/q", says: "1 to 260" },
    { name: "BACKUP_BACKUP_CLIENT_ID", value: "me", says: "GUID" },
    { name: "BACKUP_VAULT_CHALLENGE_CHECK", value: "false", says: "on or off" },
    { name: "BACKUP_CREDENTIAL", value: "default", says: "managedIdentity, azureCli or workloadIdentity" },
    {
      name: "BACKUP_CANARY_SECRET",
      value: "https://kv-a.vault.azure.net/keys/a",
      says: "https://VAULT/secrets/NAME",
    },
    {
      name: "BACKUP_CANARY_SECRET",
      value: "https://kv-a.vault.azure.net",
      says: "https://VAULT/secrets/NAME",
    },
    { name: "BACKUP_PAUSED", value: "yes", says: "true or false" },
    { name: "BACKUP_RECIPIENTS", value: join(folder, "none.json"), says: "path of a readable file" },
    {
      name: "BackupServiceBus__fullyQualifiedNamespace",
      value: "Endpoint=sb://ns/;SharedAccessKey=hunter2",
      says: "host name",
    },
  ] as const

  it.each(wrong)("refuses $name=$value by name, with what it may be", ({ name, value, says }) => {
    const problems = problemsOf({ [name]: value })
    expect(problems).toContain("1 setting is wrong:")
    expect(problems).toContain(`${name} `)
    expect(problems).toContain(says)
    expect(problems).not.toContain("hunter2")
  })

  it("names what is wrong between settings beside settings that are wrong themselves", () => {
    const problems = problemsOf({
      BACKUP_STORE_URL: "no url",
      BACKUP_QUEUE: "same",
      BACKUP_QUARANTINE_QUEUE: "Same",
      BACKUP_VAULT_CHALLENGE_CHECK: "off",
    })
    expect(problems).toContain("3 settings are wrong:")
    for (const name of ["BACKUP_STORE_URL", "BACKUP_QUARANTINE_QUEUE", "BACKUP_VAULT_CHALLENGE_CHECK"]) {
      expect(problems).toContain(`\n  ${name} must be`)
    }
  })

  it("names every wrong, unknown and missing setting at once", () => {
    const problems = problemsOf(
      { BACKUP_MODE: "x", BACKUP_QUEUE: "/", BACKUP_VALTS: "https://kv-a.vault.azure.net", PATH: "/bin" },
      ["BACKUP_STORE_URL", "BACKUP_QUEUE"],
    )
    expect(problems).toMatch(/4 settings are wrong/)
    expect(problems).toMatch(
      /^ {2}BACKUP_VALTS is no setting of this product; the nearest is BACKUP_VAULTS$/m,
    )
    expect(problems).toMatch(/^ {2}BACKUP_STORE_URL is not set$/m)
    expect(problems).toMatch(/^ {2}BACKUP_MODE /m)
    expect(problems).toMatch(/^ {2}BACKUP_QUEUE /m)
  })

  it("takes an empty required setting for a missing one, and a default for a given one", () => {
    expect(problemsOf({ BACKUP_VAULTS: " " }, ["BACKUP_VAULTS"])).toContain("BACKUP_VAULTS is not set")
    expect(problemsOf({}, ["BACKUP_QUEUE"])).toBe("")
  })

  it.each([
    {
      name: "delays in the wrong order",
      env: { BACKUP_RETRY_FIRST_DELAY: "20m" },
      says: /must not be longer/,
    },
    {
      name: "one queue for both",
      env: { BACKUP_QUARANTINE_QUEUE: "KEYVAULT-CHANGES" },
      says: /another queue/,
    },
    {
      name: "no challenge check in production",
      env: { BACKUP_VAULT_CHALLENGE_CHECK: "off" },
      says: /must be on in production/,
    },
    {
      name: "a canary in a vault that is not backed up",
      env: {
        BACKUP_VAULTS: "https://kv-a.vault.azure.net",
        BACKUP_CANARY_SECRET: "https://kv-a.vault.azure.net.example.com/secrets/canary",
      },
      says: /BACKUP_CANARY_SECRET must be in one of BACKUP_VAULTS/,
    },
    {
      name: "a canary that is excluded",
      env: {
        BACKUP_VAULTS: "https://kv-a.vault.azure.net",
        BACKUP_CANARY_SECRET: "https://kv-a.vault.azure.net/secrets/tmp-canary",
        BACKUP_EXCLUDE: "tmp-*",
      },
      says: /BACKUP_CANARY_SECRET must not be excluded/,
    },
  ])("refuses settings that contradict each other: $name", ({ env, says }) => {
    expect(problemsOf(env)).toMatch(says)
  })

  it("lets development go without the challenge check", () => {
    expect(problemsOf({ BACKUP_MODE: "development", BACKUP_VAULT_CHALLENGE_CHECK: "off" })).toBe("")
  })

  it("never shows the password in a vault URL", () => {
    for (const url of ["https://me:hunter2@kv-a.vault.azure.net", "https://:hunter2@kv-a.vault.azure.net"]) {
      const problems = problemsOf({ BACKUP_VAULTS: url })
      expect(problems).toContain("BACKUP_VAULTS")
      expect(problems).not.toContain("hunter2")
    }
  })
})

describe("loadSettings for BACKUP_RECIPIENTS", () => {
  const vaults = "https://kv-a.vault.azure.net,https://kv-b.vault.azure.net"
  const set = { keys: [publicJwk] }

  it("reads JSON and files alike", () => {
    const file = join(folder, "recipients.json")
    writeFileSync(file, JSON.stringify(set))
    const fromJson = load({ BACKUP_RECIPIENTS: JSON.stringify(set) }).BACKUP_RECIPIENTS
    expect(fromJson?.default).toEqual([publicJwk])
    expect(load({ BACKUP_RECIPIENTS: file }).BACKUP_RECIPIENTS).toEqual(fromJson)
  })

  it.each([{ name: "JSON" }, { name: "a file" }])(
    "refuses a private key in $name without quoting it",
    ({ name }) => {
      const file = join(folder, "private.json")
      const text = JSON.stringify({ keys: [privateJwk] })
      writeFileSync(file, text)
      const problems = problemsOf({ BACKUP_RECIPIENTS: name === "JSON" ? text : file })
      expect(problems).toContain("BACKUP_RECIPIENTS key 1 holds a private or secret member")
      expect(problems).not.toContain(privateJwk.d)
      expect(problems).not.toContain(publicJwk.kty === "EC" ? publicJwk.x : publicJwk.n)
    },
  )

  it.each([
    {
      name: "a vault that is not backed up",
      map: { "https://other.vault.azure.net": set, default: set },
      says: /names https:\/\/other.vault.azure.net/,
    },
    {
      name: "a vault without keys and no default",
      map: { "https://kv-a.vault.azure.net": set },
      says: /no key for https:\/\/kv-b.vault.azure.net and no default/,
    },
  ])("refuses a map with $name", ({ map, says }) => {
    expect(problemsOf({ BACKUP_VAULTS: vaults, BACKUP_RECIPIENTS: JSON.stringify(map) })).toMatch(says)
  })

  it("takes a map that covers every vault", () => {
    const map = { "https://kv-a.vault.azure.net": set, "https://kv-b.vault.azure.net": set }
    expect(problemsOf({ BACKUP_VAULTS: vaults, BACKUP_RECIPIENTS: JSON.stringify(map) })).toBe("")
  })
})
