import { describe, expect, it } from "vitest"
import { ServiceError } from "../../../shared/errors.ts"
import type { BackupStore, StoreProtection } from "../../../shared/store/backupStore.ts"
import { requireImmutability } from "../../../shared/store/protectionGate.ts"

const none: StoreProtection = {
  hasImmutabilityPolicy: false,
  hasLegalHold: false,
  hasVersionLevelImmutability: false,
}
const locked = { ...none, hasImmutabilityPolicy: true }

/** A store that answers in turn, and tells what it was asked. */
function storeThat(...answers: readonly (StoreProtection | ServiceError)[]) {
  const calls: string[] = []
  const store: BackupStore = {
    putIfAbsent: async (name) => {
      calls.push(`put ${name}`)
      return "stored"
    },
    describeProtection: async () => {
      const answer = answers[calls.filter((call) => call === "describe").length] ?? answers.at(-1)
      calls.push("describe")
      if (!answer || answer instanceof ServiceError) throw answer
      return answer
    },
  }
  return { gate: requireImmutability(store, "backups"), calls }
}

const put = (gate: BackupStore) => gate.putIfAbsent("a", new Uint8Array(1), "text/plain", {})

describe("requireImmutability", () => {
  it("writes when a policy is there, and asks once", async () => {
    const { gate, calls } = storeThat(locked)
    await expect(put(gate)).resolves.toBe("stored")
    await put(gate)
    await gate.check()
    expect(calls).toEqual(["describe", "put a", "put a"])
  })

  it.each([
    { name: "nothing", protection: none },
    {
      name: "a legal hold alone, which anyone with the right can lift",
      protection: { ...none, hasLegalHold: true },
    },
    { name: "version-level protection alone", protection: { ...none, hasVersionLevelImmutability: true } },
  ])("writes nothing under $name", async ({ protection }) => {
    const { gate, calls } = storeThat(protection)
    await expect(put(gate)).rejects.toMatchObject({
      code: "ERR_STORE_NOT_IMMUTABLE",
      details: { container: "backups" },
    })
    await expect(gate.check()).rejects.toMatchObject({ code: "ERR_STORE_NOT_IMMUTABLE" })
    expect(calls).not.toContain("put a")
  })

  it("asks again after an answer that shows none, and after no answer", async () => {
    const refused = new ServiceError("ERR_STORE_FORBIDDEN", "no")
    const { gate, calls } = storeThat(none, refused, locked)
    await expect(put(gate)).rejects.toMatchObject({ code: "ERR_STORE_NOT_IMMUTABLE" })
    await expect(put(gate)).rejects.toBe(refused)
    await expect(put(gate)).resolves.toBe("stored")
    expect(calls).toEqual(["describe", "describe", "describe", "put a"])
  })

  it("passes the question about protection through", async () => {
    await expect(storeThat(none).gate.describeProtection()).resolves.toEqual(none)
  })
})
