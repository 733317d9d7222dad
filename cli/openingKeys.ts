import type { JWK } from "jose"
import { z } from "zod"
import type { Settings } from "../shared/config.ts"
import { ServiceError } from "../shared/errors.ts"
import { createAzureKeyUnwrapper, isKeyUrl } from "../shared/record/azureKeyUnwrapper.ts"
import { importOpeningKeys, type OpeningKey } from "../shared/record/unsealRecord.ts"
import type { AzureVaultOptions } from "../shared/vault/azureVaultClients.ts"
import { readJsonFile } from "./commandContext.ts"

/** How a command line names the keys that open records. */
export interface OpeningKeyOptions {
  /** File with a private JWK Set. */
  readonly keyFile?: string
  /** Full URLs of keys in Key Vault, with version. */
  readonly unwrapKey?: readonly string[]
}

/** What else names keys, and how vaults are reached. */
export interface OpeningKeySources {
  /** Private keys of the local cloud, where it is used. */
  readonly recoveryKeyFile?: string | undefined
  readonly settings: Pick<Settings, "BACKUP_RECIPIENTS">
  readonly vaultOptions: AzureVaultOptions
}

/**
 * The keys that may open records: those of the key file first, then those in Key Vault that the command line or
 * BACKUP_RECIPIENTS names. A record's own recipients name none: they may come from anybody.
 *
 * @throws ServiceError ERR_CONFIG_INVALID when a key cannot be read, and when there is none.
 */
export async function readOpeningKeys(
  { keyFile, unwrapKey = [] }: OpeningKeyOptions,
  { recoveryKeyFile, settings, vaultOptions }: OpeningKeySources,
): Promise<OpeningKey[]> {
  const file = keyFile ?? recoveryKeyFile
  const recipients = settings.BACKUP_RECIPIENTS
  const ofSettings = recipients ? [...recipients.byVault.values(), recipients.default].flat() : []
  const urls = new Set([...unwrapKey, ...ofSettings.map(({ kid }) => kid).filter(isKeyUrl)])
  const keys = [
    ...(file === undefined ? [] : await importOpeningKeys(readKeyFile(file))),
    ...[...urls].map((url) => createAzureKeyUnwrapper(url, vaultOptions)),
  ]
  if (keys.length > 0) return keys
  throw new ServiceError("ERR_CONFIG_INVALID", "Records are opened with a private key, and none is named", {
    hint: "Use --key-file FILE for a private JWK Set, or --unwrap-key https://VAULT/keys/NAME/VERSION for a key in Key Vault.",
  })
}

function readKeyFile(file: string): { readonly keys: readonly JWK[] } {
  const set = z.object({ keys: z.array(z.looseObject({})).min(1) }).safeParse(readJsonFile(file, "key file"))
  if (set.success) return { keys: set.data.keys as JWK[] }
  throw new ServiceError("ERR_CONFIG_INVALID", `The key file ${file} is no JWK Set with keys`)
}
