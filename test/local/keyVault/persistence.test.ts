import { fork } from "node:child_process"
import { once } from "node:events"
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { newTokenAuthorityState, openTokenAuthority } from "../../../local/access/tokenAuthority.ts"
import { openVaultLog } from "../../../local/keyVault/vaultLog.ts"
import { aVault, collect } from "./aVault.ts"

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "vault-"))
})
afterEach(() => rmSync(directory, { recursive: true }))

const authority = openTokenAuthority(newTokenAuthorityState())
const open = (port = 0) => aVault({ directory, authority, throttle: false, port })
const policy = { x509_props: { subject: "CN=x" }, key_props: { kty: "EC" } }

describe("a vault that is kept", () => {
  it("is the same when it is opened again", async () => {
    const first = await open()
    const { port } = first.vault
    const odd = String.raw`{"value":"\ud800\u0000\ufeff","tags":{"a":"1"},"attributes":{"exp":2000000000}}`
    await first.ask("/secrets/Odd", { method: "PUT", body: odd })
    const old = await first.secrets().setSecret("many", "one")
    await first.secrets().setSecret("many", "two")
    await first.secrets().updateSecretProperties("many", old.properties.version!, { enabled: false })
    await first.ask("/certificates/site/create", { method: "POST", body: JSON.stringify({ policy }) })
    await first.ask("/keys/k/create", { method: "POST", body: JSON.stringify({ kty: "EC" }) })
    for (const name of ["deleted", "recovered", "purged"]) {
      await first.secrets().setSecret(name, name)
      await first.ask(`/secrets/${name}`, { method: "DELETE" })
    }
    await first.ask("/deletedsecrets/recovered/recover", { method: "POST" })
    await first.ask("/deletedsecrets/purged", { method: "DELETE" })
    const paths = [
      "/secrets/odd",
      "/secrets/many",
      "/secrets/many/versions",
      `/secrets/many/${old.properties.version}`,
      "/certificates/site",
      "/keys/k",
      "/keys/site",
      "/secrets",
      "/deletedsecrets",
      "/deletedsecrets/purged",
    ]
    const read = async (from: typeof first) =>
      Promise.all(paths.map(async (path) => (await from.ask(path)).text()))
    const before = await read(first)
    await first.stop()
    const second = await open(port)
    try {
      expect(await read(second)).toEqual(before)
      expect(second.vault.counts()).toEqual({ secrets: 4, certificates: 1, keys: 1 })
      expect(second.changes).toEqual([])
      await second.secrets().setSecret("many", "three")
      expect((await second.secrets().getSecret("many")).value).toBe("three")
    } finally {
      await second.stop()
    }
  })

  it("lies in a file that only its owner can read", async () => {
    const vault = await open()
    await vault.secrets().setSecret("a", "v")
    await vault.stop()
    expect(statSync(join(directory, "sample.jsonl")).mode & 0o777).toBe(0o600)
  })

  it("loses nothing that was answered when its process is killed", async () => {
    const child = fork(new URL("killedVault.ts", import.meta.url), [directory], { stdio: "ignore" })
    const answered: string[] = []
    child.on("message", (version: string) => answered.push(version))
    const exited = once(child, "exit")
    const stopped = exited.then(([code]) => {
      throw new Error(`The vault's process ended by itself, ${code}`)
    })
    stopped.catch(() => {})
    while (answered.length < 50) await Promise.race([once(child, "message"), stopped])
    child.kill("SIGKILL")
    await exited
    const vault = await open()
    try {
      const versions = await collect(vault.secrets().listPropertiesOfSecretVersions("killed"))
      const kept = new Set(versions.map(({ version }) => version))
      expect(answered.filter((version) => !kept.has(version))).toEqual([])
    } finally {
      await vault.stop()
    }
  })
})

describe("openVaultLog", () => {
  const entry = { op: "recover", kind: "secret", name: "a" } as const

  it("cuts off a last line that was never finished", () => {
    const file = join(directory, "log.jsonl")
    const first = openVaultLog(file)
    first.append(entry)
    first.close()
    appendFileSync(file, '{"op":"recover","na')
    const second = openVaultLog(file)
    expect(second.entries).toEqual([entry])
    second.append(entry)
    second.close()
    expect(openVaultLog(file).entries).toEqual([entry, entry])
    expect(readFileSync(file, "utf8").split("\n")).toHaveLength(3)
  })

  it("refuses a file that is damaged inside, without quoting it", () => {
    const file = join(directory, "log.jsonl")
    writeFileSync(file, `${JSON.stringify(entry)}\nsecret-value\n${JSON.stringify(entry)}\n`)
    expect(() => openVaultLog(file)).toThrow(/^Line 2 of .*log\.jsonl is not readable$/)
  })
})
