import { X509Certificate } from "node:crypto"
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { openMaterial } from "../../../shared/certificate/certificateMaterial.ts"
import { createDirectoryTarget } from "../../../shared/restore/directoryTarget.ts"
import { executeRestore } from "../../../shared/restore/executeRestore.ts"
import { planRestore } from "../../../shared/restore/planRestore.ts"
import { aChain } from "../../support/aChain.ts"
import { host } from "../../support/builders.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { storedRecords } from "../../support/storedRecords.ts"

const folder = mkdtempSync(join(tmpdir(), "restore-"))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0

function aWorld({ directory = join(folder, `to-${count++}`) } = {}) {
  const records = storedRecords()
  const clock = fakeClock("2026-03-10T00:00:00Z")
  const target = createDirectoryTarget({ directory, clock })
  const options = { source: records.source, target, concurrency: 2 }
  const plan = (as?: string) =>
    planRestore({
      ...options,
      selection: { host },
      catalog: records.store,
      allowsOtherCloud: false,
      clock,
      ...(as === undefined ? {} : { as }),
    })
  return {
    ...records,
    directory,
    plan,
    run: async (as?: string) => executeRestore(await plan(as), { ...options, clock }),
    read: (path: string) => readFileSync(join(directory, path)),
    mode: (path = "") => (statSync(join(directory, path)).mode & 0o777).toString(8),
    names: () => readdirSync(directory, { recursive: true }).map(String).sort(),
  }
}

describe("createDirectoryTarget", () => {
  it("writes nothing for a plan, not even the directory", async () => {
    const { secret, plan, names } = aWorld()
    await secret()
    await expect(plan()).resolves.toMatchObject([{ action: "write" }])
    expect(names).toThrow(/ENOENT/)
  })

  it("writes the exact bytes of a secret, and what else is known of it beside them, for nobody else", async () => {
    const { secret, run, read, mode, names, directory } = aWorld()
    const value = "\uFEFFa\u0000b\r\n🔑 "
    const { record } = await secret({}, { value, tags: { owner: "ü" } })
    const [item] = await run()
    expect(item?.outcome).toEqual({
      result: "restored",
      where: join(directory, "secrets", "db-password.value"),
      isCompared: true,
      notes: [],
    })
    expect(names()).toEqual(["secrets", "secrets/db-password.json", "secrets/db-password.value"])
    expect(read("secrets/db-password.value")).toEqual(Buffer.from(value))
    const { value: _value, format: _format, ...rest } = record
    expect(JSON.parse(read("secrets/db-password.json").toString())).toEqual({
      format: "keyvault-restored/1",
      file: "db-password.value",
      ...rest,
    })
    expect([mode(), mode("secrets")]).toEqual(["700", "700"])
    expect([mode("secrets/db-password.value"), mode("secrets/db-password.json")]).toEqual(["600", "600"])
  })

  it("writes an empty secret as an empty file, and text that no UTF-8 has as JSON", async () => {
    const { secret, run, read } = aWorld()
    await secret({ name: "empty" }, { value: "" })
    await secret({ name: "half" }, { value: "a\ud83d" })
    await run()
    expect(read("secrets/empty.value")).toEqual(Buffer.alloc(0))
    expect(JSON.parse(read("secrets/half.value.json").toString())).toBe("a\ud83d")
  })

  it("decodes a PFX to the file that tools open, and leaves PEM as it is (C36)", async () => {
    const { certificate, run, read } = aWorld()
    const chain = aChain({ length: 2 })
    await certificate({ name: "pfx" }, chain)
    const { record } = await certificate({ name: "pem" }, chain, { contentType: "application/x-pem-file" })
    await run()
    const opened = openMaterial(read("certificates/pfx.pfx").toString("base64"), "application/x-pkcs12")
    expect(opened.certificates).toHaveLength(2)
    expect(opened.certificates[0]?.checkPrivateKey(opened.privateKeys[0]!)).toBe(true)
    expect(read("certificates/pem.pem").toString()).toBe(record.value)
    const { certificate: about } = JSON.parse(read("certificates/pem.json").toString()) as {
      certificate: { cer: string; policy: object }
    }
    const leaf = new X509Certificate(Buffer.from(about.cer, "base64"))
    expect(leaf.raw.equals(chain.certificates[0])).toBe(true)
    expect(about.policy).toMatchObject({ key_props: { exportable: true } })
  })

  it("takes what no vault takes: a public part alone and an expired certificate (C37)", async () => {
    const { certificate, run } = aWorld()
    await certificate({ name: "expired" }, aChain({ notAfter: new Date("2026-03-01T00:00:00Z") }))
    await certificate({ name: "kept" }, aChain(), { exportable: false })
    const items = await run()
    expect(items.map(({ outcome }) => outcome)).toMatchObject([
      { result: "restored", notes: [{ note: "expired" }] },
      { result: "restored", notes: [{ note: "publicOnly" }] },
    ])
  })

  it("says that the same files are there, and writes none again", async () => {
    const { secret, run, directory } = aWorld()
    await secret()
    await run()
    const before = statSync(join(directory, "secrets/db-password.value")).mtimeMs
    const [item] = await run()
    expect(item?.outcome.result).toBe("alreadyThere")
    expect(statSync(join(directory, "secrets/db-password.value")).mtimeMs).toBe(before)
  })

  it.each([
    { name: "a file with other contents", make: (path: string) => writeFileSync(path, "mine") },
    { name: "a link", make: (path: string) => symlinkSync("/dev/null", path) },
    { name: "a directory", make: (path: string) => mkdirSync(path) },
  ])("writes over nothing: $name", async ({ make }) => {
    const { secret, run, directory, names } = aWorld()
    await secret()
    mkdirSync(join(directory, "secrets"), { recursive: true, mode: 0o700 })
    make(join(directory, "secrets", "db-password.value"))
    const before = names()
    const [item] = await run()
    expect(item?.outcome).toMatchObject({ result: "blocked", error: { code: "ERR_RESTORE_TARGET_EXISTS" } })
    expect(names()).toEqual(before)
    expect((await run("another"))[0]?.outcome.result).toBe("restored")
  })

  it("ends what a killed run began: contents without the file about them, and a part", async () => {
    const { secret, run, directory, names } = aWorld()
    await secret()
    mkdirSync(join(directory, "secrets"), { recursive: true, mode: 0o700 })
    writeFileSync(join(directory, "secrets", "db-password.value"), "hunter2", { mode: 0o600 })
    writeFileSync(join(directory, "secrets", "db-password.value.0a1b2c3d4e5f.part"), "hun", { mode: 0o600 })
    expect((await run())[0]?.outcome.result).toBe("restored")
    expect(names()).toContain("secrets/db-password.json")
  })

  it.each([
    { name: "others can read", make: (path: string) => (mkdirSync(path), chmodSync(path, 0o750)) },
    { name: "is a file", make: (path: string) => writeFileSync(path, "") },
    { name: "is a link to another", make: (path: string) => symlinkSync(tmpdir(), path) },
  ])("refuses a directory that $name", async ({ make }) => {
    const directory = join(folder, `refused-${count++}`)
    make(directory)
    const { secret, plan } = aWorld({ directory })
    await secret()
    await expect(plan()).rejects.toMatchObject({ code: "ERR_CONFIG_INVALID" })
  })

  it("says that it cannot write", async () => {
    const { secret, run } = aWorld({ directory: "/dev/null/restore" })
    await secret()
    await expect(run()).rejects.toMatchObject({ code: "ERR_CONFIG_INVALID" })
  })
})
