import type { TokenCredential } from "@azure/core-auth"
import { readFileSync } from "node:fs"
import { type CredentialKind, createCredential } from "../shared/azureCredential.ts"
import { createAzureHttpClient } from "../shared/azureHttpClient.ts"
import { loadSettings, type SettingName, type SettingsWith } from "../shared/config.ts"
import { ServiceError } from "../shared/errors.ts"
import { readLocalCloud } from "./localCloud.ts"

/** The identities a command can run as. */
export type CommandJob = "audit" | "reconcile" | "replay" | "verify" | "restore"

/** Options that every command has. */
export interface GlobalOptions {
  readonly local?: boolean
  readonly json?: boolean
  readonly credential?: CredentialKind
}

/** Where a command's words go, and where it runs. */
export interface CommandStreams {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Is `err` a terminal, on which progress is shown? */
  readonly isTerminal?: boolean
  /** What is piped in, or typed. */
  readonly stdin?: AsyncIterable<Uint8Array>
  readonly isInputTerminal?: boolean
}

/** Settings, credential and HTTP client of one command. `close` ends its connections. */
export interface CommandContext<Required extends SettingName> {
  readonly settings: SettingsWith<Required>
  readonly credential: TokenCredential
  readonly httpClient: ReturnType<typeof createAzureHttpClient>
  /** Private keys of the local cloud, with `--local`. */
  readonly recoveryKeyFile?: string
}

const credentialOf: Readonly<Record<CommandJob, CredentialKind>> = {
  audit: "managedIdentity",
  reconcile: "managedIdentity",
  replay: "managedIdentity",
  verify: "azureCli",
  restore: "azureCli",
}

const clientIdOf = {
  audit: "BACKUP_AUDIT_CLIENT_ID",
  reconcile: "BACKUP_RECONCILE_CLIENT_ID",
  replay: "BACKUP_REPLAY_CLIENT_ID",
  verify: "BACKUP_VERIFY_CLIENT_ID",
  restore: "BACKUP_RESTORE_CLIENT_ID",
} as const

/**
 * Settings from the environment, or with `--local` from the running local cloud, and a credential for `job`.
 *
 * @throws ServiceError ERR_CONFIG_INVALID.
 */
export function openContext<Required extends SettingName>(
  job: CommandJob,
  required: readonly Required[],
  options: GlobalOptions,
  streams: CommandStreams,
): CommandContext<Required> {
  const local = options.local ? readLocalCloud(streams.cwd) : undefined
  const settings = loadSettings(local?.env ?? streams.env, required)
  const kind = local
    ? "managedIdentity"
    : (options.credential ?? settings.BACKUP_CREDENTIAL ?? credentialOf[job])
  return {
    settings,
    credential: openCredential(kind, settings[clientIdOf[job]]),
    httpClient: createAzureHttpClient(),
    ...(local ? { recoveryKeyFile: local.recoveryKeyFile } : {}),
  }
}

/** @throws ServiceError ERR_IDENTITY_UNAVAILABLE when such a credential cannot even be made here. */
function openCredential(kind: CredentialKind, clientId: string | undefined): TokenCredential {
  try {
    return createCredential(kind, clientId)
  } catch (cause) {
    throw new ServiceError("ERR_IDENTITY_UNAVAILABLE", `There is no ${kind} credential here`, {
      cause,
      hint: "Choose another --credential, or set what this one needs: the Azure CLI a login, workload identity its AZURE_… variables.",
    })
  }
}

/**
 * Reads a JSON file that a person named.
 *
 * @throws ServiceError ERR_CONFIG_INVALID that names the file and quotes nothing of it.
 */
export function readJsonFile(path: string, what: string): unknown {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (cause) {
    throw new ServiceError("ERR_CONFIG_INVALID", `Cannot read the ${what} ${path}`, { cause })
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new ServiceError("ERR_CONFIG_INVALID", `The ${what} ${path} is not JSON`)
  }
}
