import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { BackupStore } from "../../shared/store/backupStore.ts"
import type { StoreReader } from "../../shared/store/storeReader.ts"

export interface StoreReaderSubject {
  readonly store: BackupStore
  readonly reader: StoreReader
  stop(): Promise<void>
}

export interface StoreReaderSuite {
  readonly name: string
  create(): Promise<StoreReaderSubject>
}

/** What every StoreReader promises. */
export function storeReaderSuite({ name, create }: StoreReaderSuite): void {
  describe(`${name} as StoreReader`, () => {
    let subject: StoreReaderSubject
    beforeAll(async () => {
      subject = await create()
    })
    afterAll(() => subject.stop())

    it.each([
      { name: "text", body: Buffer.from('{"a":"ü"}') },
      { name: "nothing", body: Buffer.alloc(0) },
      { name: "every byte there is", body: Buffer.from(Array.from({ length: 256 }, (_, at) => at)) },
      { name: "more than one download block", body: Buffer.alloc(5_000_000, "abc") },
    ])("reads what was stored, to the byte: $name", async ({ name: what, body }) => {
      const blob = `v1/read/${what.replaceAll(" ", "-")}`
      await subject.store.putIfAbsent(blob, body, "application/jose+json", {})
      expect(Buffer.from(await subject.reader.read(blob)).equals(body)).toBe(true)
    })

    it("gives bytes of one's own", async () => {
      await subject.store.putIfAbsent("v1/own", Buffer.from("kept"), "text/plain", {})
      const first = await subject.reader.read("v1/own")
      first.fill(0)
      expect(Buffer.from(await subject.reader.read("v1/own")).toString()).toBe("kept")
    })

    it("says that there is no such blob, by its name", async () => {
      await expect(subject.reader.read("v1/none")).rejects.toMatchObject({
        code: "ERR_STORE_NOT_FOUND",
        details: { blob: "v1/none" },
      })
    })
  })
}
