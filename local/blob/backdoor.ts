import { createHash } from "node:crypto"
import { buffer } from "node:stream/consumers"
import type { AzuriteAccount, BlobDocument } from "./azurite.ts"
import type { ImmutabilityGate } from "./immutabilityGate.ts"
import type { BlobKey } from "./storeMutations.ts"

/** What to change; what is absent stays. */
interface BlobAlteration {
  readonly body?: Uint8Array
  /** Replaces all metadata. */
  readonly metadata?: Readonly<Record<string, string>>
  /** The service's creation time, from which retention counts. */
  readonly createdAt?: Date
}

/** Reaches past policy and roles, as nothing in Azure can, so that tests can see tampering detected. */
export interface BlobBackdoor {
  /** @returns false when there is no such blob. */
  remove(key: BlobKey): Promise<boolean>
  /** ETag and last-modified time stay as they are. @returns false when there is no such blob. */
  alter(key: BlobKey, alteration: BlobAlteration): Promise<boolean>
  /** The bytes and metadata as stored; undefined when there is no such blob. */
  read(key: BlobKey): Promise<{ body: Buffer; metadata: Record<string, string> } | undefined>
  /** Names in a container that begin with `prefix`, sorted. */
  names(container: string, prefix?: string): readonly string[]
}

export function createBackdoor(
  azurite: AzuriteAccount,
  immutability: ImmutabilityGate,
  onBlobChange: (key: BlobKey) => Promise<void>,
): BlobBackdoor {
  const find = ({ container, name }: BlobKey) =>
    azurite.blobs.findOne({ name, accountName: azurite.account, containerName: container, snapshot: "" })
  const change = (key: BlobKey, work: (document: BlobDocument) => Promise<void>) =>
    immutability.exclusively(key, async () => {
      const document = find(key)
      if (!document) return false
      await work(document)
      await onBlobChange(key)
      return true
    })

  return {
    remove: (key) => change(key, async (document) => azurite.blobs.remove(document)),
    alter: (key, { body, metadata, createdAt }) =>
      change(key, async (document) => {
        if (body !== undefined) {
          document.persistency = await azurite.extents.appendExtent(Buffer.from(body))
          document.committedBlocksInOrder = undefined
          document.properties.contentLength = body.length
          document.properties.contentMD5 = createHash("md5").update(body).digest()
        }
        if (metadata !== undefined) document.metadata = { ...metadata }
        if (createdAt !== undefined) document.properties.creationTime = createdAt
        azurite.blobs.update(document)
      }),
    read: async (key) => {
      const document = find(key)
      if (!document) return undefined
      return { body: await readBody(azurite, document), metadata: { ...document.metadata } }
    },
    names: (container, prefix = "") =>
      azurite.blobs
        .find({ containerName: container })
        .filter(
          ({ name, snapshot, isCommitted }) => isCommitted && snapshot === "" && name.startsWith(prefix),
        )
        .map(({ name }) => name)
        .sort(),
  }
}

async function readBody({ extents }: AzuriteAccount, document: BlobDocument): Promise<Buffer> {
  const blocks = document.committedBlocksInOrder?.map(({ persistency }) => persistency) ?? []
  const chunks = document.persistency ? [document.persistency] : blocks
  return Buffer.concat(
    await Promise.all(chunks.map(async (chunk) => buffer(await extents.readExtent(chunk)))),
  )
}
