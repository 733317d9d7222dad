import { SecretClient } from "@azure/keyvault-secrets"
import { BlobServiceClient } from "@azure/storage-blob"
import { parseVersionUrl } from "../shared/change/objectVersion.ts"
import { importRecipients } from "../shared/record/recipients.ts"
import { sealedContentType, sealRecord } from "../shared/record/sealRecord.ts"
import { formatRecordName, sealNameOf } from "../shared/store/blobName.ts"
import { fixedCredential } from "./fixedCredential.ts"
import type { BackUpOne, PipelineTargets } from "./pipelineTargets.ts"
import { plainRecord } from "./plainRecord.ts"

/**
 * What a script with the SDKs does: their clients with default options (the check that a vault's challenge fits its
 * host is off, since this vault is at 127.0.0.1), the product's seal, no ledger.
 */
export async function createSdkBackup(targets: PipelineTargets): Promise<BackUpOne> {
  const { vaultUrl, accountUrl, container, vaultToken, blobToken, recipient, versionUrls } = targets
  const secrets = new SecretClient(vaultUrl, fixedCredential(vaultToken), {
    disableChallengeResourceVerification: true,
  })
  const service = new BlobServiceClient(accountUrl, fixedCredential(blobToken))
  const blobs = service.getContainerClient(container)
  const recipients = await importRecipients([recipient])
  return async (index) => {
    const parsed = parseVersionUrl(versionUrls[index % versionUrls.length] ?? "")
    if (!("object" in parsed)) throw new TypeError("The servers gave no version URL")
    const { object } = parsed
    const { value = "", properties } = await secrets.getSecret(object.name, { version: object.version })
    const {
      contentType,
      tags = {},
      createdOn,
      updatedOn,
      recoveryLevel = "",
      recoverableDays = 0,
    } = properties
    const plaintext = plainRecord(object, {
      value,
      tags,
      recoveryLevel,
      recoverableDays,
      created: (createdOn?.getTime() ?? 0) / 1000,
      updated: (updatedOn?.getTime() ?? 0) / 1000,
      ...(contentType === undefined ? {} : { contentType }),
    })
    const blob = formatRecordName(object)
    const sealed = await sealRecord(plaintext, sealNameOf(blob), recipients)
    await blobs.getBlockBlobClient(blob).upload(sealed, sealed.length, {
      conditions: { ifNoneMatch: "*" },
      blobHTTPHeaders: { blobContentType: sealedContentType },
    })
  }
}
