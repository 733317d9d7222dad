import { AsyncLocalStorage } from "node:async_hooks"
import type { AzuriteAccount, BlobDocument, StoreContext } from "./azurite.ts"
import {
  containerDeleteRefusal,
  type ContainerPolicy,
  immutabilityRefusal,
  noPolicy,
} from "./containerPolicy.ts"
import { createKeyedLock } from "./keyedLock.ts"
import { type StorageErrorCode, storageErrors } from "./storageErrors.ts"
import { type BlobKey, containerMutations, storeMutations } from "./storeMutations.ts"

/** What the caller of the request at hand may do beyond what was checked before it reached the store. */
interface RequestRights {
  /** False for a caller that holds `blobs/add/action` but not `blobs/write`: it may only create. */
  readonly mayOverwrite: boolean
}

export interface ImmutabilityGate {
  policy(container: string): ContainerPolicy
  setPolicy(container: string, policy: ContainerPolicy): void
  /** Runs `work` with these rights; a request that reaches the store outside of it may not overwrite. */
  withRights(rights: RequestRights, work: () => void): void
  /** Runs `work` while nothing else changes that blob. */
  exclusively<T>(key: BlobKey, work: () => Promise<T>): Promise<T>
}

export interface ImmutabilityGateOptions {
  readonly now: () => Date
  /** Called, and waited for, after each change of a blob and before the change is acknowledged. */
  readonly onBlobChange: (key: BlobKey) => Promise<void>
  /** The same for a container. */
  readonly onContainerChange: (container: string) => Promise<void>
}

/**
 * Puts container-level immutability in front of every write of Azurite's store, where check and write are one
 * step: writes to one blob run one after another.
 *
 * With `If-None-Match: *` a taken name answers BlobAlreadyExists, also where a policy would refuse; which of
 * the two a real account prefers is not documented. Without it a caller that may only create gets
 * UnauthorizedBlobOverwrite before the policy is looked at.
 */
export function installImmutabilityGate(
  azurite: AzuriteAccount,
  options: ImmutabilityGateOptions,
): ImmutabilityGate {
  const policies = new Map<string, ContainerPolicy>()
  const lock = createKeyedLock()
  const requestRights = new AsyncLocalStorage<RequestRights>()
  const policy = (container: string) => policies.get(container) ?? noPolicy
  const exclusively = <T>({ container, name }: BlobKey, work: () => Promise<T>) =>
    lock.run(`${container}/${name}`, work)

  for (const [method, { change, target }] of Object.entries(storeMutations)) {
    azurite.wrapStoreMethod(method, (original) => (context, ...args) => {
      const key = target(args)
      return exclusively(key, async () => {
        const existing = committedBlob(azurite, key)
        if (existing && change !== "other") {
          if (change === "replace") refuseReplacement(context)
          const createdAt = new Date(existing.properties.creationTime)
          const code = immutabilityRefusal(policy(key.container), change, createdAt, options.now())
          if (code) refuse(context, code)
        }
        const result = await original(context, ...args)
        await options.onBlobChange(key)
        return result
      })
    })
  }

  for (const method of containerMutations) {
    azurite.wrapStoreMethod(method, (original) => async (context, ...args) => {
      const container = method === "createContainer" ? (args[0] as { name: string }).name : String(args[1])
      if (method === "deleteContainer") {
        const isEmpty = azurite.blobs.findOne({ containerName: container }) === null
        const code = containerDeleteRefusal(policy(container), isEmpty)
        if (code) refuse(context, code)
      }
      const result = await original(context, ...args)
      if (method === "deleteContainer") policies.delete(container)
      await options.onContainerChange(container)
      return result
    })
  }

  azurite.wrapStoreMethod("getContainerProperties", (original) => async (context, ...args) => {
    const result = (await original(context, ...args)) as { properties: Record<string, unknown> }
    context.response?.setHeader("x-ms-immutable-storage-with-versioning-enabled", "false")
    return { ...result, properties: withFlags(result.properties, policy(String(args[1]))) }
  })
  azurite.wrapStoreMethod("listContainers", (original) => async (context, ...args) => {
    const [documents, marker] = (await original(context, ...args)) as [
      { name: string; properties: Record<string, unknown> }[],
      unknown,
    ]
    return [
      documents.map((each) => ({ ...each, properties: withFlags(each.properties, policy(each.name)) })),
      marker,
    ]
  })

  function refuse(context: StoreContext, code: StorageErrorCode): never {
    const { status, message } = storageErrors[code]
    throw azurite.storeError(status, code, message, context.contextId)
  }

  function refuseReplacement(context: StoreContext): void {
    if (context.request?.getHeader("if-none-match") === "*") refuse(context, "BlobAlreadyExists")
    if (!requestRights.getStore()?.mayOverwrite) refuse(context, "UnauthorizedBlobOverwrite")
  }

  return {
    policy,
    setPolicy: (container, next) => {
      policies.set(container, next)
    },
    withRights: (rights, work) => requestRights.run(rights, work),
    exclusively,
  }
}

/** The blob itself, not a snapshot and not one that has only uncommitted blocks. */
function committedBlob(
  { account, blobs }: AzuriteAccount,
  { container, name }: BlobKey,
): BlobDocument | null {
  const query = { name, accountName: account, containerName: container, snapshot: "" }
  const document = blobs.findOne(query)
  return document?.isCommitted ? document : null
}

function withFlags(properties: Record<string, unknown>, { state, legalHold = false }: ContainerPolicy) {
  return { ...properties, hasImmutabilityPolicy: state !== "none", hasLegalHold: legalHold }
}
