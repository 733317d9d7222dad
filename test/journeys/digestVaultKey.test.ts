import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { KeyClient } from "@azure/keyvault-keys"
import { describe, expect, it } from "vitest"
import type { Proof } from "../../shared/digest/proof.ts"
import { runCli } from "../support/runCli.ts"
import { startJourney } from "../support/startJourney.ts"

describe("digests that a Key Vault key signs", () => {
  it("are proved with the key in its vault, and name the version that signed", async () => {
    const keep = await mkdtemp(join(tmpdir(), "digest-keep-"))
    let kept = await startJourney({ runsTimers: false, keep })
    try {
      const [vault] = kept.cloud.file.vaults
      const token = kept.cloud.file.identities["user"]!.tokens.vault
      const keys = new KeyClient(
        vault!.url,
        { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) },
        { disableChallengeResourceVerification: true },
      )
      const { id } = await keys.createEcKey("ledger", { curve: "P-256" })
      await kept.stop()
      const url = `${vault!.url}/keys/ledger`
      kept = await startJourney({ runsTimers: false, keep, settings: { BACKUP_DIGEST_KEY: url } })
      await kept.control("POST /functions/writeDigest")
      const prove = (key: string) =>
        runCli(kept.directory, "audit", "--prove", "all", "--json", "--digest-key", key)
      const proved = await prove(url)
      expect(proved.json<{ proof: Proof }>().proof.days).toMatchObject([{ status: "proved", kid: id }])
      expect(proved.exitCode).toBe(0)
      expect((await prove(`${url}x`)).json()).toMatchObject({
        exitCode: 30,
        proof: { findings: [{ kind: "digestUntrusted", kid: id }] },
      })
      await kept.control("PUT /firewall", { keyvault: "closed" })
      expect((await prove(url)).json()).toMatchObject({
        exitCode: 31,
        proof: { days: [{ status: "unknown", code: "ERR_VAULT_FIREWALL" }] },
      })
    } finally {
      await kept.stop()
      await rm(keep, { recursive: true })
    }
  })
})
