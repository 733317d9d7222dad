import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { BackupStore } from "../../shared/store/backupStore.ts"
import type { StoreCatalog } from "../../shared/store/storeCatalog.ts"
import { collect } from "../support/collect.ts"

export interface StoreCatalogSubject {
  readonly store: BackupStore
  readonly catalog: StoreCatalog
  stop(): Promise<void>
}

export interface StoreCatalogSuite {
  readonly name: string
  create(): Promise<StoreCatalogSubject>
}

/** What every StoreCatalog promises. */
export function storeCatalogSuite({ name, create }: StoreCatalogSuite): void {
  describe(`${name} as StoreCatalog`, () => {
    let subject: StoreCatalogSubject
    beforeAll(async () => {
      subject = await create()
    })
    afterAll(() => subject.stop())
    const put = (blob: string, metadata: Record<string, string> = {}) =>
      subject.store.putIfAbsent(blob, Buffer.from(blob), "application/json", metadata)
    const list = (prefix: string) => collect(subject.catalog.list(prefix))

    it("lists nothing where nothing is", async () => {
      await expect(list("v1/empty/")).resolves.toEqual([])
    })

    it("lists what begins with the prefix and nothing else, in name order", async () => {
      for (const blob of ["v1/b/2", "v1/a/10", "v1/a/2", "v1/a/1", "v1/ab/1", "gaps/v1/a/1"]) await put(blob)
      const names = (await list("v1/a/")).map((blob) => blob.name)
      expect(names).toEqual(["v1/a/1", "v1/a/10", "v1/a/2"])
      expect((await list("v1/a")).map((blob) => blob.name)).toEqual([...names, "v1/ab/1"])
    })

    it("tells each blob's size, metadata and time of creation in whole seconds", async () => {
      const metadata = { putat: "2026-03-01T10:00:06.100Z", kid: "https://kv/keys/a/b,recovery-1" }
      const before = Math.floor(Date.now() / 1000) * 1000
      await put("v1/told/1", metadata)
      const [blob] = await list("v1/told/")
      expect(blob).toMatchObject({ name: "v1/told/1", sizeBytes: "v1/told/1".length, metadata })
      expect(Object.keys(blob?.metadata ?? {}).sort()).toEqual(["kid", "putat"])
      expect(blob?.createdAt.getMilliseconds()).toBe(0)
      expect(blob?.createdAt.getTime()).toBeGreaterThanOrEqual(before)
      expect(blob?.createdAt.getTime()).toBeLessThanOrEqual(Date.now())
    })

    it("lists a blob that came without metadata", async () => {
      await put("v1/plain/1")
      await expect(list("v1/plain/")).resolves.toMatchObject([{ metadata: {} }])
    })

    it("lists the same again", async () => {
      expect(await list("v1/")).toEqual(await list("v1/"))
    })

    it("may be left in the middle", async () => {
      const names: string[] = []
      for await (const blob of subject.catalog.list("v1/a/")) {
        names.push(blob.name)
        break
      }
      expect(names).toEqual(["v1/a/1"])
    })
  })
}
