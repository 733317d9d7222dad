import type { BlobChange } from "./containerPolicy.ts"

/** Which blob a call to Azurite's store is about. */
export interface BlobKey {
  readonly container: string
  readonly name: string
}

/** How one method of Azurite's store changes a blob. */
export interface StoreMutation {
  /** `other`: neither content nor user metadata, so no policy refuses it. */
  readonly change: BlobChange | "other"
  /** Finds the blob in the arguments that follow the context. */
  readonly target: (args: readonly unknown[]) => BlobKey
}

interface ModelArgument {
  readonly containerName: string
  readonly name: string
  readonly blobName: string
}

const byModel = ([model]: readonly unknown[]): BlobKey => {
  const { containerName, name } = model as ModelArgument
  return { container: containerName, name }
}
const byBlock = ([block]: readonly unknown[]): BlobKey => {
  const { containerName, blobName } = block as ModelArgument
  return { container: containerName, name: blobName }
}
const byNames = ([, container, name]: readonly unknown[]): BlobKey => ({
  container: String(container),
  name: String(name),
})
const byDestination = ([, destination]: readonly unknown[]): BlobKey => {
  const { container, blob } = destination as { container: string; blob: string }
  return { container, name: blob }
}

/** Every method of Azurite's store that changes a blob. */
export const storeMutations: Readonly<Record<string, StoreMutation>> = {
  createBlob: { change: "replace", target: byModel },
  commitBlockList: { change: "replace", target: byModel },
  startCopyFromURL: { change: "replace", target: byDestination },
  copyFromURL: { change: "replace", target: byDestination },
  createSnapshot: { change: "modify", target: byNames },
  setBlobHTTPHeaders: { change: "modify", target: byNames },
  setBlobMetadata: { change: "modify", target: byNames },
  appendBlock: { change: "modify", target: byBlock },
  sealBlob: { change: "modify", target: byNames },
  uploadPages: { change: "modify", target: byModel },
  clearRange: { change: "modify", target: byModel },
  resizePageBlob: { change: "modify", target: byNames },
  updateSequenceNumber: { change: "modify", target: byNames },
  deleteBlob: { change: "delete", target: byNames },
  stageBlock: { change: "other", target: byBlock },
  setTier: { change: "other", target: byNames },
  setBlobTag: { change: "other", target: byNames },
  acquireBlobLease: { change: "other", target: byNames },
  releaseBlobLease: { change: "other", target: byNames },
  renewBlobLease: { change: "other", target: byNames },
  changeBlobLease: { change: "other", target: byNames },
  breakBlobLease: { change: "other", target: byNames },
}

/** Every method of Azurite's store that changes a container; its second argument is the name, or its first the model. */
export const containerMutations = [
  "createContainer",
  "deleteContainer",
  "setContainerMetadata",
  "acquireContainerLease",
  "releaseContainerLease",
  "renewContainerLease",
  "changeContainerLease",
  "breakContainerLease",
] as const
