import { systemClock } from "../shared/clock.ts"
import { ServiceError } from "../shared/errors.ts"
import { type Finding, type VerifiedVersion, verifyVault } from "../shared/restore/verifyVault.ts"
import { createAzureStoreCatalog } from "../shared/store/azureStoreCatalog.ts"
import { createAzureStoreReader } from "../shared/store/azureStoreReader.ts"
import { createAzureVaultCatalog } from "../shared/vault/azureVaultCatalog.ts"
import { createAzureVaultReader } from "../shared/vault/azureVaultReader.ts"
import { type CommandStreams, type GlobalOptions, openContext } from "./commandContext.ts"
import { exitAttention, exitDone, exitUnknown } from "./exitCodes.ts"
import { parseObjectUrl } from "./objectUrl.ts"
import { type OpeningKeyOptions, readOpeningKeys } from "./openingKeys.ts"

export interface VerifyOptions extends GlobalOptions, OpeningKeyOptions {
  readonly deep?: boolean
  /** Object or version URL. */
  readonly object?: string
}

const graceMs = 60_000
const concurrency = 8

/**
 * `kvbackup verify`: does every version of every vault have a record; with `deep`, does each open to the vault's value?
 *
 * @returns 0; 30 when something is missing, differs or is not protected; 31 when it could not be told.
 * @throws ServiceError when a listing fails; the caller turns that into exit code 31.
 */
export async function runVerify(options: VerifyOptions, streams: CommandStreams): Promise<number> {
  const { settings, credential, httpClient, recoveryKeyFile } = openContext(
    "verify",
    ["BACKUP_VAULTS", "BACKUP_STORE_URL"],
    options,
    streams,
  )
  try {
    const vaultOptions = {
      credential,
      httpClient,
      challengeCheck: settings.BACKUP_VAULT_CHALLENGE_CHECK === "on",
      ...(settings.BACKUP_VAULT_AUDIENCE === undefined ? {} : { audience: settings.BACKUP_VAULT_AUDIENCE }),
    }
    const storeOptions = {
      url: settings.BACKUP_STORE_URL,
      container: settings.BACKUP_STORE_CONTAINER,
      credential,
      httpClient,
    }
    const selected = options.object === undefined ? undefined : parseObjectUrl(options.object)
    const vaults = settings.BACKUP_VAULTS.filter(
      (vault) => selected === undefined || selected.vault === vault,
    )
    if (vaults.length === 0) {
      throw new ServiceError("ERR_CONFIG_INVALID", "The vault of --object is not in BACKUP_VAULTS", {
        hint: "Add the vault to BACKUP_VAULTS, or name an object of a vault that is there.",
      })
    }
    const keys = options.deep
      ? await readOpeningKeys(options, { recoveryKeyFile, settings, vaultOptions })
      : undefined
    const versions: VerifiedVersion[] = []
    for (const vault of vaults) {
      versions.push(
        ...(await verifyVault({
          vault,
          vaultCatalog: createAzureVaultCatalog(vaultOptions),
          storeCatalog: createAzureStoreCatalog(storeOptions),
          clock: systemClock,
          graceMs,
          exclude: settings.BACKUP_EXCLUDE,
          ...(selected ? { only: selected } : {}),
          ...(keys
            ? {
                deep: {
                  vaultReader: createAzureVaultReader(vaultOptions),
                  storeReader: createAzureStoreReader(storeOptions),
                  keys,
                  concurrency,
                },
              }
            : {}),
        })),
      )
    }
    const code = exitCodeOf(versions)
    streams.out(
      options.json
        ? `${JSON.stringify({ format: "kvbackup-verify/1", exitCode: code, deep: keys !== undefined, versions })}\n`
        : formatVerification(versions, keys !== undefined),
    )
    return code
  } finally {
    await httpClient.close()
  }
}

const attention: ReadonlySet<Finding> = new Set(["gap", "missing", "differs", "broken", "publicOnly"])
/** Findings that are counted and not listed. */
const quiet: ReadonlySet<Finding> = new Set(["protected", "onlyInStore", "excluded"])
const untold: ReadonlySet<Finding> = new Set(["unknown", "inFlight"])

/** 31 when something could not be told, 30 when something needs attention, else 0. */
export function exitCodeOf(versions: readonly VerifiedVersion[]): number {
  // A vault that lists nothing and a store that holds nothing prove nothing.
  if (versions.length === 0 || versions.some(({ finding }) => untold.has(finding))) return exitUnknown
  return versions.some(({ finding }) => attention.has(finding)) ? exitAttention : exitDone
}

const wording: Readonly<Record<Finding, string>> = {
  protected: "protected",
  onlyInStore: "only in the store: the vault lists it no more",
  gap: "NOT PROTECTED",
  missing: "MISSING: no record and no gap record",
  differs: "DIFFERS: the record opens, its value is another",
  broken: "BROKEN: the record does not open",
  inFlight: "in flight: too young to be missed, run again",
  excluded: "not backed up: excluded by BACKUP_EXCLUDE",
  publicOnly: "PUBLIC PART ONLY: the certificate's policy keeps its private key in the vault",
  unknown: "could not be told",
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`
}

/** The findings for people: what needs attention a line each, then the counts. */
export function formatVerification(versions: readonly VerifiedVersion[], deep: boolean): string {
  const lines: string[] = []
  for (const { id, finding, reason, code } of versions) {
    if (quiet.has(finding)) continue
    const why = [reason, code].filter((part) => part !== undefined).join(", ")
    lines.push(`${wording[finding]}${why === "" ? "" : ` (${why})`}\n  ${id}`)
  }
  const count = (finding: Finding) => versions.filter((version) => version.finding === finding).length
  const protectedCount = count("protected")
  const compared = protectedCount + count("publicOnly") + count("differs")
  lines.push(
    `${counted(versions.length, "version")} looked at${deep ? `, ${counted(compared, "record")} opened and compared with the vault` : ""}: ${protectedCount} protected` +
      `${count("onlyInStore") > 0 ? `, ${count("onlyInStore")} only in the store` : ""}` +
      `${count("publicOnly") > 0 ? `, ${count("publicOnly")} with their public part only` : ""}` +
      `${count("excluded") > 0 ? `, ${count("excluded")} excluded by BACKUP_EXCLUDE` : ""}` +
      `, ${versions.filter(({ finding }) => attention.has(finding)).length} need attention` +
      `, ${versions.filter(({ finding }) => untold.has(finding)).length} could not be told`,
  )
  const incomplete = versions.filter(({ chain }) => chain === "incomplete").length
  if (incomplete > 0)
    lines.push(
      `Without a whole chain up to a root: ${incomplete}. Their records hold all that the vault holds of it.`,
    )
  if (versions.length === 0) lines.push("Nothing was listed, so nothing is proved.")
  return `${lines.join("\n")}\n`
}
