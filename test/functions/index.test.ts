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
