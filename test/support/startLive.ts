import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import tls from "node:tls"
import { fileURLToPath } from "node:url"
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob"
import { vi } from "vitest"
import type { CloudFile } from "../../local/cloud/cloudFile.ts"
import { type NodeProcess, startNode } from "./startNode.ts"

/** A local cloud that another process runs, with what its `cloud.json` lets anyone do who can read it. */
export interface LiveCloud {
  readonly node: NodeProcess
  readonly file: CloudFile
  /** Container of the backups, as the person at the keyboard. */
  readonly store: ContainerClient
}

const start = fileURLToPath(new URL("../../local/start.ts", import.meta.url))

/**
 * Runs `npm start -- ...argv` in `directory`, its output piped, and waits until the cloud says that it is up. A
 * `cloud.json` that a killed one left there does not count.
 */
export async function startLive(directory: string, ...argv: string[]): Promise<LiveCloud> {
  const node = startNode([start, ...argv], { cwd: directory })
  const cloudFile = join(directory, ".local", "cloud.json")
  await vi.waitFor(
    () => {
      const isUp = existsSync(cloudFile) && read(cloudFile).pid === node.pid
      if (!isUp) throw new Error(`The cloud is not up: ${node.stdout()}${node.stderr()}`)
    },
    { timeout: 20_000, interval: 20 },
  )
  const file = read(cloudFile)
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(file.caFile, "utf8")])
  const token = file.identities["user"]?.tokens.blob ?? ""
  const service = new BlobServiceClient(file.blob.url, {
    getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }),
  })
  return { node, file, store: service.getContainerClient(file.blob.container) }
}

function read(cloudFile: string): CloudFile {
  return JSON.parse(readFileSync(cloudFile, "utf8")) as CloudFile
}
