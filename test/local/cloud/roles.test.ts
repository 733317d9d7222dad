import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CertificateClient } from "@azure/keyvault-certificates"
import { SecretClient } from "@azure/keyvault-secrets"
import { ServiceBusClient } from "@azure/service-bus"
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Job, jobs } from "../../../local/access/job.ts"
import type { Audience } from "../../../local/access/tokenAuthority.ts"
import { canarySecretName } from "../../../local/cloud/defaultRoles.ts"
import { type Cloud, startCloud } from "../../../local/cloud/startCloud.ts"

let directory: string
let cloud: Cloud
let keyId: string
/** The digest below, wrapped with the key. */
let wrapped: string
let pfx: Buffer

const often = { intervalInMs: 10 }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "roles-"))
  cloud = await startCloud({ directory })
  // What jobs send here is no change; the worker need not look at it.
  await cloud.host.kill()
  const { vault, certificates, keys } = await clientsOf("user")
  await vault.setSecret("sample", "v")
  const policy = { issuerName: "Self", subject: "CN=sample" }
  await (await certificates.beginCreateCertificate("sample-certificate", policy, often)).pollUntilDone()
  keyId = (await certificates.getCertificate("sample-certificate")).keyId!
  pfx = Buffer.from((await vault.getSecret("sample-certificate")).value!, "base64")
  wrapped = (await keys(`POST ${keyId}/wrapkey`, { alg: "RSA-OAEP-256", value: digest })).value!
  for (const job of jobs) {
    await vault.setSecret(`of-${job}`, "v")
    await (await vault.beginDeleteSecret(`of-${job}`, often)).pollUntilDone()
    for (const name of [`deleted-by-${job}`, `updated-by-${job}`]) await vault.setSecret(name, "v")
  }
  await putBlobs()
}, 60_000)
afterAll(async () => {
  await cloud?.stop()
  await rm(directory, { recursive: true, force: true })
})

const prefixes = ["v1", "gaps", "reconcile", "digest", "journal", "drill"] as const

/** One blob below each prefix, and one in each other container, put by somebody who may. */
async function putBlobs(): Promise<void> {
  const before = cloud.access.roles()["user"]!
  cloud.access.setRoles({ user: ["*"] })
  const { containers } = await clientsOf("user")
  for (const prefix of prefixes)
    await containers.backups.getBlockBlobClient(`${prefix}/sample`).upload("x", 1)
  await containers.state.getBlockBlobClient("sample").upload("x", 1)
  await containers.state.getBlockBlobClient(leaseBlob).upload("x", 1)
  await containers.deadLetters.getBlockBlobClient("sample").upload("x", 1)
  cloud.access.setRoles({ user: before })
}

interface Clients {
  readonly job: Job
  readonly vault: SecretClient
  readonly certificates: CertificateClient
  readonly containers: Readonly<Record<"backups" | "state" | "deadLetters", ContainerClient>>
  readonly bus: ServiceBusClient
  /** A request to the keys of the vault, for which no client is needed here. */
  readonly keys: (call: string, body?: object) => Promise<{ readonly value?: string }>
}

async function clientsOf(job: Job): Promise<Clients> {
  const { file, authority } = cloud
  const credential = (audience: Audience) => ({
    getToken: async () => ({
      token: await authority.issue(job, audience),
      expiresOnTimestamp: Date.now() + 86_400_000,
    }),
  })
  const { url } = file.vaults[0]!
  const options = { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } }
  const blobs = new BlobServiceClient(file.blob.url, credential("blob"), { retryOptions: { maxTries: 1 } })
  const token = await authority.issue(job, "vault")
  return {
    job,
    vault: new SecretClient(url, credential("vault"), options),
    certificates: new CertificateClient(url, credential("vault"), options),
    containers: {
      backups: blobs.getContainerClient(file.blob.container),
      state: blobs.getContainerClient(file.blob.stateContainer),
      deadLetters: blobs.getContainerClient(file.blob.deadLetterContainer),
    },
    bus: new ServiceBusClient(file.serviceBus.fullyQualifiedNamespace, credential("serviceBus"), {
      retryOptions: { maxRetries: 0 },
    }),
    keys: async (call, body) => {
      const [method = "", path = ""] = call.split(" ")
      const response = await fetch(`${path.startsWith("/") ? url : ""}${path}?api-version=2025-07-01`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const json = (await response.json()) as { value?: string; error?: { code: string } }
      if (json.error) throw Object.assign(new Error(call), { statusCode: response.status, body: json.error })
      return json
    },
  }
}

async function first(pages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of pages) return
}

/** The one blob of the state container that replay may touch. */
const leaseBlob = "replay.lease"
const digest = Buffer.alloc(32, 1).toString("base64url")
const anything = Buffer.alloc(256, 1).toString("base64url")
const read = (container: ContainerClient, name: string) => container.getBlobClient(name).downloadToBuffer()
const create = (container: ContainerClient, name: string) =>
  container.getBlockBlobClient(name).upload("x", 1, { conditions: { ifNoneMatch: "*" } })

/** What is tried in the name of each job. A refused operation must say so with the service's own code. */
const operations = {
  "get secret": ({ vault }) => vault.getSecret("sample"),
  "list secrets": ({ vault }) => first(vault.listPropertiesOfSecrets()),
  "list secret versions": ({ vault }) => first(vault.listPropertiesOfSecretVersions("sample")),
  "set the canary's secret": ({ vault }) => vault.setSecret(canarySecretName, "v"),
  "set a secret": ({ vault, job }) => vault.setSecret(`set-by-${job}`, "v"),
  "set a secret named like the canary's": ({ vault }) => vault.setSecret(`${canarySecretName}-2`, "v"),
  "update secret": async ({ vault, job }) => vault.updateSecretProperties(`updated-by-${job}`, "", {}),
  "delete secret": ({ vault, job }) => vault.beginDeleteSecret(`deleted-by-${job}`),
  "recover secret": ({ vault, job }) => vault.beginRecoverDeletedSecret(`of-${job}`),
  "purge secret": ({ vault, job }) =>
    vault
      .purgeDeletedSecret(`deleted-by-${job}`)
      .catch((error: { statusCode?: number }) => (error.statusCode === 404 ? undefined : raise(error))),
  "get certificate": ({ certificates }) => certificates.getCertificate("sample-certificate"),
  "list certificates": ({ certificates }) => first(certificates.listPropertiesOfCertificates()),
  "create certificate": ({ certificates, job }) =>
    certificates.beginCreateCertificate(`made-by-${job}`, { issuerName: "Self", subject: "CN=x" }),
  "import certificate": ({ certificates, job }) => certificates.importCertificate(`imported-by-${job}`, pfx),
  "get key": ({ keys }) => keys(`GET ${keyId}`),
  "create key": ({ keys, job }) => keys(`POST /keys/key-of-${job}/create`, { kty: "EC", crv: "P-256" }),
  wrap: ({ keys }) => keys(`POST ${keyId}/wrapkey`, { alg: "RSA-OAEP-256", value: digest }),
  unwrap: ({ keys }) => keys(`POST ${keyId}/unwrapkey`, { alg: "RSA-OAEP-256", value: wrapped }),
  sign: ({ keys }) => keys(`POST ${keyId}/sign`, { alg: "RS256", value: digest }),
  "verify signature": ({ keys }) => keys(`POST ${keyId}/verify`, { alg: "RS256", digest, value: anything }),

  "add backup": ({ containers, job }) => create(containers.backups, `v1/by-${job}`),
  "add gap record": ({ containers, job }) => create(containers.backups, `gaps/by-${job}`),
  "add probe": ({ containers, job }) => create(containers.backups, `probe/by-${job}`),
  "add run": ({ containers, job }) => create(containers.backups, `reconcile/by-${job}`),
  "add digest": ({ containers, job }) => create(containers.backups, `digest/by-${job}`),
  "add journal": ({ containers, job }) => create(containers.backups, `journal/by-${job}`),
  "overwrite backup": ({ containers }) => containers.backups.getBlockBlobClient("v1/sample").upload("y", 1),
  "delete backup": ({ containers }) => containers.backups.deleteBlob("v1/sample"),
  "list backups": ({ containers }) => first(containers.backups.listBlobsFlat({ prefix: "v1/" })),
  "list all": ({ containers }) => first(containers.backups.listBlobsFlat({ includeMetadata: true })),
  ...Object.fromEntries(
    prefixes.map((prefix) => [
      `read ${prefix}`,
      ({ containers }: Clients) => read(containers.backups, `${prefix}/sample`),
    ]),
  ),
  "container properties": ({ containers }) => containers.backups.getProperties(),
  "set container metadata": ({ containers }) => containers.backups.setMetadata({}),
  "read state": ({ containers }) => read(containers.state, leaseBlob),
  "write state": ({ containers }) => containers.state.getBlockBlobClient(leaseBlob).upload("y", 1),
  "lease state": async ({ containers }) => {
    const lease = containers.state.getBlobClient(leaseBlob).getBlobLeaseClient()
    await lease.acquireLease(15)
    await lease.releaseLease()
  },
  "write other state": ({ containers, job }) => create(containers.state, `by-${job}`),
  "delete state": ({ containers }) => containers.state.deleteBlob("sample"),
  "read dead letters": ({ containers }) => read(containers.deadLetters, "sample"),
  "list dead letters": ({ containers }) => first(containers.deadLetters.listBlobsFlat()),
  "write dead letters": ({ containers, job }) => create(containers.deadLetters, `by-${job}`),
  "delete dead letters": ({ containers }) => containers.deadLetters.deleteBlob("sample"),

  "send changes": ({ bus }) => bus.createSender(queues().queue).sendMessages({ body: "x" }),
  "send quarantine": ({ bus }) => bus.createSender(queues().quarantineQueue).sendMessages({ body: "x" }),
  "receive changes": ({ bus }) => bus.createReceiver(queues().queue).peekMessages(1),
  "receive quarantine": ({ bus }) => bus.createReceiver(queues().quarantineQueue).peekMessages(1),
  "receive dead letters": ({ bus }) =>
    bus.createReceiver(queues().queue, { subQueueType: "deadLetter" }).peekMessages(1),
} satisfies Record<string, (clients: Clients) => Promise<unknown>>

const queues = () => cloud.file.serviceBus

function raise(error: unknown): never {
  throw error
}

const readsCertificates = ["get certificate", "list certificates"]
const lists = ["list backups", "list all"]
const readsAll = prefixes.map((prefix) => `read ${prefix}`)

/** The table of the design: what each job may do. Everything else is refused. */
const allowed: Readonly<Record<Job, readonly string[]>> = {
  backup: [
    "get secret",
    // One Azure action lets both get and list certificates.
    ...readsCertificates,
    "add backup",
    "add gap record",
    "add probe",
    "container properties",
    "receive changes",
    "receive dead letters",
    "send changes",
    "send quarantine",
  ],
  reconcile: [
    "list secrets",
    "list secret versions",
    ...readsCertificates,
    ...lists,
    "read reconcile",
    "add gap record",
    "add run",
    "send changes",
  ],
  audit: [
    ...lists,
    ...["digest", "reconcile", "journal", "drill"].map((prefix) => `read ${prefix}`),
    "add digest",
    "receive changes",
    "receive dead letters",
    "receive quarantine",
    "sign",
    "get key",
  ],
  replay: [
    ...lists,
    "read journal",
    "add journal",
    "receive changes",
    "receive dead letters",
    "receive quarantine",
    "send changes",
    "send quarantine",
    "read dead letters",
    "list dead letters",
    "read state",
    "write state",
    "lease state",
  ],
  canary: ["set the canary's secret", ...lists],
  verify: [
    "get secret",
    "list secrets",
    "list secret versions",
    ...readsCertificates,
    ...lists,
    ...readsAll,
    "unwrap",
  ],
  restore: [
    "get secret",
    "list secrets",
    "list secret versions",
    "set a secret",
    "set the canary's secret",
    "set a secret named like the canary's",
    ...readsCertificates,
    "import certificate",
    ...lists,
    ...readsAll,
    "unwrap",
  ],
  user: [
    "get secret",
    "list secrets",
    "list secret versions",
    "set a secret",
    "set the canary's secret",
    "set a secret named like the canary's",
    "update secret",
    "delete secret",
    "recover secret",
    "purge secret",
    ...readsCertificates,
    "create certificate",
    "import certificate",
    "get key",
    "create key",
    "wrap",
    "unwrap",
    "sign",
    "verify signature",
    ...lists,
    ...readsAll,
    "container properties",
    "read state",
    "read dead letters",
    "list dead letters",
    "send changes",
    "send quarantine",
    "receive changes",
    "receive quarantine",
    "receive dead letters",
  ],
  eventgrid: ["send changes", "write dead letters"],
}

/** "ok", or how the service refused. */
async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return "ok"
  } catch (error) {
    const { statusCode, code, details, body } = error as {
      readonly statusCode?: number
      readonly code?: string
      readonly details?: {
        readonly errorCode?: string
        readonly error?: { readonly innerError?: InnerError; readonly innererror?: InnerError }
      }
      readonly body?: { readonly code: string; readonly innererror?: InnerError }
    }
    // Where a client leaves the code depends on the method and on what it knows of the answer.
    const inner = details?.error?.innerError ?? details?.error?.innererror ?? body?.innererror
    const parts = [statusCode, body?.code ?? code ?? details?.errorCode, inner?.code]
    return parts.filter((part) => part !== undefined).join(" ")
  }
}

interface InnerError {
  readonly code: string
}

function refusalOf(operation: string, may: readonly string[]): string {
  if (/quarantine|changes$|receive/.test(operation)) return "UnauthorizedAccess"
  // The client tells nothing but the status of a listing's answer.
  if (/^list (secret|certificate)/.test(operation)) return "403 Forbidden"
  if (/secret|certificate|key|wrap|sign/.test(operation)) return "403 Forbidden ForbiddenByRbac"
  if (operation === "overwrite backup" && may.includes("add backup")) return "403 UnauthorizedBlobOverwrite"
  return "403 AuthorizationPermissionMismatch"
}

describe("defaultRoles", () => {
  it.each(jobs)("lets %s do what its row of the table says, and nothing else", async (job) => {
    const clients = await clientsOf(job)
    const outcomes: [string, string][] = []
    for (const [name, run] of Object.entries(operations)) outcomes.push([name, await outcomeOf(run(clients))])
    await clients.bus.close()
    const may = allowed[job]
    const expected = Object.keys(operations).map((name) => [
      name,
      may.includes(name) ? "ok" : refusalOf(name, may),
    ])
    expect(Object.fromEntries(outcomes)).toEqual(Object.fromEntries(expected))
    expect(may.filter((name) => !Object.hasOwn(operations, name))).toEqual([])
  })
})
