import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import { readVersion } from "../../../shared/backup/readVersion.ts"
import { formatVersionUrl } from "../../../shared/change/objectVersion.ts"
import { ServiceError } from "../../../shared/errors.ts"
import { executeRestore, type ExecuteRestoreOptions } from "../../../shared/restore/executeRestore.ts"
import { planRestore } from "../../../shared/restore/planRestore.ts"
import type { RestoreTarget } from "../../../shared/restore/restoreTarget.ts"
import { createVaultTarget } from "../../../shared/restore/vaultTarget.ts"
import { SecretValue } from "../../../shared/secretValue.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import { createMemoryVaultWriter } from "../../../shared/vault/memoryVaultWriter.ts"
import { restoredTag } from "../../../shared/vault/restoredTag.ts"
import type { VaultWriter } from "../../../shared/vault/vaultWriter.ts"
import { aChain, contentTypes, keyKinds, newKey } from "../../support/aChain.ts"
import { anObject, aReading, host } from "../../support/builders.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { storedRecords } from "../../support/storedRecords.ts"

const to = "kv-other.vault.azure.net"
const vaultUrl = `https://${to}`
/** Making a larger RSA key takes a second. */
const kinds = keyKinds.filter((kind) => kind !== "RSA-4096")

function aWorld({ wrap = (writer) => writer }: { wrap?: (writer: VaultWriter) => VaultWriter } = {}) {
  const records = storedRecords()
  const vault = createMemoryVault()
  const writer = createMemoryVaultWriter(vault)
  const clock = fakeClock("2026-03-10T00:00:00Z")
  const target = createVaultTarget({ vault: vaultUrl, writer: wrap(writer), reader: vault, clock })
  const plan = (over: RestoreTarget = target) =>
    planRestore({
      selection: { host },
      catalog: records.store,
      source: records.source,
      target: over,
      allowsOtherCloud: false,
      clock,
      concurrency: 4,
    })
  const execute = async (more: Partial<ExecuteRestoreOptions> = {}) => {
    const options = { source: records.source, target, clock, concurrency: 1, ...more }
    return executeRestore(await plan(options.target), options)
  }
  const current = async (name: string) => {
    const state = await writer.look(vaultUrl, name)
    if (state.state !== "taken") throw new Error(`${name} is ${state.state}`)
    return readVersion(state.current, vault)
  }
  return { ...records, vault, writer, clock, target, plan, execute, current }
}

describe("executeRestore", () => {
  it.each([
    { name: "empty", value: "" },
    { name: "25,600 bytes", value: "x".repeat(25_600) },
    { name: "emoji, NUL and line endings", value: "\uFEFFa\u0000b\r\n\n👩🏽‍🚀 e\u0301 " },
  ])("restores a secret to the byte, with all that belongs to it: $name", async ({ value }) => {
    const { secret, execute, current } = aWorld()
    const given = {
      value,
      tags: { owner: "ü" },
      contentType: "text/ü",
      notBefore: "2026-01-01T00:00:00Z",
      expires: "2036-01-01T00:00:00Z",
    }
    const { id } = await secret({}, given)
    const [item] = await execute()
    const { object, secret: read } = await current("db-password")
    expect(item?.outcome).toEqual({
      result: "restored",
      where: formatVersionUrl(object),
      isCompared: true,
      notes: [],
    })
    expect(read.value?.reveal()).toBe(value)
    expect(read).toMatchObject({
      contentType: "text/ü",
      tags: { owner: "ü", [restoredTag]: id },
      attributes: {
        enabled: true,
        notBefore: new Date("2026-01-01T00:00:00Z"),
        expires: new Date("2036-01-01T00:00:00Z"),
      },
    })
  })

  it.each(contentTypes.flatMap((contentType) => kinds.map((kind) => ({ contentType, kind }))))(
    "restores a certificate of $kind in $contentType with its chain",
    async ({ contentType, kind }) => {
      const { certificate, execute, current } = aWorld()
      const chain = aChain({ key: newKey(kind), length: 3 })
      const { id } = await certificate({ name: "tls" }, chain, { contentType })
      const [item] = await execute()
      expect(item?.outcome).toMatchObject({ result: "restored", isCompared: true })
      const reading = await current("tls")
      expect(Buffer.from(reading.certificate!.cer)).toEqual(Buffer.from(chain.certificates[0]))
      expect(reading).toMatchObject({
        privateKey: "present",
        secret: { contentType },
        certificate: {
          tags: { owner: "team-c", [restoredTag]: id },
          policy: { key_props: { exportable: true } },
        },
      })
    },
  )

  it("restores what was disabled as disabled, and does not claim to have compared it", async () => {
    const { secret, execute, writer } = aWorld()
    await secret({}, { enabled: false })
    const [item] = await execute()
    expect(item?.outcome).toMatchObject({
      result: "restored",
      isCompared: false,
      notes: [{ note: "disabled" }],
    })
    await expect(writer.look(vaultUrl, "db-password")).resolves.toMatchObject({ enabled: false })
  })

  it("keeps fifteen tags of a person and leaves its own out", async () => {
    const tags = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`t${n}`, "x"]))
    const { secret, execute, current } = aWorld()
    await secret({}, { tags })
    const [item] = await execute()
    expect(item?.outcome).toMatchObject({ result: "restored", notes: [{ note: "tagsFull" }] })
    expect((await current("db-password")).secret.tags).toEqual(tags)
  })

  it("does not write what is not there a second time", async () => {
    const { secret, certificate, execute, writer } = aWorld()
    await secret({ name: "a" })
    await secret({ name: "b" }, { enabled: false })
    await certificate({ name: "c" }, aChain())
    await execute()
    const again = await execute()
    expect(again.map(({ outcome }) => outcome.result)).toEqual([
      "alreadyThere",
      "alreadyThere",
      "alreadyThere",
    ])
    expect(writer.writes).toBe(3)
  })

  it("looks again before it writes: what came in between stays", async () => {
    const { secret, plan, source, target, clock, vault, writer } = aWorld()
    await secret({ name: "a" })
    await secret({ name: "b" })
    const made = await plan()
    vault.set(anObject({ host: to, name: "a", version: 9 }), aReading({ value: "someone else's" }))
    writer.deleted.add("b")
    const items = await executeRestore(made, { source, target, clock, concurrency: 1 })
    expect(items.map(({ outcome }) => outcome)).toMatchObject([
      { result: "blocked", error: { code: "ERR_RESTORE_TARGET_EXISTS" } },
      { result: "blocked", error: { code: "ERR_RESTORE_TARGET_DELETED" } },
    ])
    expect(writer.writes).toBe(0)
  })

  it("goes on with the rest when something is wrong with one", async () => {
    const { secret, execute, writer } = aWorld()
    await secret({ name: "a" }, {}, { alter: (sealed) => sealed.slice(1) })
    await secret({ name: "b" })
    const items = await execute()
    expect(items.map(({ outcome }) => outcome.result)).toEqual(["blocked", "restored"])
    expect(writer.writes).toBe(1)
  })

  it("waits as long as a throttled vault asks, and tries again", async () => {
    let refusals = 2
    const { secret, execute, clock, writer } = aWorld({
      wrap: (inner) => ({
        ...inner,
        setSecret: async (...args) => {
          if (refusals-- > 0) throw new ServiceError("ERR_VAULT_THROTTLED", "slowly", { retryAfterMs: 7000 })
          return inner.setSecret(...args)
        },
      }),
    })
    await secret()
    const [item] = await execute()
    expect(item?.outcome).toMatchObject({ result: "restored", isCompared: true })
    expect([clock.sleeps, writer.writes]).toEqual([[7000, 7000], 1])
  })

  it("writes once although the answer to the write was lost", async () => {
    let lost = 1
    const { secret, execute, writer } = aWorld({
      wrap: (inner) => ({
        ...inner,
        setSecret: async (...args) => {
          const made = await inner.setSecret(...args)
          if (lost-- > 0) throw new ServiceError("ERR_VAULT_UNAVAILABLE", "cut")
          return made
        },
      }),
    })
    await secret()
    const [item] = await execute()
    expect(item?.outcome).toMatchObject({ result: "restored", isCompared: true })
    expect(writer.writes).toBe(1)
  })

  it("compares what was written also when the answer to the write was lost", async () => {
    let lost = 1
    const { secret, execute, writer } = aWorld({
      wrap: (inner) => ({
        ...inner,
        setSecret: async (vault, name, { expires: _lostOnTheWay, ...given }, ...rest) => {
          const made = await inner.setSecret(vault, name, given, ...rest)
          if (lost-- > 0) throw new ServiceError("ERR_VAULT_UNAVAILABLE", "cut")
          return made
        },
      }),
    })
    await secret({}, { expires: "2027-01-01T00:00:00Z" })
    const [item] = await execute()
    expect(item?.outcome).toMatchObject({
      result: "failed",
      error: { code: "ERR_RESTORE_DIFFERS", message: expect.stringContaining("expires") },
    })
    expect(writer.writes).toBe(1)
  })

  it("ends at once when it is interrupted while it waits for a vault", async () => {
    const interruption = new AbortController()
    const { secret, execute } = aWorld({
      wrap: (inner) => ({
        ...inner,
        setSecret: () => {
          interruption.abort()
          return Promise.reject(new ServiceError("ERR_VAULT_THROTTLED", "later", { retryAfterMs: 60_000 }))
        },
      }),
    })
    await secret({ name: "a" })
    await secret({ name: "b" })
    const items = await execute({ signal: interruption.signal })
    expect(items.map(({ outcome }) => outcome.result)).toEqual(["failed", "notDone"])
  })

  it("gives up on a vault that stays away, and says that something may have been written", async () => {
    const { secret, execute, clock } = aWorld({
      wrap: (inner) => ({
        ...inner,
        setSecret: () => Promise.reject(new ServiceError("ERR_VAULT_UNAVAILABLE", "away")),
      }),
    })
    await secret()
    const [item] = await execute()
    expect(item?.outcome).toMatchObject({ result: "failed", error: { code: "ERR_VAULT_UNAVAILABLE" } })
    expect(clock.sleeps).toEqual([1000, 2000, 4000, 8000])
  })

  it.each([
    { name: "value", change: { value: "changed on the way" }, says: "value" },
    { name: "tags", change: { tags: {} }, says: "tags" },
    { name: "content type", change: { contentType: "other" }, says: "contentType" },
  ])("tells what does not read back as it was written: $name", async ({ change, says }) => {
    const { secret, execute, vault }: ReturnType<typeof aWorld> = aWorld({
      wrap: (inner) => ({
        ...inner,
        setSecret: async (...args) => {
          const made = await inner.setSecret(...args)
          vault.set(made, aReading({ value: "hunter2", tags: { owner: "team-a" }, ...change }))
          return made
        },
      }),
    })
    await secret()
    const items = await execute()
    const [item] = items
    expect(item?.outcome).toMatchObject({
      result: "failed",
      error: {
        code: "ERR_RESTORE_DIFFERS",
        message: `[ERR_RESTORE_DIFFERS] The new version differs in: ${says}`,
      },
    })
    expect(inspect(items, { depth: Infinity })).not.toMatch(/hunter2|changed on the way|team-a/)
  })

  it("tells a chain that lost an issuer on the way", async () => {
    const { certificate, execute } = aWorld({
      wrap: (inner) => ({
        ...inner,
        importCertificate: async (vault, name, asked) => {
          const blocks = asked.material.reveal().match(/-----BEGIN [\s\S]+?-----END [A-Z ]+-----\n/g) ?? []
          const material = new SecretValue(blocks.slice(0, -1).join(""))
          return inner.importCertificate(vault, name, { ...asked, material })
        },
      }),
    })
    await certificate({ name: "tls" }, aChain({ length: 3 }), { contentType: "application/x-pem-file" })
    const [item] = await execute()
    expect(item?.outcome).toMatchObject({
      error: { message: "[ERR_RESTORE_DIFFERS] The new version differs in: chain" },
    })
  })

  it("stops between two items when it is interrupted, and says what was not done", async () => {
    const controller = new AbortController()
    const { secret, execute, writer } = aWorld()
    for (const name of ["a", "b", "c"]) await secret({ name })
    const items = await execute({ signal: controller.signal, onProgress: () => controller.abort() })
    expect(items.map(({ outcome }) => outcome.result)).toEqual(["restored", "notDone", "notDone"])
    expect(writer.writes).toBe(1)
  })

  it("takes up what an interrupted run left", async () => {
    const controller = new AbortController()
    const { secret, execute, writer } = aWorld()
    for (const name of ["a", "b", "c"]) await secret({ name })
    await execute({ signal: controller.signal, onProgress: () => controller.abort() })
    const items = await execute()
    expect(items.map(({ outcome }) => outcome.result)).toEqual(["alreadyThere", "restored", "restored"])
    expect(writer.writes).toBe(3)
  })
})
