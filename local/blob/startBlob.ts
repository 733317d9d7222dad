import { createServer } from "node:https"
import type { AccessControl } from "../access/accessControl.ts"
import type { TokenAuthority } from "../access/tokenAuthority.ts"
import type { FaultBook } from "../faults/faultBook.ts"
import { listen } from "../tls/listen.ts"
import { createAzuriteAccount } from "./azurite.ts"
import { type BlobBackdoor, createBackdoor } from "./backdoor.ts"
import { type AcknowledgedPut, createBlobGate } from "./blobGate.ts"
import { type BlobKeeper, noKeeper, openBlobKeeper } from "./blobKeeper.ts"
import { assertContainerPolicy, type ContainerPolicy, noPolicy } from "./containerPolicy.ts"
import { installImmutabilityGate } from "./immutabilityGate.ts"
import { sendStorageError } from "./storageErrors.ts"

export interface BlobOptions {
  readonly authority: TokenAuthority
  readonly access: AccessControl
  readonly faults: FaultBook
  /** Certificate and key, PEM. */
  readonly tls: { readonly cert: string; readonly key: string }
  /** Absent or 0: any free port. */
  readonly port?: number
  readonly log?: (line: string) => void
  /** The account's name, the first segment of every path; `devstoreaccount1` if absent. */
  readonly account?: string
  /** Made if they are not there, with their policy; one that was kept has the policy it was kept with. */
  readonly containers: readonly { readonly name: string; readonly policy?: ContainerPolicy }[]
  /** Whose firewall stands in front of this account; `blob` if absent. */
  readonly firewallTarget?: "blob" | "deadletter"
  /** Keeps everything in this folder across restarts, kill -9 included; absent: in memory only. */
  readonly directory?: string
  /** The clock that retention is measured with; blobs are created at the system's time. */
  readonly now?: () => Date
}

export interface RunningBlob {
  /** `https://127.0.0.1:PORT/ACCOUNT`, what a BlobServiceClient takes. */
  readonly url: string
  readonly account: string
  readonly port: number
  policy(container: string): ContainerPolicy
  /**
   * Sets the policy of a container, from the next request on. Unlike a management plane it also takes a lock
   * back: it belongs to whoever runs the local cloud.
   *
   * @throws TypeError for a time-based policy without a valid number of days.
   */
  setPolicy(container: string, policy: ContainerPolicy): Promise<void>
  /** Calls `listener` after each acknowledged PUT of a blob. @returns what stops the calls. */
  onPut(listener: (put: AcknowledgedPut) => void): () => void
  readonly backdoor: BlobBackdoor
  /** How many blobs each container holds. */
  counts(): Readonly<Record<string, number>>
  /** Closes every connection. Safe to call again. */
  stop(): Promise<void>
}

// Longer than the pause between two calls of an idle client, or it meets a socket that is just being closed.
const keepAliveMs = 120_000

/**
 * Starts a storage account on 127.0.0.1 over TLS: Azurite in this process, in memory, behind a gate that
 * checks tokens, firewall, roles and container-level immutability, and plays planned faults. Azurite itself
 * listens nowhere.
 */
export async function startBlob(options: BlobOptions): Promise<RunningBlob> {
  const { account = "devstoreaccount1", firewallTarget = "blob", now = () => new Date() } = options
  const azurite = await createAzuriteAccount(account)
  let keeper: BlobKeeper = noKeeper
  const immutability = installImmutabilityGate(azurite, {
    now,
    onBlobChange: (key) => keeper.blobChanged(key),
    onContainerChange: (container) => keeper.containerChanged(container),
  })
  const { policy, setPolicy } = immutability
  if (options.directory !== undefined) {
    keeper = await openBlobKeeper({ directory: options.directory, azurite, policy, setPolicy })
  }
  for (const { name, policy: initial = noPolicy } of options.containers) {
    assertContainerPolicy(initial)
    if (azurite.createContainer(name)) setPolicy(name, initial)
    await keeper.containerChanged(name)
  }

  const listeners = new Set<(put: AcknowledgedPut) => void>()
  const handle = createBlobGate({
    azurite,
    immutability,
    authority: options.authority,
    access: options.access,
    faults: options.faults,
    firewallTarget,
    onPut: (put) => {
      for (const listener of listeners) listener(put)
    },
  })
  const server = createServer(options.tls, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      options.log?.(
        `blob: ${request.method} failed: ${error instanceof Error ? error.message : typeof error}`,
      )
      if (response.headersSent) response.destroy()
      else sendStorageError(request, response, { code: "InternalError" })
    })
  })
  server.keepAliveTimeout = keepAliveMs
  const { port, stop } = await listen(server, options.port)
  let stopping: Promise<void> | undefined

  return {
    url: `https://127.0.0.1:${port}/${account}`,
    account,
    port,
    policy,
    setPolicy: async (container, next) => {
      assertContainerPolicy(next)
      setPolicy(container, next)
      await keeper.containerChanged(container)
    },
    onPut: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    backdoor: createBackdoor(azurite, immutability, keeper.blobChanged),
    counts: () => {
      const entries = azurite.containers
        .find({ accountName: account })
        .map(
          ({ name }) =>
            [
              name,
              azurite.blobs.find({ containerName: name, snapshot: "", isCommitted: true }).length,
            ] as const,
        )
      return Object.fromEntries(entries)
    },
    stop: () => {
      stopping ??= stop()
        .then(() => keeper.close())
        .then(() => azurite.close())
      return stopping
    },
  }
}
