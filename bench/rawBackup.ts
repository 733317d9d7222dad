import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from "node:crypto"
import { Agent } from "undici"
import { parseVersionUrl } from "../shared/change/objectVersion.ts"
import { sealedContentType } from "../shared/record/sealRecord.ts"
import { formatRecordName, sealNameOf } from "../shared/store/blobName.ts"
import type { BackUpOne, PipelineTargets } from "./pipelineTargets.ts"
import { plainRecord } from "./plainRecord.ts"

interface SecretAnswer {
  readonly value: string
  readonly contentType?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly attributes: {
    readonly created: number
    readonly updated: number
    readonly recoveryLevel: string
    readonly recoverableDays: number
  }
}

/**
 * The floor: one GET and one PUT over undici's keep-alive connections, sealed by node:crypto, no SDK, no ledger and
 * no check of anything but the two status codes.
 */
export function createRawBackup(targets: PipelineTargets): BackUpOne {
  const { accountUrl, container, vaultToken, blobToken, recipient, versionUrls } = targets
  const agent = new Agent({ connections: 128 })
  const key = createPublicKey({ key: { ...recipient }, format: "jwk" })
  const { origin: vaultOrigin } = new URL(targets.vaultUrl)
  const { origin: accountOrigin, pathname: accountPath } = new URL(accountUrl)
  const getHeaders = { accept: "application/json", authorization: `Bearer ${vaultToken}` }
  const putHeaders = {
    authorization: `Bearer ${blobToken}`,
    "content-type": sealedContentType,
    "if-none-match": "*",
    "x-ms-blob-type": "BlockBlob",
    "x-ms-version": "2025-11-05",
  }
  const jobs = versionUrls.map((url) => {
    const parsed = parseVersionUrl(url)
    if (!("object" in parsed)) throw new TypeError("The servers gave no version URL")
    const { object } = parsed
    const blob = formatRecordName(object)
    return {
      object,
      getPath: `/secrets/${object.name}/${object.version}?api-version=2025-07-01`,
      putPath: `${accountPath}/${container}/${blob}`,
      sealName: sealNameOf(blob),
    }
  })

  function seal(plaintext: Buffer, sealName: string): string {
    const contentKey = randomBytes(32)
    const iv = randomBytes(12)
    const header = Buffer.from(JSON.stringify({ enc: "A256GCM", kvb: sealName })).toString("base64url")
    const cipher = createCipheriv("aes-256-gcm", contentKey, iv).setAAD(Buffer.from(header, "ascii"))
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
    const wrapped = publicEncrypt(
      { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
      contentKey,
    )
    return JSON.stringify({
      ciphertext: ciphertext.toString("base64url"),
      iv: iv.toString("base64url"),
      recipients: [
        {
          encrypted_key: wrapped.toString("base64url"),
          header: { alg: "RSA-OAEP-256", kid: recipient.kid },
        },
      ],
      tag: cipher.getAuthTag().toString("base64url"),
      protected: header,
    })
  }

  return async (index) => {
    const job = jobs[index % jobs.length]
    if (!job) throw new RangeError("The vault has no secrets")
    const got = await agent.request({
      origin: vaultOrigin,
      path: job.getPath,
      method: "GET",
      headers: getHeaders,
    })
    const { value, contentType, tags = {}, attributes } = (await got.body.json()) as SecretAnswer
    if (got.statusCode !== 200) throw new Error(`The vault answered ${got.statusCode}`)
    const secret = { value, tags, ...attributes, ...(contentType === undefined ? {} : { contentType }) }
    const put = await agent.request({
      origin: accountOrigin,
      path: job.putPath,
      method: "PUT",
      headers: putHeaders,
      body: seal(plainRecord(job.object, secret), job.sealName),
    })
    await put.body.dump()
    if (put.statusCode !== 201) throw new Error(`The store answered ${put.statusCode}`)
  }
}
