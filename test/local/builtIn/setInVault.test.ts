import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SecretClient, SetSecretOptions } from "@azure/keyvault-secrets"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type BuiltInAct, builtInChanges } from "../../../local/builtIn/builtInChanges.ts"
import { readImports } from "../../../local/import/readImports.ts"
import { twoHundredEntries } from "../import/twoHundredEntries.ts"
import { type AVault, aVault } from "../keyVault/aVault.ts"

let cloud: AVault
let secrets: SecretClient

beforeAll(async () => {
  cloud = await aVault()
  secrets = cloud.secrets()
})

afterAll(async () => {
  await cloud.stop()
})

function setOptions({
  contentType,
  tags,
  enabled,
  notBefore,
  expires,
}: Extract<BuiltInAct, { kind: "set" }>) {
  return {
    ...(contentType !== undefined && { contentType }),
    ...(tags !== undefined && { tags: { ...tags } }),
    ...(enabled !== undefined && { enabled }),
    ...(notBefore !== undefined && { notBefore }),
    ...(expires !== undefined && { expiresOn: expires }),
  } satisfies SetSecretOptions
}

describe("builtInChanges", () => {
  it("is taken by a vault through the SDK, and read back to the byte", async () => {
    const acts = builtInChanges().map(({ act }) => act)
    for (const act of acts) {
      if (act.kind !== "set") continue
      const { properties } = await secrets.setSecret(act.name, act.value, setOptions(act))
      if (act.enabled === false) continue
      const read = await secrets.getSecret(act.name, { version: properties.version! })
      expect(read.value).toBe(act.value)
      expect(read.properties.contentType).toBe(act.contentType)
      expect(read.properties.tags).toEqual(act.tags)
    }
    const together = acts.find((act) => act.kind === "setTogether")!
    const both = await Promise.all(together.values.map((value) => secrets.setSecret(together.name, value)))
    const read = await Promise.all(
      both.map(({ name, properties }) => secrets.getSecret(name, { version: properties.version! })),
    )
    expect(read.map(({ value }) => value)).toEqual(together.values)
    expect(cloud.vault.counts().secrets).toBe(acts.filter(({ kind }) => kind === "set").length + 2)
  })
})

describe("readImports", () => {
  it("gives 200 secrets that a vault takes, and reads back to the byte", async () => {
    const folder = await mkdtemp(join(tmpdir(), "import-"))
    const { text, expected } = twoHundredEntries()
    const file = join(folder, "200.env")
    await writeFile(file, text)
    const imports = await readImports([file])
    await rm(folder, { recursive: true })
    await Promise.all(imports.secrets.map(({ name, value }) => secrets.setSecret(name, value)))
    const read = await Promise.all(
      imports.secrets.map(async ({ name, source }) => [
        source.originalName,
        (await secrets.getSecret(name)).value,
      ]),
    )
    expect(read).toEqual([...expected])
  })
})
