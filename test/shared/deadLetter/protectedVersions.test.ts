import { describe, expect, it } from "vitest"
import { createProtectedVersions } from "../../../shared/deadLetter/protectedVersions.ts"
import { formatRecordName } from "../../../shared/store/blobName.ts"
import { createMemoryStore } from "../../../shared/store/memoryStore.ts"
import type { StoreCatalog } from "../../../shared/store/storeCatalog.ts"
import { anObject } from "../../support/builders.ts"

const objects = Array.from({ length: 40 }, (_, index) => anObject({ version: index + 1 }))

async function aStore() {
  const store = createMemoryStore()
  const lists: string[] = []
  const catalog: StoreCatalog = {
    list: (prefix, options) => {
      lists.push(prefix)
      return store.list(prefix, options)
    },
  }
  for (const [index, object] of objects.entries()) {
    if (index % 4 === 0) await store.putIfAbsent(formatRecordName(object), Buffer.from("x"), "", {})
    if (index % 4 === 1) {
      await store.putIfAbsent(formatRecordName({ ...object, kind: "certificate" }), Buffer.from("x"), "", {})
    }
  }
  return { store, catalog, lists }
}

describe.each([
  { name: "asking for each", listAfter: 1000 },
  { name: "listing the vault", listAfter: 0 },
  { name: "changing over in the middle", listAfter: 17 },
])("createProtectedVersions, $name", ({ listAfter }) => {
  it("finds what is stored as a secret or as a certificate, and nothing else", async () => {
    const { catalog } = await aStore()
    const isStored = await createProtectedVersions(catalog, { listAfter }).look(objects)
    expect(objects.map(isStored)).toEqual(objects.map((_, index) => index % 4 < 2))
    expect(isStored(anObject({ version: 99 }))).toBe(false)
    expect(isStored({ ...objects[0]!, kind: "certificate" })).toBe(true)
  })
})

describe("createProtectedVersions", () => {
  it("takes no name for another that it begins with", async () => {
    const store = createMemoryStore()
    await store.putIfAbsent(`${formatRecordName(anObject())}.old`, Buffer.from("x"), "", {})
    const isStored = await createProtectedVersions(store).look([anObject()])
    expect(isStored(anObject())).toBe(false)
  })

  it("lists a vault once, and then asks only for what seems to be there", async () => {
    const { catalog, lists } = await aStore()
    const versions = createProtectedVersions(catalog, { listAfter: 0 })
    await versions.look(objects)
    await versions.look(objects)
    expect(lists.filter((prefix) => prefix === "v1/kv-test.vault.azure.net/")).toHaveLength(1)
    expect(lists).toHaveLength(1 + 2 * 20)
  })

  it("believes in no version that was there when the vault was listed and is not any more", async () => {
    const { catalog } = await aStore()
    let isGone = false
    const versions = createProtectedVersions(
      { list: (prefix, options) => (isGone ? createMemoryStore() : catalog).list(prefix, options) },
      { listAfter: 0 },
    )
    await versions.look(objects.slice(0, 1))
    isGone = true
    const isStored = await versions.look(objects)
    expect(objects.some(isStored)).toBe(false)
  })

  it("tries again when the listing failed", async () => {
    const { catalog } = await aStore()
    let failures = 1
    const versions = createProtectedVersions(
      {
        list: (prefix, options) => {
          if (failures-- > 0) throw new Error("closed")
          return catalog.list(prefix, options)
        },
      },
      { listAfter: 0 },
    )
    await expect(versions.look(objects)).rejects.toThrow("closed")
    const isStored = await versions.look(objects)
    expect(objects.filter(isStored)).toHaveLength(20)
  })
})
