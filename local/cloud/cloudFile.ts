import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"

/** What `.local/cloud.json` says of a running local cloud (format `kvbackup-local/1`, see `docs/local-cloud.md`). */
export interface CloudFile {
  readonly format: "kvbackup-local/1"
  readonly pid: number
  readonly caFile: string
  readonly control: { readonly url: string; readonly token: string }
  readonly vaults: readonly { readonly url: string; readonly name: string }[]
  readonly blob: {
    readonly url: string
    readonly container: string
    readonly stateContainer: string
    readonly deadLetterContainer: string
  }
  readonly serviceBus: {
    /** `host:port`, TLS. */
    readonly fullyQualifiedNamespace: string
    /** For clients that speak to the development emulator: plain TCP. */
    readonly connectionString: string
    readonly queue: string
    readonly quarantineQueue: string
  }
  readonly identities: Readonly<
    Record<
      string,
      {
        readonly clientId: string
        readonly tokens: { readonly vault: string; readonly blob: string; readonly serviceBus: string }
      }
    >
  >
  readonly identityEndpoint: { readonly url: string; readonly header: string }
  readonly arm: { readonly url: string }
  readonly functions: { readonly url: string; readonly key: string }
  /** For a browser; whoever has this address may see the page. */
  readonly latencyPage: { readonly url: string }
  /** Private JWK Set that opens records. */
  readonly recoveryKeyFile: string
  readonly digestKeyFile: string
}

/** Writes `cloud.json` into `directory`, whole or not at all, readable by its owner only. */
export async function writeCloudFile(directory: string, content: CloudFile): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, "cloud.json")
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 })
  await chmod(draft, 0o600)
  await rename(draft, file)
  return file
}

/** Removes `cloud.json`, so that nobody looks for a cloud that has ended. Safe to repeat. */
export async function removeCloudFile(directory: string): Promise<void> {
  await rm(join(directory, "cloud.json"), { force: true })
}
