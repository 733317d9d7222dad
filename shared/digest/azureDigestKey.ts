import { createHash } from "node:crypto"
import { CryptographyClient, KeyClient, type KeyVaultKey } from "@azure/keyvault-keys"
import { importJWK } from "jose"
import { fromVaultError } from "../azureErrors.ts"
import { ServiceError } from "../errors.ts"
import { restrictAudience } from "../vault/azureVaultAudience.ts"
import type { AzureVaultOptions } from "../vault/azureVaultClients.ts"
import type { DigestAlgorithm, DigestSigner, TrustedKey, TrustedKeys } from "./digestKey.ts"
import { isVersionOf, parseKeyUrl, type VaultKeySource } from "./digestKeySource.ts"
import { digestAlgorithmOf } from "./localDigestKey.ts"

/** A key in Key Vault. Its private half never leaves the vault; the vault is asked once for each version. */
export interface AzureDigestKey {
  readonly signer: DigestSigner
  readonly trusted: TrustedKeys
}

const triesMore = 3

/**
 * A Key Vault key as the one that signs digests, and as the one that proves them. Needs the data actions `keys/read`
 * and, to sign, `keys/sign/action`. The client tries again by itself, three times: nobody waits for a timer.
 */
export function createAzureDigestKey(source: VaultKeySource, options: AzureVaultOptions): AzureDigestKey {
  const { audience, httpClient, challengeCheck } = options
  const credential =
    audience === undefined ? options.credential : restrictAudience(options.credential, audience)
  const clientOptions = {
    httpClient,
    disableChallengeResourceVerification: !challengeCheck || audience !== undefined,
    retryOptions: { maxRetries: triesMore, retryDelayInMs: 200 },
  }
  const client = new KeyClient(source.vault, credential, clientOptions)
  const asked = new Map<string, Promise<KeyVaultKey>>()
  const get = (version: string | undefined) => {
    const known = asked.get(version ?? "")
    if (known) return known
    const asking = client.getKey(source.name, version === undefined ? {} : { version })
    asked.set(version ?? "", asking)
    asking.catch(() => asked.delete(version ?? ""))
    return asking
  }
  const signing = async () => {
    // The newest version is asked for each time: a key is rotated while the worker runs.
    if (source.version === undefined) asked.delete("")
    try {
      const key = await get(source.version)
      return { kid: kidOf(source, key), alg: algorithmOf(source, key) }
    } catch (thrown) {
      throw toKeyError(thrown, source)
    }
  }
  return {
    signer: {
      describe: signing,
      sign: async (input, kid) => {
        try {
          const version = versionOf(kid)
          const key = await get(version)
          const alg = algorithmOf(source, key)
          const properties = { vaultUrl: source.vault, name: source.name, version }
          // Without its material: the client then signs in the vault and checks nothing beforehand.
          const crypto = new CryptographyClient(
            { id: kid, name: source.name, properties },
            credential,
            clientOptions,
          )
          const { result } = await crypto.sign(alg, createHash(hashOf(alg)).update(input).digest())
          return result
        } catch (thrown) {
          throw toKeyError(thrown, source)
        }
      },
    },
    trusted: {
      find: async (kid) => {
        // Never a URL that the store names: only versions of the key that a setting or a person named.
        if (!isVersionOf(kid, source)) return undefined
        try {
          return await importKey(source, await get(versionOf(kid)))
        } catch (thrown) {
          if (fromVaultError(thrown, {}).code === "ERR_VAULT_VERSION_ABSENT") return undefined
          throw toKeyError(thrown, source)
        }
      },
    },
  }
}

async function importKey(source: VaultKeySource, key: KeyVaultKey): Promise<TrustedKey> {
  const alg = algorithmOf(source, key)
  const member = (value: Uint8Array | undefined) => value && Buffer.from(value).toString("base64url")
  const { n, e, x, y, crv } = key.key ?? {}
  const kind =
    alg === "PS256"
      ? { kty: "RSA", n: member(n), e: member(e) }
      : { kty: "EC", crv, x: member(x), y: member(y) }
  const imported = await importJWK(kind as Parameters<typeof importJWK>[0], alg)
  if (imported instanceof Uint8Array) throw unusable(source, "is symmetric")
  return { alg, key: imported }
}

function algorithmOf(source: VaultKeySource, { keyType, key }: KeyVaultKey): DigestAlgorithm {
  const alg = digestAlgorithmOf(keyType ?? "", key?.crv)
  if (!alg) throw unusable(source, "is of a kind that signs no digests; use EC (P-256, P-384, P-521) or RSA")
  return alg
}

function kidOf(source: VaultKeySource, key: KeyVaultKey): string {
  return `${source.vault}/keys/${source.name}/${(key.properties.version ?? "").toLowerCase()}`
}

function versionOf(kid: string): string {
  return parseKeyUrl(kid)?.version ?? ""
}

function hashOf(alg: DigestAlgorithm): string {
  return `sha${alg.slice(2)}`
}

function toKeyError(thrown: unknown, source: VaultKeySource): ServiceError {
  const key = `${source.vault}/keys/${source.name}`
  const error = fromVaultError(thrown, { key })
  switch (error.code) {
    case "ERR_VAULT_VERSION_ABSENT":
      return unusable(source, "is not there", error)
    case "ERR_VAULT_VERSION_DISABLED":
      return unusable(source, "is disabled", error)
    case "ERR_VAULT_FORBIDDEN":
      return new ServiceError(error.code, "Key Vault refuses the key that signs digests", {
        details: { key },
        cause: error,
        hint: "Give the identity of audit the data actions keys/read and keys/sign/action on this key, and enable it.",
      })
    default:
      return error
  }
}

function unusable({ vault, name }: VaultKeySource, what: string, cause?: unknown): ServiceError {
  const details = { key: `${vault}/keys/${name}` }
  return new ServiceError("ERR_DIGEST_KEY", `The key that signs digests ${what}`, { details, cause })
}
