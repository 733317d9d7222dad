import { afterEach, expect, it, vi } from "vitest"
import { canarySchedule } from "../../functions/sendCanary.ts"
import { installFunctionsCore } from "../../local/functionsHost/functionsCore.ts"
import { canaryPeriodMs } from "../../shared/audit/canary.ts"

const { functions } = installFunctionsCore("4.0.0", () => {})

afterEach(() => vi.unstubAllEnvs())

it.each([
  { name: "is named", given: "other-queue", is: "other-queue" },
  { name: "is empty, as every other empty setting is not set", given: "", is: "keyvault-changes" },
  { name: "is not set", given: undefined, is: "keyvault-changes" },
])("listens to the queue that the settings mean when BACKUP_QUEUE $name", async ({ given, is }) => {
  vi.stubEnv("BACKUP_QUEUE", given)
  vi.resetModules()
  for (const { name } of functions.values()) (functions as Map<string, unknown>).delete(name)
  await import("../../functions/index.ts")
  const bindings = Object.values(functions.get("backupVersion")?.metadata.bindings ?? {})
  expect(bindings).toEqual([expect.objectContaining({ queueName: is, connection: "BackupServiceBus" })])
})

it.each([
  { key: "file.json", clientId: "00000000-0000-0000-0000-000000000000", is: true },
  { key: "file.json", clientId: " ", is: false },
  { key: "", clientId: "00000000-0000-0000-0000-000000000000", is: false },
])(
  "signs digests only with a key and as audit: key '$key', identity '$clientId'",
  async ({ key, clientId, is }) => {
    vi.stubEnv("BACKUP_DIGEST_KEY", key)
    vi.stubEnv("BACKUP_AUDIT_CLIENT_ID", clientId)
    vi.resetModules()
    for (const { name } of functions.values()) (functions as Map<string, unknown>).delete(name)
    await import("../../functions/index.ts")
    expect(functions.has("writeDigest")).toBe(is)
  },
)

const secret = "https://kv-a.vault.azure.net/secrets/canary"
const anId = "00000000-0000-0000-0000-000000000000"

it.each([
  { secretUrl: secret, clientId: anId, paused: "false", is: true },
  { secretUrl: secret, clientId: anId, paused: "true", is: true },
  { secretUrl: secret, clientId: "", paused: "false", is: false },
  { secretUrl: " ", clientId: anId, paused: "false", is: false },
])(
  "sends a canary only where both its secret and its identity are set: '$secretUrl', '$clientId', paused $paused",
  async ({ secretUrl, clientId, paused, is }) => {
    vi.stubEnv("BACKUP_CANARY_SECRET", secretUrl)
    vi.stubEnv("BACKUP_CANARY_CLIENT_ID", clientId)
    vi.stubEnv("BACKUP_PAUSED", paused)
    vi.resetModules()
    for (const { name } of functions.values()) (functions as Map<string, unknown>).delete(name)
    await import("../../functions/index.ts")
    expect(functions.has("sendCanary")).toBe(is)
    expect(functions.has("backupVersion")).toBe(paused === "false")
  },
)

it("sends as many canaries as its period says, at the minutes that the documentation tells", () => {
  const minutes = canarySchedule.split(" ")[1]?.split(",") ?? []
  expect(minutes).toEqual(["7", "37"])
  expect(minutes).toHaveLength(3_600_000 / canaryPeriodMs)
})

it.each([
  { auth: "True", clientId: "00000000-0000-0000-0000-000000000000", is: true },
  { auth: "False", clientId: "00000000-0000-0000-0000-000000000000", is: false },
  { auth: undefined, clientId: "00000000-0000-0000-0000-000000000000", is: false },
  { auth: "True", clientId: "", is: false },
])(
  "serves the latency page only where the app signs people in, and as audit: '$auth', identity '$clientId'",
  async ({ auth, clientId, is }) => {
    vi.stubEnv("WEBSITE_AUTH_ENABLED", auth)
    vi.stubEnv("BACKUP_AUDIT_CLIENT_ID", clientId)
    vi.resetModules()
    for (const { name } of functions.values()) (functions as Map<string, unknown>).delete(name)
    await import("../../functions/index.ts")
    expect(functions.has("latencyReport")).toBe(is)
  },
)
