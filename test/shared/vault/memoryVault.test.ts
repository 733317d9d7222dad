import { SecretValue } from "../../../shared/secretValue.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import { anObject, vault } from "../../support/builders.ts"
import { vaultCatalogSuite } from "../../suites/vaultCatalogSuite.ts"
import { type NewSecret, vaultReaderSuite } from "../../suites/vaultReaderSuite.ts"

const create = async () => {
  const memory = createMemoryVault()
  let count = 0
  const set = async (
    name: string,
    { value, tags = {}, contentType, enabled = true, ...times }: NewSecret,
  ) => {
    const object = anObject({ name, version: ++count })
    const created = new Date(1_772_359_200_000)
    const attributes = { enabled, created, updated: created, ...times }
    memory.set(object, {
      value: new SecretValue(value),
      tags,
      attributes,
      ...(contentType === undefined ? {} : { contentType }),
    })
    return object
  }
  return { reader: memory, catalog: memory, vault, set, stop: async () => {} }
}
vaultReaderSuite({ name: "createMemoryVault", create })
vaultCatalogSuite({ name: "createMemoryVault", create })
