import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import { createMemoryVaultWriter } from "../../../shared/vault/memoryVaultWriter.ts"
import { vaultWriterSuite } from "../../suites/vaultWriterSuite.ts"
import { vault } from "../../support/builders.ts"

vaultWriterSuite({
  name: "createMemoryVaultWriter",
  create: async () => {
    const reader = createMemoryVault()
    const writer = createMemoryVaultWriter(reader)
    return {
      reader,
      writer,
      vault,
      softDelete: async (_kind, name) => void writer.deleted.add(name),
      stop: async () => {},
    }
  },
})
