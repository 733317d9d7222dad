import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { readOpeningKeys } from "../../cli/openingKeys.ts"
import { recipientPair } from "../support/recipientPair.ts"

const folder = mkdtempSync(join(tmpdir(), "opening-keys-"))
afterAll(() => rmSync(folder, { recursive: true }))

const inVault = (name: string) => `https://kv.vault.azure.net/keys/${name}/${"0".repeat(32)}`
const offline = await recipientPair("EC", "break-glass")
const wrapping = await recipientPair("RSA", inVault("backup"))
const file = join(folder, "keys.json")
writeFileSync(file, JSON.stringify({ keys: [offline.privateJwk] }))

const sources = (withRecipients: boolean, recoveryKeyFile?: string) => ({
  recoveryKeyFile,
  settings: withRecipients
    ? {
        BACKUP_RECIPIENTS: {
          default: [offline.publicJwk],
          byVault: new Map([["https://kv.vault.azure.net", [wrapping.publicJwk]]]),
        },
      }
    : {},
  vaultOptions: {
    credential: { getToken: () => Promise.reject(new Error("no token is asked for")) },
    httpClient: { sendRequest: () => Promise.reject(new Error("nothing is sent")) },
    challengeCheck: true,
  },
})
const kidsOf = async (...args: Parameters<typeof readOpeningKeys>) =>
  (await readOpeningKeys(...args)).map((key) => `${"unwrap" in key ? "vault" : "file"} ${key.kid}`)

describe("readOpeningKeys", () => {
  it("puts the keys of the file first, then those in Key Vault, each once, and asks nobody", async () => {
    const keys = kidsOf({ keyFile: file, unwrapKey: [inVault("old"), inVault("backup")] }, sources(true))
    await expect(keys).resolves.toEqual([
      "file break-glass",
      `vault ${inVault("old")}`,
      `vault ${inVault("backup")}`,
    ])
  })

  it("takes keys in Key Vault from BACKUP_RECIPIENTS, and none whose private half is elsewhere", async () => {
    await expect(kidsOf({}, sources(true))).resolves.toEqual([`vault ${inVault("backup")}`])
  })

  it("takes the key of the local cloud where no file is named", async () => {
    await expect(kidsOf({}, sources(false, file))).resolves.toEqual(["file break-glass"])
  })

  it("says how to name a key when there is none", async () => {
    await expect(readOpeningKeys({}, sources(false))).rejects.toMatchObject({
      code: "ERR_CONFIG_INVALID",
      hint: expect.stringMatching(/--key-file FILE .*--unwrap-key https/) as string,
    })
  })
})
