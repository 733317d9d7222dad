import { createMemoryStore } from "../../../shared/store/memoryStore.ts"
import { backupStoreSuite } from "../../suites/backupStoreSuite.ts"
import { storeCatalogSuite } from "../../suites/storeCatalogSuite.ts"
import { storeReaderSuite } from "../../suites/storeReaderSuite.ts"

const protection = { hasImmutabilityPolicy: true, hasLegalHold: false, hasVersionLevelImmutability: false }
const create = async () => {
  const store = createMemoryStore()
  return { store, catalog: store, reader: store, look: look(store), stop: async () => {} }
}
const look = (store: ReturnType<typeof createMemoryStore>) => async (name: string) => {
  for await (const blob of store.list(name)) return { body: await store.read(name), metadata: blob.metadata }
  return undefined
}
const name = "createMemoryStore"
backupStoreSuite({ name, create, protection, supports: { abort: false, contentType: false } })
storeCatalogSuite({ name, create })
storeReaderSuite({ name, create })
