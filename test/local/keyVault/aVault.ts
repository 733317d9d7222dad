import { CertificateClient } from "@azure/keyvault-certificates"
import { SecretClient } from "@azure/keyvault-secrets"
import { Agent, fetch, type RequestInit, type Response } from "undici"
import { type AccessControl, createAccessControl } from "../../../local/access/accessControl.ts"
import type { Job } from "../../../local/access/job.ts"
import {
  newTokenAuthorityState,
  openTokenAuthority,
  type TokenAuthority,
} from "../../../local/access/tokenAuthority.ts"
import { createFaultBook, type FaultBook } from "../../../local/faults/faultBook.ts"
import {
  type KeyVaultOptions,
  type RunningKeyVault,
  startKeyVault,
} from "../../../local/keyVault/startKeyVault.ts"
import type { VaultChange } from "../../../local/keyVault/vaultChange.ts"
import { createCertificateAuthority } from "../../../local/tls/certificateAuthority.ts"

export interface AVault {
  readonly vault: RunningKeyVault
  readonly authority: TokenAuthority
  readonly access: AccessControl
  readonly faults: FaultBook
  readonly changes: VaultChange[]
  readonly lines: string[]
  readonly caPem: string
  secrets(job?: Job): SecretClient
  certificates(job?: Job): CertificateClient
  /** A request with a good token and api-version, unless `init` or `path` say otherwise. */
  ask(path: string, init?: RequestInit & { job?: Job; token?: string | null }): Promise<Response>
  stop(): Promise<void>
}

interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly innererror?: { readonly code: string }
  }
}

/** A vault named `sample` with everything allowed to `user`, and clients for it. */
export async function aVault(options: Partial<KeyVaultOptions> = {}): Promise<AVault> {
  const ca = await createCertificateAuthority()
  const authority = options.authority ?? openTokenAuthority(newTokenAuthorityState())
  const access = createAccessControl({ user: ["*"] })
  const faults = createFaultBook()
  const changes: VaultChange[] = []
  const lines: string[] = []
  const vault = await startKeyVault({
    authority,
    access,
    faults,
    tls: await ca.issue([]),
    name: "sample",
    onChange: (change) => void changes.push(change),
    log: (line) => void lines.push(line),
    ...options,
  })
  const agent = new Agent({ connect: { ca: ca.caPem } })
  const credential = (job: Job = "user") => ({
    getToken: async () => ({
      token: await authority.issue(job, "vault"),
      expiresOnTimestamp: Date.now() + 3_600_000,
    }),
  })
  const clientOptions = {
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
    tlsOptions: { ca: ca.caPem },
  }
  return {
    vault,
    authority,
    access,
    faults,
    changes,
    lines,
    caPem: ca.caPem,
    certificates: (job) => new CertificateClient(vault.url, credential(job), clientOptions),
    secrets: (job) => new SecretClient(vault.url, credential(job), clientOptions),
    ask: async (path, { job = "user", token, ...init } = {}) => {
      const bearer = token === undefined ? await authority.issue(job, "vault") : token
      const url = `${vault.url}${path}${path.includes("?") ? "" : "?api-version=2025-07-01"}`
      return fetch(url, {
        dispatcher: agent,
        ...init,
        headers: { ...(bearer !== null && { authorization: `Bearer ${bearer}` }), ...init.headers },
      })
    },
    stop: async () => {
      await agent.destroy()
      await vault.stop()
    },
  }
}

/** Status, codes and message of a refusal. */
export async function refusalOf(response: Response) {
  const { error } = (await response.json()) as ErrorBody
  return {
    status: response.status,
    code: error.code,
    inner: error.innererror?.code,
    message: error.message,
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
