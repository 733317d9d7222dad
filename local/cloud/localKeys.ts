import { chmod, mkdir, readFile, writeFile } from "node:fs/promises"
import { resolve } from "node:path"
import { exportJWK, generateKeyPair, type JWK } from "jose"

/** The two key files of a local cloud and the public half of the recovery key. */
export interface LocalKeys {
  /** Private JWK Set that opens records. */
  readonly recoveryKeyFile: string
  /** Private JWK that signs digests. */
  readonly digestKeyFile: string
  /** Public JWK Set, for the setting that names recipients. */
  readonly recipients: string
}

/**
 * Keys of the cloud in `directory`, made at the first call and kept: the recovery key is EC P-384, because Debian's
 * `jose` opens such records. Files have mode 0600.
 */
export async function openLocalKeys(directory: string): Promise<LocalKeys> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const recoveryKeyFile = resolve(directory, "recovery-key.jwks.json")
  const digestKeyFile = resolve(directory, "digest-key.jwk.json")
  const recovery = await openKey(recoveryKeyFile, "local-recovery", "ECDH-ES+A256KW", (jwk) => ({
    keys: [jwk],
  }))
  await openKey(digestKeyFile, "local-digest", "ES384", (jwk) => jwk)
  return { recoveryKeyFile, digestKeyFile, recipients: JSON.stringify({ keys: [publicHalf(recovery)] }) }
}

async function openKey(file: string, kid: string, alg: string, wrap: (jwk: JWK) => object): Promise<JWK> {
  const existing = await readFile(file, "utf8").catch(() => undefined)
  if (existing !== undefined) {
    const json = JSON.parse(existing) as JWK & { keys?: JWK[] }
    return json.keys?.[0] ?? json
  }
  const { privateKey } = await generateKeyPair(alg, { crv: "P-384", extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kid, alg }
  await writeFile(file, `${JSON.stringify(wrap(jwk), undefined, 2)}\n`, { mode: 0o600 })
  await chmod(file, 0o600)
  return jwk
}

/** The members of an EC public key; everything else stays private. */
function publicHalf(jwk: JWK): JWK {
  const members = ["kty", "crv", "x", "y", "kid"] as const
  return Object.fromEntries(members.map((member) => [member, jwk[member]])) as JWK
}
