import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { BackupStore, StoreProtection } from "../../shared/store/backupStore.ts"

/** What a test sees of a blob behind the port's back. */
export interface WrittenBlob {
  readonly body: Uint8Array
  readonly metadata: Readonly<Record<string, string>>
  readonly contentType?: string
}

export interface BackupStoreSubject {
  readonly store: BackupStore
  look(name: string): Promise<WrittenBlob | undefined>
  stop(): Promise<void>
}

export interface BackupStoreSuite {
  readonly name: string
  create(): Promise<BackupStoreSubject>
  readonly supports: {
    /** Does it take an AbortSignal? */
    readonly abort: boolean
    /** Does it keep the content type? */
    readonly contentType: boolean
  }
  /** What the store of `create` is protected by. */
  readonly protection: StoreProtection
}

const metadata = { putat: "2026-03-01T10:00:06.100Z", origin: "live", kid: "https://kv/keys/a/b,recovery-1" }
const type = "application/jose+json"

/** What every BackupStore promises. */
export function backupStoreSuite({ name, create, supports, protection }: BackupStoreSuite): void {
  describe(`${name} as BackupStore`, () => {
    let subject: BackupStoreSubject
    beforeAll(async () => {
      subject = await create()
    })
    afterAll(() => subject.stop())
    const put = (blob: string, text: string, more = metadata) =>
      subject.store.putIfAbsent(blob, Buffer.from(text), type, more)

    it.each([
      { name: "text", body: Buffer.from("{}") },
      { name: "nothing", body: Buffer.alloc(0) },
      { name: "every byte there is", body: Buffer.from(Array.from({ length: 256 }, (_, at) => at)) },
      { name: "a view into a larger buffer", body: Buffer.from("0123456789").subarray(3, 6) },
      { name: "100 KB", body: Buffer.alloc(100_000, "x") },
    ])("stores to the byte: $name", async ({ name: what, body }) => {
      const blob = `v1/bytes/${what.replaceAll(" ", "-")}.jwe.json`
      await expect(subject.store.putIfAbsent(blob, body, type, metadata)).resolves.toBe("stored")
      const found = await subject.look(blob)
      expect(Buffer.from(found?.body ?? []).equals(body)).toBe(true)
      expect(found?.metadata).toEqual(metadata)
    })

    it.runIf(supports.contentType)("keeps the content type", async () => {
      await put("v1/type.jwe.json", "a")
      await expect(subject.look("v1/type.jwe.json")).resolves.toMatchObject({ contentType: type })
    })

    it("leaves the first as it is when the name is taken, and says so", async () => {
      await expect(put("v1/taken.jwe.json", "first")).resolves.toBe("stored")
      await expect(put("v1/taken.jwe.json", "second", { ...metadata, origin: "replay" })).resolves.toBe(
        "alreadyStored",
      )
      await expect(put("v1/taken.jwe.json", "first")).resolves.toBe("alreadyStored")
      const found = await subject.look("v1/taken.jwe.json")
      expect(Buffer.from(found?.body ?? []).toString()).toBe("first")
      expect(found?.metadata).toEqual(metadata)
    })

    it("stores one of many that come at once", async () => {
      const puts = Array.from({ length: 16 }, (_, at) => put("v1/race.jwe.json", `number ${at}`))
      const outcomes = await Promise.all(puts)
      expect(outcomes.filter((outcome) => outcome === "stored")).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === "alreadyStored")).toHaveLength(15)
      const winner = outcomes.indexOf("stored")
      const found = await subject.look("v1/race.jwe.json")
      expect(Buffer.from(found?.body ?? []).toString()).toBe(`number ${winner}`)
    })

    it("tells names apart that differ in one character", async () => {
      await put("v1/a/1.jwe.json", "one")
      await expect(put("v1/a/2.jwe.json", "two")).resolves.toBe("stored")
      await expect(put("gaps/v1/a/1.gone.json", "three")).resolves.toBe("stored")
    })

    it("keeps what it got, whatever becomes of the buffer", async () => {
      const body = Buffer.from("before")
      await subject.store.putIfAbsent("v1/buffer.jwe.json", body, type, metadata)
      body.fill("x")
      const found = await subject.look("v1/buffer.jwe.json")
      expect(Buffer.from(found?.body ?? []).toString()).toBe("before")
    })

    it.runIf(supports.abort)("stops when it is told to", async () => {
      const put = subject.store.putIfAbsent("v1/abort.jwe.json", Buffer.from("a"), type, metadata, {
        signal: AbortSignal.abort(),
      })
      await expect(put).rejects.toThrow()
      await expect(subject.look("v1/abort.jwe.json")).resolves.toBeUndefined()
    })

    it("describes its protection", async () => {
      await expect(subject.store.describeProtection()).resolves.toEqual(protection)
    })
  })
}
