import { openDigestKeys, storeNameOf, vaultOptionsOf } from "../shared/digest/azureDigestParts.ts"
import { openDigestCopy, saveDigestCopy, type DigestCopy } from "../shared/digest/digestCopy.ts"
import { parseDayRange } from "../shared/digest/digestDay.ts"
import { type DigestKeySource, parseDigestKeySources } from "../shared/digest/digestKeySource.ts"
import { judgeProof, type Proof } from "../shared/digest/proof.ts"
import { proveDigests } from "../shared/digest/proveDigests.ts"
import { systemClock } from "../shared/clock.ts"
import { ServiceError } from "../shared/errors.ts"
import { createAzureStoreCatalog } from "../shared/store/azureStoreCatalog.ts"
import type { StoreCatalog } from "../shared/store/storeCatalog.ts"
import { createAzureStoreReader } from "../shared/store/azureStoreReader.ts"
import {
  type CommandContext,
  type CommandStreams,
  type GlobalOptions,
  openContext,
} from "./commandContext.ts"
import { exitAttention, exitDone, exitUnknown } from "./exitCodes.ts"
import { createNewFile } from "./newFile.ts"
import { createProgressLine } from "./progressLine.ts"
import { formatProof } from "./proofReport.ts"

/** Options of `audit` that belong to a proof. */
export interface ProveOptions extends GlobalOptions {
  /** `2026-11-24`, `2026-11-01..2026-11-24` or `all`. */
  readonly prove?: string
  /** Keys that are trusted, in the place of BACKUP_DIGEST_KEY: files, or URLs of Key Vault keys. */
  readonly digestKey?: string
  /** A new folder for a copy of what the proof needs. */
  readonly saveCopy?: string
  /** Such a folder, in the place of the store. */
  readonly copy?: string
  readonly format?: string
  readonly out?: string
}

/** Is it a proof that the options ask for, and no report? */
export function isProofAskedFor({ prove, digestKey, saveCopy, copy }: ProveOptions): boolean {
  return [prove, digestKey, saveCopy, copy].some((option) => option !== undefined)
}

const exitCodes = { proved: exitDone, wrong: exitAttention, unknown: exitUnknown } as const

/** 31 when something could not be told or there was nothing to tell of, 30 when something is named, else 0. */
export function exitCodeOfProof(proof: Proof): number {
  return exitCodes[judgeProof(proof)]
}

/**
 * `kvbackup audit --prove`: are the entries of each closed day what its digest vouches for, and are the digests whole?
 * Reads the listing of the store and the digests, or with `copy` a folder, and writes nothing to the store.
 *
 * @returns 0 all proved, 30 something is named, 31 something could not be told.
 * @throws ServiceError ERR_CONFIG_INVALID, ERR_DIGEST_KEY.
 */
export async function runAuditProve(options: ProveOptions, streams: CommandStreams): Promise<number> {
  const { prove, json, format, out } = checkOptions(options)
  const range = parseDayRange(prove)
  const copied = options.copy === undefined ? undefined : openDigestCopy(options.copy)
  const context = copied
    ? openContext("audit", [], options, streams)
    : openContext("audit", ["BACKUP_STORE_URL"], options, streams)
  const file = out === undefined ? undefined : createNewFile(out)
  try {
    const sources = sourcesOf(options, context.settings.BACKUP_DIGEST_KEY)
    const { keys } = await openDigestKeys(sources, vaultOptionsOf(context))
    let from = copied ?? openStore(context)
    if (options.saveCopy !== undefined) {
      const { entries, digests } = await saveDigestCopy(options.saveCopy, from)
      streams.err(`${options.saveCopy} holds ${entries} entries and ${digests} files of digests\n`)
      // What was copied is what is proved.
      from = openDigestCopy(options.saveCopy)
    }
    const clock = { ...systemClock, now: () => from.madeAt }
    const line = createProgressLine(streams, systemClock)
    const catalog = countEntries(from.catalog, (count) => line.count("entries", count))
    const proof = await proveDigests({ ...from, catalog, keys, clock }, range)
    line.clear()
    const exitCode = exitCodeOfProof(proof)
    const text =
      json || format === "json"
        ? `${JSON.stringify({ format: "kvbackup-audit/1", exitCode, proof })}\n`
        : formatProof(proof)
    ;(file?.write ?? streams.out)(text)
    file?.close()
    if (file) streams.out(`The proof is in ${out}\n`)
    return exitCode
  } catch (error) {
    file?.discard()
    throw error
  } finally {
    await context.httpClient.close()
  }
}

/** The same listing, which tells how far it has come. */
function countEntries(catalog: StoreCatalog, onCount: (count: number) => void): StoreCatalog {
  let count = 0
  return {
    async *list(prefix, options) {
      for await (const blob of catalog.list(prefix, options)) {
        onCount((count += 1))
        yield blob
      }
    },
  }
}

function checkOptions(options: ProveOptions): ProveOptions & { readonly prove: string } {
  const { prove, format, copy, saveCopy } = options
  if (prove === undefined) throw wrong("--digest-key, --copy and --save-copy go with --prove")
  if (format !== undefined && format !== "json" && format !== "table") {
    throw wrong("A proof is written as table or json")
  }
  const others = Object.keys(options).filter((name) => /^(since|until|objective|vault)$/.test(name))
  if (others.length > 0)
    throw wrong(`--prove names its days itself and is of all vaults; leave --${others[0]} out`)
  if (copy !== undefined && saveCopy !== undefined) throw wrong("--copy and --save-copy exclude each other")
  return { ...options, prove }
}

function sourcesOf(
  { digestKey }: ProveOptions,
  setting: readonly DigestKeySource[] | undefined,
): readonly DigestKeySource[] {
  if (digestKey === undefined) {
    if (setting) return setting
    throw wrong("BACKUP_DIGEST_KEY is not set; name the key that signed with --digest-key")
  }
  const sources = parseDigestKeySources(digestKey)
  if (sources) return sources
  throw wrong("--digest-key is a comma list of files and of Key Vault keys such as https://VAULT/keys/NAME")
}

function openStore({ settings, credential, httpClient }: CommandContext<never>): DigestCopy {
  const { BACKUP_STORE_URL: url, BACKUP_STORE_CONTAINER: container } = settings
  if (url === undefined) throw wrong("BACKUP_STORE_URL is not set")
  const store = { url, container, credential, httpClient }
  return {
    storeName: storeNameOf({ ...settings, BACKUP_STORE_URL: url }),
    madeAt: systemClock.now(),
    catalog: createAzureStoreCatalog(store),
    reader: createAzureStoreReader(store),
  }
}

function wrong(message: string): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", message)
}
