import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import { formatVersionUrl } from "../../../shared/change/objectVersion.ts"
import { ServiceError } from "../../../shared/errors.ts"
import { planRestore, type PlanRestoreOptions } from "../../../shared/restore/planRestore.ts"
import type { RestoreTarget } from "../../../shared/restore/restoreTarget.ts"
import { createVaultTarget } from "../../../shared/restore/vaultTarget.ts"
import { SecretValue } from "../../../shared/secretValue.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import { createMemoryVaultWriter } from "../../../shared/vault/memoryVaultWriter.ts"
import { restoredTag } from "../../../shared/vault/restoredTag.ts"
import { aChain } from "../../support/aChain.ts"
import { anObject, aReading, host } from "../../support/builders.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { storedRecords } from "../../support/storedRecords.ts"

const targetHost = "kv-other.vault.azure.net"
const at = (name: string) => anObject({ host: targetHost, name, version: 77 })

/** A store with records, an empty vault to restore into, and the plan of it. */
function aWorld({ to = targetHost } = {}) {
  const records = storedRecords()
  const vault = createMemoryVault()
  const writer = createMemoryVaultWriter(vault)
  const clock = fakeClock("2026-03-10T00:00:00Z")
  const target = createVaultTarget({ vault: `https://${to}`, writer, reader: vault, clock })
  const plan = (more: Partial<PlanRestoreOptions> = {}) =>
    planRestore({
      selection: { host },
      catalog: records.store,
      source: records.source,
      target,
      allowsOtherCloud: false,
      clock,
      concurrency: 4,
      ...more,
    })
  return { ...records, vault, writer, target, clock, plan }
}

describe("planRestore", () => {
  it("says that what is not there would be written, and writes nothing", async () => {
    const { secret, certificate, plan, writer } = aWorld()
    const { id } = await secret()
    await certificate({ name: "tls" }, aChain({ length: 2 }))
    const items = await plan()
    expect(items).toMatchObject([
      { id, name: "db-password", action: "write", notes: [] },
      { name: "tls", action: "write", notes: [] },
    ])
    expect(writer.writes).toBe(0)
    expect(inspect(items, { depth: Infinity })).not.toContain("hunter2")
  })

  it("says that the same contents are there, whatever the version and the tags, and names what differs", async () => {
    const { secret, plan, vault } = aWorld()
    await secret()
    const reading = aReading({ value: "hunter2", tags: { [restoredTag]: "x", owner: "team-a" } })
    vault.set(at("db-password"), reading)
    const where = formatVersionUrl(at("db-password"))
    await expect(plan()).resolves.toMatchObject([{ action: "alreadyThere", where, notes: [] }])
    vault.set(at("db-password"), { ...reading, tags: {}, contentType: "x" })
    await expect(plan()).resolves.toMatchObject([
      { action: "alreadyThere", notes: [{ note: "attributesDiffer", attributes: ["contentType", "tags"] }] },
    ])
  })

  it("takes a certificate for the same whatever the bytes of its PFX (C40)", async () => {
    const { certificate, plan, writer } = aWorld()
    const { record } = await certificate({ name: "tls" }, aChain())
    await writer.importCertificate(`https://${targetHost}`, "tls", {
      material: new SecretValue(record.value),
      contentType: "application/x-pkcs12",
      tags: {},
      enabled: true,
      policy: {},
    })
    await expect(plan()).resolves.toMatchObject([{ action: "alreadyThere" }])
  })

  it.each([
    { name: "other contents", reading: aReading({ value: "other" }) },
    { name: "the contents in an older version only", reading: aReading({ value: "newer" }), older: true },
    {
      name: "a disabled version",
      reading: aReading({ value: "hunter2", attributes: { enabled: false } }),
    },
  ])("stops at a name that has $name", async ({ reading, older }) => {
    const { secret, plan, vault } = aWorld()
    await secret()
    if (older) vault.set({ ...at("db-password"), version: "0".repeat(32) }, aReading({ value: "hunter2" }))
    vault.set(at("db-password"), reading)
    await expect(plan()).resolves.toMatchObject([
      { action: "blocked", error: { code: "ERR_RESTORE_TARGET_EXISTS" } },
    ])
  })

  it("knows a disabled version that restore made of the same record", async () => {
    const { secret, plan, vault } = aWorld()
    const { id } = await secret({}, { enabled: false })
    const attributes = { enabled: false }
    vault.set(at("db-password"), aReading({ value: "hunter2", attributes, tags: { [restoredTag]: id } }))
    await expect(plan()).resolves.toMatchObject([{ action: "alreadyThere" }])
  })

  it("stops at a deleted name and offers the choice (C41)", async () => {
    const { secret, plan, writer } = aWorld()
    await secret()
    writer.deleted.add("db-password")
    await expect(plan()).resolves.toMatchObject([
      {
        action: "blocked",
        error: {
          code: "ERR_RESTORE_TARGET_DELETED",
          hint: expect.stringMatching(/recover .*purge .*--as NAME/) as string,
        },
      },
    ])
    await expect(plan({ as: "db-password-2" })).resolves.toMatchObject([
      { action: "write", name: "db-password-2" },
    ])
  })

  it("says beforehand that a certificate without its key cannot be imported (C37)", async () => {
    const { certificate, plan } = aWorld()
    await certificate({ name: "kept" }, aChain(), { exportable: false })
    await expect(plan()).resolves.toMatchObject([
      { action: "blocked", error: { code: "ERR_VAULT_KEY_NOT_EXPORTABLE" }, notes: [{ note: "publicOnly" }] },
    ])
  })

  it("says beforehand that an expired certificate cannot be imported, and restores an expired secret", async () => {
    const { certificate, secret, plan } = aWorld()
    await certificate({ name: "cert" }, aChain({ notAfter: new Date("2026-03-09T00:00:00Z") }))
    await secret({ name: "secret" }, { expires: "2026-03-09T00:00:00Z" })
    await expect(plan()).resolves.toMatchObject([
      { action: "blocked", error: { code: "ERR_RESTORE_CERTIFICATE_EXPIRED" } },
      { action: "write", notes: [{ note: "expired" }] },
    ])
  })

  it("notes what is disabled, what has no room for a tag, and what is not the last there was", async () => {
    const { secret, gap, plan } = aWorld()
    const tags = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`t${n}`, "x"]))
    await secret({ name: "a" }, { enabled: false })
    await secret({ name: "b" }, { tags })
    await secret({ name: "c" }, { tags: { ...tags, t0: "", [restoredTag]: "another" } }, {})
    await secret({ name: "d" })
    const id = await gap({ name: "d", version: 2 }, "gone", "2026-03-05T00:00:00Z")
    const items = await plan()
    expect(items.map(({ notes }) => notes)).toEqual([
      [{ note: "disabled" }],
      [{ note: "tagsFull" }],
      [],
      [{ note: "newerWithoutRecord", id, reason: "gone" }],
    ])
  })

  it("restores nothing from a record that cannot be trusted or read, and goes on with the rest", async () => {
    const { secret, plan } = aWorld()
    await secret({ name: "a" }, {}, { metadata: { sha256: "0".repeat(64) } })
    await secret({ name: "b" }, {}, { format: "keyvault-backup/2" })
    await secret({ name: "c" }, {}, { alter: (sealed) => sealed.slice(1) })
    await secret({ name: "d" })
    const items = await plan()
    expect(items.map((item) => (item.action === "blocked" ? item.error.code : item.action))).toEqual([
      "ERR_STORE_CONFLICT",
      "ERR_FORMAT_NEWER",
      "ERR_SEAL_INTEGRITY",
      "write",
    ])
  })

  it("looks again when the target was busy, and gives up in the end", async () => {
    const { secret, plan, target, clock } = aWorld()
    await secret()
    let busy = 1
    const throttled = () => new ServiceError("ERR_VAULT_THROTTLED", "slowly", { retryAfterMs: 3000 })
    const look: RestoreTarget["look"] = (...args) =>
      busy-- > 0 ? Promise.reject(throttled()) : target.look(...args)
    await expect(plan({ target: { ...target, look } })).resolves.toMatchObject([{ action: "write" }])
    expect(clock.sleeps).toEqual([3000])
    busy = Infinity
    await expect(plan({ target: { ...target, look } })).rejects.toMatchObject({ code: "ERR_VAULT_THROTTLED" })
    expect(clock.sleeps).toEqual([3000, 3000, 3000, 4000, 8000])
  })

  it("makes no plan of what it could not look at", async () => {
    const { secret, plan, target } = aWorld()
    await secret()
    const look = () => Promise.reject(new ServiceError("ERR_VAULT_FORBIDDEN", "no"))
    await expect(plan({ target: { ...target, look } })).rejects.toMatchObject({ code: "ERR_VAULT_FORBIDDEN" })
  })

  it("asks for consent before contents leave their cloud, and does not even look there (C34)", async () => {
    const gov = "kv-gov.vault.usgovcloudapi.net"
    const { secret, plan, target } = aWorld()
    await secret({ host: gov })
    let looks = 0
    const counted = {
      ...target,
      look: (...args: Parameters<typeof target.look>) => (looks++, target.look(...args)),
    }
    const options = { selection: { host: gov }, target: counted }
    await expect(plan(options)).resolves.toMatchObject([
      {
        action: "blocked",
        error: { code: "ERR_RESTORE_OTHER_CLOUD", details: { from: gov, to: targetHost } },
      },
    ])
    expect(looks).toBe(0)
    await expect(plan({ ...options, allowsOtherCloud: true })).resolves.toMatchObject([{ action: "write" }])
  })

  it("restores to any other vault of the same cloud without being asked (C34)", async () => {
    const { secret, plan } = aWorld()
    await secret({ host: "kv-east.vault.azure.net" })
    const items = await plan({ selection: { host: "kv-east.vault.azure.net" } })
    expect(items).toMatchObject([{ action: "write" }])
  })
})
