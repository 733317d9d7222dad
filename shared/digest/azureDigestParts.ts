import type { TokenCredential } from "@azure/core-auth"
import type { HttpClient } from "@azure/core-rest-pipeline"
import type { Clock } from "../clock.ts"
import type { Settings, SettingsWith } from "../config.ts"
import { ServiceError } from "../errors.ts"
import { createAzureBackupStore } from "../store/azureBackupStore.ts"
import { createAzureStoreCatalog } from "../store/azureStoreCatalog.ts"
import { createAzureStoreReader } from "../store/azureStoreReader.ts"
import type { AzureVaultOptions } from "../vault/azureVaultClients.ts"
import { createAzureDigestKey } from "./azureDigestKey.ts"
import { type DigestSigner, joinTrustedKeys, type TrustedKeys } from "./digestKey.ts"
import type { DigestKeySource } from "./digestKeySource.ts"
import { openDigestKeyFile } from "./localDigestKey.ts"
import type { DigestParts } from "./writeDigests.ts"

export interface AzureDigestOptions {
  readonly settings: SettingsWith<"BACKUP_STORE_URL">
  /** Of the identity of audit. */
  readonly credential: TokenCredential
  readonly httpClient: HttpClient
  readonly clock: Clock
}

/**
 * Everything that digests are written with, on Azure.
 *
 * @throws ServiceError ERR_DIGEST_KEY when BACKUP_DIGEST_KEY is not set or names a file that is no key.
 */
export async function openAzureDigests(options: AzureDigestOptions): Promise<DigestParts> {
  const { settings, clock } = options
  const store = storeOf(options)
  const sources = settings.BACKUP_DIGEST_KEY ?? []
  const [first] = sources
  if (!first) throw new ServiceError("ERR_DIGEST_KEY", "BACKUP_DIGEST_KEY is not set")
  const keys = await openDigestKeys(sources, vaultOptionsOf(options))
  return {
    storeName: storeNameOf(settings),
    catalog: createAzureStoreCatalog(store),
    reader: createAzureStoreReader(store),
    store: createAzureBackupStore(store),
    ...keys,
    clock,
  }
}

/** The keys of some sources: the first signs, all are trusted. Throws as `openDigestKeyFile` does. */
export async function openDigestKeys(
  sources: readonly DigestKeySource[],
  vaultOptions: AzureVaultOptions,
): Promise<{ readonly signer: DigestSigner; readonly keys: TrustedKeys }> {
  const opened = await Promise.all(
    sources.map((source) =>
      source.kind === "file" ? openDigestKeyFile(source.path) : createAzureDigestKey(source, vaultOptions),
    ),
  )
  const [first] = opened
  if (!first) throw new ServiceError("ERR_DIGEST_KEY", "No key is named")
  return { signer: first.signer, keys: joinTrustedKeys(opened.map(({ trusted }) => trusted)) }
}

/** How a key's vault is reached. */
export function vaultOptionsOf({
  settings,
  credential,
  httpClient,
}: Pick<AzureDigestOptions, "credential" | "httpClient"> & {
  readonly settings: Settings
}): AzureVaultOptions {
  return {
    credential,
    httpClient,
    challengeCheck: settings.BACKUP_VAULT_CHALLENGE_CHECK === "on",
    ...(settings.BACKUP_VAULT_AUDIENCE === undefined ? {} : { audience: settings.BACKUP_VAULT_AUDIENCE }),
  }
}

/** The name of the store as digests have it. */
export function storeNameOf(settings: SettingsWith<"BACKUP_STORE_URL">): string {
  return `${settings.BACKUP_STORE_URL}/${settings.BACKUP_STORE_CONTAINER}`
}

function storeOf({ settings, credential, httpClient }: AzureDigestOptions) {
  return {
    url: settings.BACKUP_STORE_URL,
    container: settings.BACKUP_STORE_CONTAINER,
    credential,
    httpClient,
  }
}
