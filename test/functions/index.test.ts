import { afterEach, expect, it, vi } from "vitest"
import { installFunctionsCore } from "../../local/functionsHost/functionsCore.ts"

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
