import tls from "node:tls"
import type { TokenCredential } from "@azure/core-auth"
import { BlobServiceClient } from "@azure/storage-blob"
import { type AccessControl, createAccessControl } from "../../../local/access/accessControl.ts"
import type { Job } from "../../../local/access/job.ts"
import {
  type Audience,
  newTokenAuthorityState,
  openTokenAuthority,
  type TokenAuthority,
  type TokenAuthorityState,
} from "../../../local/access/tokenAuthority.ts"
import { type BlobOptions, type RunningBlob, startBlob } from "../../../local/blob/startBlob.ts"
import { createFaultBook, type FaultBook } from "../../../local/faults/faultBook.ts"
import { createCertificateAuthority } from "../../../local/tls/certificateAuthority.ts"

export interface BlobFixture {
  readonly blob: RunningBlob
  readonly access: AccessControl
  readonly faults: FaultBook
  readonly authority: TokenAuthority
  /** The real client with a token of `job`, without retries. */
  client(job: Job, audience?: Audience): BlobServiceClient
  token(job: Job): Promise<string>
}

const authority = openTokenAuthority(newTokenAuthorityState())
const certificates = await createCertificateAuthority()
/** A certificate that this process trusts. */
export const issued = await certificates.issue([])
tls.setDefaultCACertificates([...tls.getCACertificates("default"), certificates.caPem])

/** A store that the job `user` may do everything in, over TLS that this process trusts. */
export async function aBlobStore(options: Partial<BlobOptions> = {}): Promise<BlobFixture> {
  const access = createAccessControl({ user: ["*"] })
  const faults = createFaultBook()
  const blob = await startBlob({
    authority,
    access,
    faults,
    tls: issued,
    account: "localbackups",
    containers: [
      { name: "plain" },
      { name: "worm", policy: { state: "locked", days: 30 } },
      { name: "held", policy: { state: "none", legalHold: true } },
    ],
    ...options,
  })
  const client = (job: Job, audience: Audience = "blob") => clientOn(blob.url, authority, job, audience)
  return { blob, access, faults, authority, client, token: (job) => authority.issue(job, "blob") }
}

/** The real client of a store elsewhere, as the job `user`. */
export function blobClient(url: string, state: TokenAuthorityState): BlobServiceClient {
  return clientOn(url, openTokenAuthority(state), "user", "blob")
}

function clientOn(url: string, tokens: TokenAuthority, job: Job, audience: Audience): BlobServiceClient {
  const credential: TokenCredential = {
    getToken: async () => ({
      token: await tokens.issue(job, audience),
      expiresOnTimestamp: Date.now() + 3_600_000,
    }),
  }
  return new BlobServiceClient(url, credential, { retryOptions: { maxTries: 1 } })
}

/** What the client's error says, or "ok". An answer to HEAD has its code in a header only. */
export async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return "ok"
  } catch (error) {
    const { statusCode, code, details } = error as {
      statusCode?: number
      code?: string
      details?: { errorCode?: string }
    }
    return `${statusCode} ${code ?? details?.errorCode}`
  }
}
