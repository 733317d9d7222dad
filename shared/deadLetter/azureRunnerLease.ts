import type { BlockBlobClient } from "@azure/storage-blob"
import { fromStoreError, isAlreadyThere } from "../azureErrors.ts"
import type { Clock } from "../clock.ts"
import { ServiceError } from "../errors.ts"
import { type AzureStoreOptions, createContainerClient } from "../store/azureContainerClient.ts"
import type { HeldLease, LeaseHolder, RunnerLease } from "./runnerLease.ts"

/** The one blob that a replay may write in the state container. */
export const leaseBlob = "replay.lease"

/** After a runner was killed, another one can begin so much later. */
const leaseSeconds = 30
const renewEveryMs = 10_000

/**
 * A lease on a blob in the state container, whose metadata names the holder. It cannot be in the container of backups,
 * where nothing can be changed. See RunnerLease for the promise.
 */
export function createAzureRunnerLease(options: AzureStoreOptions, clock: Clock): RunnerLease {
  const blob = createContainerClient(options).getBlockBlobClient(leaseBlob)
  const details = { container: options.container, blob: leaseBlob }
  return {
    acquire: async (holder) => {
      try {
        await createBlob(blob)
        return await take(blob, holder, clock)
      } catch (error) {
        throw fromStoreError(error, details)
      }
    },
  }
}

async function createBlob(blob: BlockBlobClient): Promise<void> {
  try {
    await blob.upload("", 0, { conditions: { ifNoneMatch: "*" } })
  } catch (error) {
    // A blob that another runner holds a lease on is there, too.
    if (!isAlreadyThere(error) && codeOf(error) !== "LeaseIdMissing") throw error
  }
}

async function take(
  blob: BlockBlobClient,
  { run, host, since }: LeaseHolder,
  clock: Clock,
): Promise<HeldLease> {
  const lease = blob.getBlobLeaseClient()
  try {
    await lease.acquireLease(leaseSeconds)
  } catch (error) {
    if (codeOf(error) !== "LeaseAlreadyPresent") throw error
    const { metadata = {} } = await blob.getProperties()
    throw new ServiceError("ERR_REPLAY_LEASE_HELD", "Another replay is running", {
      details: {
        run: metadata["run"] ?? "unknown",
        host: metadata["host"] ?? "unknown",
        since: metadata["since"] ?? "unknown",
      },
    })
  }
  await blob.setMetadata(
    { run, host: host.replaceAll(/[^\w.-]/g, "_"), since: since.toISOString() },
    { conditions: { leaseId: lease.leaseId } },
  )
  const ended = new AbortController()
  const lost = new AbortController()
  const keep = async () => {
    let renewedAtMs = clock.now().getTime()
    for (;;) {
      await clock.sleep(renewEveryMs, { signal: ended.signal })
      try {
        await lease.renewLease()
        renewedAtMs = clock.now().getTime()
      } catch (error) {
        if (clock.now().getTime() - renewedAtMs + renewEveryMs < leaseSeconds * 1000) continue
        lost.abort(
          new ServiceError("ERR_REPLAY_LEASE_HELD", "The lease could not be kept", {
            details: { blob: leaseBlob },
            cause: error,
          }),
        )
        return
      }
    }
  }
  const keeping = keep().catch(() => {})
  return {
    signal: lost.signal,
    release: async () => {
      ended.abort()
      await keeping
      await lease.releaseLease().catch(() => {})
    },
  }
}

function codeOf(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return undefined
  const details: unknown = Reflect.get(error, "details")
  const inner: unknown =
    typeof details === "object" && details !== null ? Reflect.get(details, "errorCode") : undefined
  return Reflect.get(error, "code") ?? inner
}
