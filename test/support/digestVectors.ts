// The golden files of digest format 1, test/vectors/digest/v1: a copy of a store as `kvbackup audit --save-copy` makes
// one, with the public keys that prove it. Writes them: node test/support/digestVectors.ts --new
// Files that are there already are never written again: they stand for blobs that nobody can change.
import { existsSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { saveDigestCopy } from "../../shared/digest/digestCopy.ts"
import { joinTrustedKeys } from "../../shared/digest/digestKey.ts"
import { openDigestKeyFile } from "../../shared/digest/localDigestKey.ts"
import { formatLedgerEntry } from "../../shared/store/ledgerEntry.ts"
import { aDigestJwk, aDigestStore, keyFile, publicJwk, recordName } from "./aDigestStore.ts"

/** The folder with the copy and the keys. */
export const digestVectors = fileURLToPath(new URL("../vectors/digest/v1/", import.meta.url))

/** Where the copy is. */
export const vectorCopy = `${digestVectors}copy`

/** Public keys, as a JWK Set. */
export const vectorKeys = `${digestVectors}keys.jwks.json`

async function writeVectors(): Promise<void> {
  const [first, second, third] = [
    await aDigestJwk("ES384", "test-only-es384"),
    await aDigestJwk("PS256", "https://kv-demo.vault.azure.net/keys/ledger/0123456789abcdef0123456789abcdef"),
    await aDigestJwk("ES256", ""),
  ]
  const files = await Promise.all([first, second, third].map((jwk) => openDigestKeyFile(keyFile(jwk))))
  const keys = joinTrustedKeys(files.map(({ trusted }) => trusted))
  const world = await aDigestStore({ now: "2026-11-22T00:30:00.000Z" })
  const put = (index: number, at: string) => {
    const time = new Date(at)
    const metadata = formatLedgerEntry({
      changedAt: time,
      eventAt: time,
      putAt: time,
      origin: index % 2 === 0 ? "live" : "reconcile",
      attempt: 1,
      replays: 0,
      eventId: `event-${index}`,
      kids: ["test-only"],
      format: "keyvault-backup/1",
      sha256: String(index % 10).repeat(64),
    })
    world.put(recordName(index), at, metadata)
  }
  for (let index = 0; index < 8; index++) put(index * 37, `2026-11-2${index % 4}T0${index}:00:00.000Z`)
  world.put("gaps/v1/payments.vault.azure.net/secrets/a-b/00.gone.json", "2026-11-21T23:59:59.000Z", {
    Z: "1",
    a_b: "2",
    ab: "é\u2028",
  })
  world.put('v1/not ours "ø"', "2026-11-20T00:00:00.000Z", {})
  for (const [index, { signer }] of files.entries()) {
    // The last run makes up for two days, of which one has no entries.
    if (index > 0) world.clock.advance(index * 86_400_000)
    await world.write({ signer, keys })
  }
  await saveDigestCopy(vectorCopy, {
    storeName: world.parts.storeName,
    madeAt: world.clock.now(),
    catalog: world.parts.catalog,
    reader: world.parts.reader,
  })
  writeFileSync(vectorKeys, `${JSON.stringify({ keys: [first, second, third].map(publicJwk) }, null, 2)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes("--new")) {
  if (!existsSync(vectorCopy)) await writeVectors()
}
