import { describe, expect, it } from "vitest"
import { compose } from "../../functions/compose.ts"
import { recipientPair } from "../support/recipientPair.ts"

const { publicJwk } = await recipientPair("EC", "recovery-1")
const env = {
  BACKUP_VAULTS: "https://kv-a.vault.azure.net,https://kv-b.vault.azure.net",
  BACKUP_STORE_URL: "https://a.blob.core.windows.net",
  BACKUP_RECIPIENTS: JSON.stringify({ keys: [publicJwk] }),
  BackupServiceBus__fullyQualifiedNamespace: "ns.servicebus.windows.net",
}
const lines: string[] = []
const write = (_level: string, line: string) => void lines.push(line)

describe("compose", () => {
  it("names every setting that the worker lacks at once", () => {
    expect(() => compose({}, write)).toThrow(
      /4 settings are wrong[^]*BACKUP_VAULTS[^]*BACKUP_STORE_URL[^]*BACKUP_RECIPIENTS/,
    )
  })

  it.each(["azureCli", "workloadIdentity"].map((name) => ({ name })))(
    "refuses $name in production",
    ({ name }) => {
      expect(() => compose({ ...env, BACKUP_CREDENTIAL: name }, write)).toThrow(
        expect.objectContaining({
          code: "ERR_CONFIG_INVALID",
          message: expect.stringContaining("BACKUP_CREDENTIAL"),
        }),
      )
    },
  )

  it("takes its settings over, and no vault that is not named", async () => {
    const worker = compose(
      {
        ...env,
        BACKUP_EXCLUDE: "tmp-*",
        BACKUP_CANARY_SECRET: "https://kv-a.vault.azure.net/secrets/Canary",
        BACKUP_RETRY_FIRST_DELAY: "1s",
      },
      write,
    )
    expect(worker.retry).toEqual({ firstDelayMs: 1000, maxDelayMs: 900_000, maxAgeMs: 86_400_000 })
    expect(worker.backup.exclude).toEqual(["tmp-*"])
    expect(worker.canarySecret).toBe("https://kv-a.vault.azure.net/secrets/canary")
    expect(
      ["kv-a", "kv-b", "kv-c"].map((name) => worker.allowList.allows(`${name}.vault.azure.net`)),
    ).toEqual([true, true, false])
    await worker.close()
  })

  it("imports the keys of a vault once, and each vault's own", async () => {
    const other = await recipientPair("RSA", "other")
    const map = {
      "https://kv-b.vault.azure.net": { keys: [other.publicJwk] },
      default: { keys: [publicJwk] },
    }
    const worker = compose({ ...env, BACKUP_RECIPIENTS: JSON.stringify(map) }, write)
    const kids = async (vault: string) => (await worker.backup.recipientsOf(vault)).map(({ kid }) => kid)
    await expect(kids("https://kv-a.vault.azure.net")).resolves.toEqual(["recovery-1"])
    await expect(kids("https://kv-b.vault.azure.net")).resolves.toEqual(["other"])
    const [first, second] = await Promise.all(
      ["", ""].map(() => worker.backup.recipientsOf("https://kv-b.vault.azure.net")),
    )
    expect(first).toBe(second)
    await worker.close()
  })

  it("does not start with a recipient that is no key, before it asks anybody", async () => {
    const [x, y] = ["x", "y"].map(() => Buffer.alloc(48, 7).toString("base64url"))
    const bad = { kty: "EC", kid: "bad-1", crv: "P-384", x, y }
    const worker = compose({ ...env, BACKUP_RECIPIENTS: JSON.stringify({ keys: [publicJwk, bad] }) }, write)
    await expect(worker.assertMayStart()).rejects.toMatchObject({
      code: "ERR_CONFIG_INVALID",
      message: expect.stringContaining("bad-1"),
    })
    await worker.close()
  })
})
