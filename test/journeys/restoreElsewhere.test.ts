import { readFileSync } from "node:fs"
import { BlobServiceClient } from "@azure/storage-blob"
import { KeyClient } from "@azure/keyvault-keys"
import type { JWK } from "jose"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { importRecipients, type PublicJwk } from "../../shared/record/recipients.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { type CliEnd, runCli } from "../support/runCli.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"
import { type StoredWrongly, storedRecords } from "../support/storedRecords.ts"

let journey: Journey
let to: string
let keyUrl: string
let vaultRecipient: Awaited<ReturnType<typeof importRecipients>>[number]
let localRecipient: typeof vaultRecipient

const credentialOf = (job: string, audience: "vault" | "blob") => {
  const token = journey.cloud.file.identities[job]?.tokens[audience] ?? ""
  return { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) }
}

/** Puts a record into the store as a backup of another vault would be there. */
async function store(
  of: Parameters<ReturnType<typeof storedRecords>["secret"]>[0],
  recipients: readonly (typeof vaultRecipient)[],
  wrongly: StoredWrongly = {},
): Promise<string> {
  const memory = createMemoryStore()
  const { id, blob } = await storedRecords(memory, recipients).secret(of, {}, wrongly)
  const { file } = journey.cloud
  const service = new BlobServiceClient(file.blob.url, credentialOf("backup", "blob"))
  const body = Buffer.from(await memory.read(blob))
  const { value: listed } = await memory.list(blob)[Symbol.asyncIterator]().next()
  const client = service.getContainerClient(file.blob.container).getBlockBlobClient(blob)
  await client.upload(body, body.length, {
    metadata: { ...listed.metadata },
    conditions: { ifNoneMatch: "*" },
  })
  return id
}

const restore = (...argv: string[]): Promise<CliEnd> =>
  runCli(journey.directory, "restore", ...argv, "--json")

beforeAll(async () => {
  journey = await startJourney({ runsTimers: false })
  to = journey.cloud.file.vaults[0]!.url
  const keys = new KeyClient(to, credentialOf("user", "vault"), {
    disableChallengeResourceVerification: true,
  })
  const made = await keys.createRsaKey("backup-key", { keySize: 2048 })
  keyUrl = made.id ?? ""
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("base64url")
  const jwk: PublicJwk = { kty: "RSA", kid: keyUrl, n: text(made.key?.n), e: text(made.key?.e) }
  const [recovery] = (JSON.parse(readFileSync(journey.cloud.file.recoveryKeyFile, "utf8")) as { keys: JWK[] })
    .keys
  const { kty, crv, x, y, kid } = recovery!
  const imported = await importRecipients([jwk, { kty, crv, x, y, kid } as PublicJwk])
  vaultRecipient = imported[0]!
  localRecipient = imported[1]!
})
afterAll(() => journey.stop())

describe("kvbackup restore of a record sealed to a key in Key Vault", () => {
  it("opens it with that key, which never leaves its vault", async () => {
    const id = await store({ name: "in-vault" }, [vaultRecipient])
    const argv = ["--object", id, "--to", to]
    const without = await restore(...argv)
    expect(without.json()).toMatchObject({
      exitCode: 0,
      items: [
        { problem: { code: "ERR_SEAL_NO_KEY", try: `Use one of the keys it is sealed to: ${keyUrl}.` } },
      ],
    })
    const end = await restore(...argv, "--unwrap-key", keyUrl, "--execute")
    expect(end.json()).toMatchObject({ exitCode: 0, items: [{ result: "restored", compared: true }] })
    expect((await journey.secrets.getSecret("in-vault")).value).toBe("hunter2")
  })

  it("says that the key is not named in full", async () => {
    const end = await restore("--vault", to, "--to", to, "--unwrap-key", keyUrl.replace(/\/[^/]+$/, ""))
    expect([end.exitCode, end.json<{ code: string }>().code]).toEqual([2, "ERR_CONFIG_INVALID"])
  })
})

describe("kvbackup restore from a vault of another cloud (C34, C47)", () => {
  it("needs consent to take contents out of a sovereign cloud, and none to another vault", async () => {
    const id = await store({ name: "sovereign", host: "kv.vault.usgovcloudapi.net" }, [localRecipient])
    const argv = ["--object", id, "--to", to]
    const plan = await restore(...argv)
    expect(plan.json()).toMatchObject({
      exitCode: 0,
      items: [{ action: "blocked", problem: { code: "ERR_RESTORE_OTHER_CLOUD" } }],
    })
    expect((await restore(...argv, "--execute")).exitCode).toBe(27)
    await expect(journey.secrets.getSecret("sovereign")).rejects.toMatchObject({ statusCode: 404 })
    const consented = await restore(...argv, "--allow-other-cloud", "--execute")
    expect(consented.json()).toMatchObject({ exitCode: 0, items: [{ result: "restored" }] })

    const other = await store({ name: "east", host: "kv-east.vault.azure.net" }, [localRecipient])
    const free = await restore("--object", other, "--to", to, "--execute")
    expect(free.json()).toMatchObject({ exitCode: 0, items: [{ result: "restored" }] })
  })

  it("writes to files without being asked", async () => {
    const id = await store({ name: "to-file", host: "kv.vault.azure.cn" }, [localRecipient])
    const end = await restore("--object", id, "--to-dir", "files", "--execute")
    expect(end.json()).toMatchObject({ exitCode: 0, items: [{ result: "restored" }] })
  })
})

describe("kvbackup restore of records that are not for it", () => {
  it("leaves them, goes on with the rest and ends with 30", async () => {
    const host = "kv-mixed.vault.azure.net"
    const recipients = [localRecipient]
    await store({ name: "newer", host }, recipients, { format: "keyvault-backup/2" })
    await store({ name: "moved", host }, recipients, { sealedAs: "v1/a/secrets/b/c.jwe.json" })
    await store({ name: "swapped", host }, recipients, { metadata: { sha256: "0".repeat(64) } })
    await store({ name: "good", host }, recipients)
    const end = await restore("--vault", `https://${host}`, "--to", to, "--execute")
    expect(end.exitCode).toBe(30)
    const { items } = end.json<{ items: { name: string; result: string; problem?: { code: string } }[] }>()
    expect(items.map(({ name, result, problem }) => [name, problem?.code ?? result])).toEqual([
      ["good", "restored"],
      ["moved", "ERR_SEAL_INTEGRITY"],
      ["newer", "ERR_FORMAT_NEWER"],
      ["swapped", "ERR_STORE_CONFLICT"],
    ])
    for (const name of ["moved", "newer", "swapped"]) {
      await expect(journey.secrets.getSecret(name)).rejects.toMatchObject({ statusCode: 404 })
    }
  })
})
