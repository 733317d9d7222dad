import { randomBytes, X509Certificate } from "node:crypto"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { CertificateClient } from "@azure/keyvault-certificates"
import { SecretClient } from "@azure/keyvault-secrets"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { openMaterial } from "../../shared/certificate/certificateMaterial.ts"
import { aChain, materialOf } from "../support/aChain.ts"
import { type Canary, createCanary, findCanaries, randomCanaryText } from "../support/canary.ts"
import { type CliEnd, runCli } from "../support/runCli.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"

interface Item {
  readonly id: string
  readonly name: string
  readonly action: string
  readonly result?: string
  readonly where?: string
  readonly compared?: boolean
  readonly problem?: { readonly code: string; readonly try: string }
  readonly notes: readonly { readonly note: string }[]
}

interface Document {
  readonly format: string
  readonly exitCode: number
  readonly executed: boolean
  readonly target: object
  readonly items: readonly Item[]
}

let journey: Journey
/** The first vault is backed up and restored from; the second is restored into. */
let from: string
let to: string
let source: { secrets: SecretClient; certificates: CertificateClient }
let target: { secrets: SecretClient; certificates: CertificateClient }
/** Everything that a command printed. */
const printed = new Map<string, Uint8Array>()
const canaries: Canary[] = []

/** A text that must be found nowhere but in vaults and restored files. */
function secretText(): string {
  const text = randomCanaryText()
  canaries.push(createCanary(text))
  return text
}

async function restore(...argv: string[]): Promise<CliEnd & { readonly items: readonly Item[] }> {
  const end = await runCli(journey.directory, "restore", ...argv, "--json")
  printed.set(`restore ${argv.join(" ")} (${printed.size})`, Buffer.from(end.out + end.err))
  const document = end.json<Document>()
  return { ...end, items: document.items ?? [] }
}

async function restoreText(...argv: string[]): Promise<CliEnd> {
  const end = await runCli(journey.directory, "restore", ...argv)
  printed.set(`restore ${argv.join(" ")} as text (${printed.size})`, Buffer.from(end.out + end.err))
  return end
}

const secretUrl = (name: string) => `${from}/secrets/${name}`
const versionsIn = async ({ secrets }: typeof target, name: string) => {
  let count = 0
  for await (const _ of secrets.listPropertiesOfSecretVersions(name)) count += 1
  return count
}

beforeAll(async () => {
  journey = await startJourney({ vaultNames: ["source-vault", "target-vault"], runsTimers: false })
  const { vaults, identities } = journey.cloud.file
  const token = identities["user"]!.tokens.vault
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) }
  const options = { disableChallengeResourceVerification: true }
  const clientsOf = (url: string) => ({
    secrets: new SecretClient(url, credential, options),
    certificates: new CertificateClient(url, credential, options),
  })
  from = vaults[0]!.url
  to = vaults[1]!.url
  source = clientsOf(from)
  target = clientsOf(to)
})
afterAll(() => journey.stop())

describe("kvbackup restore of secrets, into another vault (C34)", () => {
  const values = {
    empty: "",
    largest: "",
    emoji: "",
    control: "",
  }
  beforeAll(async () => {
    values.largest =
      secretText() +
      randomBytes(12_782)
        .toString("hex")
        .slice(0, 25_600 - 30)
    values.emoji = `${secretText()} 👩🏽‍🚀 e\u0301 ключ`
    values.control = `\uFEFF${secretText()}\u0000\u0007\r\n\u2028 `
    for (const [name, value] of Object.entries(values)) {
      await journey.set(name, value, {
        contentType: "text/ключ",
        tags: { owner: secretText(), empty: "" },
        expiresOn: new Date("2020-01-01T00:00:00Z"),
      })
    }
    await journey.settled()
  })

  it.each(["empty", "largest", "emoji", "control"] as const)(
    "plans %s, writes nothing, then writes it to the byte with all that belongs to it",
    async (name) => {
      const argv = ["--object", secretUrl(name), "--to", to]
      const plan = await restore(...argv)
      expect({ ...plan.json<Document>(), items: plan.items.length }).toEqual({
        format: "kvbackup-restore/1",
        exitCode: 0,
        executed: false,
        object: secretUrl(name),
        target: { vault: to },
        items: 1,
      })
      expect(plan).toMatchObject({
        exitCode: 0,
        items: [{ name, action: "write", notes: [{ note: "expired" }] }],
      })
      await expect(target.secrets.getSecret(name)).rejects.toMatchObject({ statusCode: 404 })

      const { exitCode, items } = await restore(...argv, "--execute")
      expect({ exitCode, items }).toMatchObject({
        exitCode: 0,
        items: [{ result: "restored", compared: true }],
      })
      const read = await target.secrets.getSecret(name)
      const original = await source.secrets.getSecret(name)
      expect(read.value).toBe(values[name])
      expect(read.properties).toMatchObject({
        contentType: original.properties.contentType,
        expiresOn: original.properties.expiresOn,
        enabled: true,
        tags: { ...original.properties.tags, "kvb-restored-from": original.properties.id?.toLowerCase() },
      })
      expect(items[0]?.where).toBe(read.properties.id)
    },
  )

  it("writes nothing when it is repeated", async () => {
    const before = await versionsIn(target, "emoji")
    const { exitCode, items } = await restore("--object", secretUrl("emoji"), "--to", to, "--execute")
    expect({ exitCode, items }).toMatchObject({ exitCode: 0, items: [{ result: "alreadyThere" }] })
    expect(await versionsIn(target, "emoji")).toBe(before)
  })

  it("stops with 27 at a name that has other contents, unless another name is given", async () => {
    await target.secrets.setSecret("control", "someone else's")
    const argv = ["--object", secretUrl("control"), "--to", to]
    await expect(restore(...argv)).resolves.toMatchObject({
      exitCode: 0,
      items: [{ action: "blocked", problem: { code: "ERR_RESTORE_TARGET_EXISTS" } }],
    })
    const stopped = await restore(...argv, "--execute")
    expect(stopped.exitCode).toBe(27)
    expect(stopped.json()).toMatchObject({
      format: "kvbackup-error/1",
      code: "ERR_RESTORE_TARGET_EXISTS",
      details: { vault: to, name: "control" },
    })
    expect((await target.secrets.getSecret("control")).value).toBe("someone else's")
    const renamed = await restore(...argv, "--as", "Control-Again", "--execute")
    expect(renamed).toMatchObject({ exitCode: 0, items: [{ result: "restored", name: "Control-Again" }] })
    expect((await target.secrets.getSecret("control-again")).value).toBe(values.control)
  })

  it("stops at a deleted name with the choice, and recovers and purges nothing (C41)", async () => {
    await target.secrets.beginDeleteSecret("empty")
    const stopped = await restore("--object", secretUrl("empty"), "--to", to, "--execute")
    expect(stopped.exitCode).toBe(27)
    expect(stopped.json()).toMatchObject({
      code: "ERR_RESTORE_TARGET_DELETED",
      try: expect.stringMatching(/recover .*purge .*--as/) as string,
    })
    await expect(target.secrets.getDeletedSecret("empty")).resolves.toMatchObject({ name: "empty" })
    const text = await restoreText("--object", secretUrl("empty"), "--to", to)
    expect(text.out).toMatch(/^STOPS {2}empty /m)
    expect(text.out).toContain("[ERR_RESTORE_TARGET_DELETED]")
  })

  it("restores exactly the version named, or what was there at a time", async () => {
    const first = await journey.set("timed", secretText())
    const made = (await source.secrets.getSecret("timed")).properties.createdOn!
    // The vault's own clock has whole seconds.
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThanOrEqual(made.getTime() + 1000), {
      timeout: 2000,
      interval: 20,
    })
    const second = await journey.set("timed", secretText())
    await journey.settled()
    const idOf = async (...argv: string[]) => (await restore(...argv, "--to", to)).items[0]?.id
    await expect(idOf("--object", secretUrl("timed"))).resolves.toBe(second)
    await expect(idOf("--object", first)).resolves.toBe(first)
    await expect(idOf("--object", secretUrl("timed"), "--at", made.toISOString())).resolves.toBe(first)
    const early = await restore("--object", secretUrl("timed"), "--at", "2020-01-01T00:00:00Z", "--to", to)
    expect([early.exitCode, early.json<{ code: string }>().code]).toEqual([25, "ERR_STORE_NOT_FOUND"])
  })
})

describe("kvbackup restore of certificates", () => {
  const chain = aChain({ length: 3 })

  beforeAll(async () => {
    for (const [name, contentType] of [
      ["chain-pfx", "application/x-pkcs12"],
      ["chain-pem", "application/x-pem-file"],
    ] as const) {
      const value = materialOf(chain.key, chain.certificates, contentType)
      const bytes = Buffer.from(value, contentType === "application/x-pkcs12" ? "base64" : "utf8")
      await source.certificates.importCertificate(name, bytes, {
        policy: { contentType },
        tags: { owner: "team-c" },
      })
    }
    for (const [name, keyType, exportable] of [
      ["rsa", "RSA", true],
      ["kept", "EC", false],
    ] as const) {
      const policy = { issuerName: "Self", subject: "CN=example.test", keyType, exportable }
      const poller = await source.certificates.beginCreateCertificate(name, policy, { intervalInMs: 5 })
      await poller.pollUntilDone()
    }
    await journey.settled()
  })

  it.each(["chain-pfx", "chain-pem", "rsa"])(
    "imports %s with its key, chain, thumbprint and policy",
    async (name) => {
      const { exitCode, items } = await restore(
        "--object",
        `${from}/certificates/${name}`,
        "--to",
        to,
        "--execute",
      )
      expect({ exitCode, items }).toMatchObject({
        exitCode: 0,
        items: [{ result: "restored", compared: true, notes: [] }],
      })
      const [original, made] = await Promise.all(
        [source, target].map(({ certificates }) => certificates.getCertificate(name)),
      )
      expect(Buffer.from(made!.cer!)).toEqual(Buffer.from(original!.cer!))
      expect(made?.policy).toMatchObject({
        issuerName: original?.policy?.issuerName,
        exportable: true,
        contentType: original?.policy?.contentType,
      })
      expect(made?.properties.tags).toMatchObject({
        "kvb-restored-from": original?.properties.id?.toLowerCase(),
      })
      const material = async ({ secrets }: typeof target) => {
        const { value, properties } = await secrets.getSecret(name)
        return openMaterial(value ?? "", properties.contentType)
      }
      const [before, after] = [await material(source), await material(target)]
      expect(after.certificates.map(({ raw }) => raw)).toEqual(before.certificates.map(({ raw }) => raw))
      expect(after.privateKeys[0]?.equals(before.privateKeys[0]!)).toBe(true)
      const again = await restore("--object", `${from}/certificates/${name}`, "--to", to, "--execute")
      expect(again.items[0]?.result).toBe("alreadyThere")
    },
  )

  it("says beforehand that a certificate whose key stayed in its vault goes to files only (C37)", async () => {
    const argv = ["--object", `${from}/certificates/kept`]
    await expect(restore(...argv, "--to", to)).resolves.toMatchObject({
      exitCode: 0,
      items: [{ action: "blocked", problem: { code: "ERR_VAULT_KEY_NOT_EXPORTABLE" } }],
    })
    expect((await restore(...argv, "--to", to, "--execute")).exitCode).toBe(21)
    const files = await restore(...argv, "--to-dir", "public-part", "--execute")
    expect(files).toMatchObject({
      exitCode: 0,
      items: [{ result: "restored", notes: [{ note: "publicOnly" }] }],
    })
  })
})

describe("kvbackup restore of a whole vault", () => {
  it("writes what is not there, leaves what is, and says with 30 what it could not", async () => {
    const { exitCode, items } = await restore("--vault", from, "--to", to, "--execute")
    expect(exitCode).toBe(30)
    const results = Object.fromEntries(
      items.map(({ name, result, problem }) => [name, problem?.code ?? result]),
    )
    expect(results).toEqual({
      "chain-pem": "alreadyThere",
      "chain-pfx": "alreadyThere",
      control: "ERR_RESTORE_TARGET_EXISTS",
      emoji: "alreadyThere",
      empty: "ERR_RESTORE_TARGET_DELETED",
      kept: "ERR_VAULT_KEY_NOT_EXPORTABLE",
      largest: "alreadyThere",
      rsa: "alreadyThere",
      timed: "restored",
    })
  })

  it("restores to files: exact bytes, opened certificates, and nobody else reads them (C36)", async () => {
    const { exitCode, items } = await restore("--vault", from, "--to-dir", "out", "--execute")
    expect([exitCode, new Set(items.map(({ result }) => result))]).toEqual([0, new Set(["restored"])])
    const out = join(journey.directory, "out")
    const mode = (path: string) => statSync(path).mode & 0o777
    expect([mode(out), mode(join(out, "secrets"))]).toEqual([0o700, 0o700])
    const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(new Set(files.map(({ parentPath, name }) => mode(join(parentPath, name))))).toEqual(
      new Set([0o600]),
    )
    const control = (await source.secrets.getSecret("control")).value ?? ""
    expect(readFileSync(join(out, "secrets", "control.value"))).toEqual(Buffer.from(control))
    expect(readFileSync(join(out, "secrets", "empty.value"))).toHaveLength(0)
    const pem = readFileSync(join(out, "certificates", "chain-pem.pem"), "utf8")
    const { cer } = await source.certificates.getCertificate("chain-pem")
    expect(new X509Certificate(pem).raw.equals(Buffer.from(cer!))).toBe(true)
    const again = await restore("--vault", from, "--to-dir", "out", "--execute")
    expect(new Set(again.items.map(({ result }) => result))).toEqual(new Set(["alreadyThere"]))
  })
})

describe("restoring into the vault that is backed up", () => {
  it("makes exactly one more backup, labelled restore, and no loop (C41)", async () => {
    const old = await journey.set("looped", secretText())
    await journey.settled()
    await journey.set("looped", secretText())
    await journey.settled()
    // The newest version has other contents, so the old one comes back under another name.
    const { items } = await restore("--object", old, "--to", from, "--as", "looped-back", "--execute")
    expect(items).toMatchObject([{ result: "restored", compared: true }])
    await journey.settled()
    const made = items[0]?.where ?? ""
    expect(journey.outcomes(made).map(({ outcome }) => outcome)).toEqual(["stored"])
    await expect(journey.metadata(made)).resolves.toMatchObject({ origin: "restore" })
    await expect(journey.open(made)).resolves.toMatchObject({ tags: { "kvb-restored-from": old } })
    expect(await versionsIn(source, "looped-back")).toBe(1)
    expect(await versionsIn(source, "looped")).toBe(2)

    // Restoring the restored one again finds it there, and changes nothing.
    const again = await restore("--object", `${from}/secrets/looped-back`, "--to", from, "--execute")
    expect(again.items).toMatchObject([{ result: "alreadyThere" }])
    await journey.settled()
    expect(await versionsIn(source, "looped-back")).toBe(1)
  })

  it("labels the backup of a restored certificate once, whichever of its events comes first", async () => {
    const argv = ["--object", `${from}/certificates/rsa`, "--to", from, "--as", "rsa-back", "--execute"]
    const { items } = await restore(...argv)
    expect(items).toMatchObject([{ result: "restored", compared: true }])
    await journey.settled()
    const made = items[0]?.where ?? ""
    await expect(journey.metadata(made)).resolves.toMatchObject({ origin: "restore" })
    const names = journey.cloud.blob.backdoor.names(journey.cloud.file.blob.container)
    expect(names.filter((name) => name.includes("/rsa-back/"))).toHaveLength(1)
  })
})

describe("a restore", () => {
  it("uses a record that was altered for nothing, and goes on with the rest", async () => {
    const id = await journey.set("altered", secretText())
    await journey.settled()
    const { container } = journey.cloud.file.blob
    const name = journey.cloud.blob.backdoor.names(container).find((blob) => blob.includes("/altered/"))!
    const found = await journey.cloud.blob.backdoor.read({ container, name })
    const body = Buffer.from(found!.body)
    body[body.length >> 1] = body[body.length >> 1] === 65 ? 66 : 65
    await journey.control("POST /backdoor/blobs", {
      container,
      name,
      action: "alter",
      body: body.toString("base64"),
    })
    const stopped = await restore("--object", id, "--to", to, "--execute")
    expect([stopped.exitCode, stopped.json<{ code: string }>().code]).toEqual([26, "ERR_SEAL_INTEGRITY"])
    const rest = await restore("--vault", from, "--to-dir", "rest", "--execute")
    expect(rest.exitCode).toBe(30)
    expect(rest.items.filter(({ result }) => result === "blocked")).toMatchObject([{ name: "altered" }])
    expect(rest.items.filter(({ result }) => result === "restored").length).toBeGreaterThan(10)
  })

  it("prints no value and no tag, whatever becomes of it", () => {
    expect(printed.size).toBeGreaterThan(20)
    expect(findCanaries(printed, canaries)).toEqual([])
    const lines = new Map(journey.lines.map((line, index) => [`line ${index}`, Buffer.from(line)]))
    expect(findCanaries(lines, canaries)).toEqual([])
  })
})
