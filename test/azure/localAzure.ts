import tls from "node:tls"
import type { TokenCredential } from "@azure/core-auth"
import { CertificateClient } from "@azure/keyvault-certificates"
import { SecretClient } from "@azure/keyvault-secrets"
import { ServiceBusClient } from "@azure/service-bus"
import { BlobServiceClient } from "@azure/storage-blob"
import { type AccessControl, createAccessControl } from "../../local/access/accessControl.ts"
import type { Job } from "../../local/access/job.ts"
import {
  type Audience,
  newTokenAuthorityState,
  openTokenAuthority,
} from "../../local/access/tokenAuthority.ts"
import { startBlob } from "../../local/blob/startBlob.ts"
import type { ContainerPolicy } from "../../local/blob/containerPolicy.ts"
import { defaultRoles } from "../../local/cloud/defaultRoles.ts"
import { createFaultBook, type FaultBook } from "../../local/faults/faultBook.ts"
import { startIdentityEndpoint } from "../../local/identity/startIdentityEndpoint.ts"
import { startKeyVault } from "../../local/keyVault/startKeyVault.ts"
import { startServiceBus } from "../../local/serviceBus/startServiceBus.ts"
import { createCertificateAuthority } from "../../local/tls/certificateAuthority.ts"
import { createAzureHttpClient } from "../../shared/azureHttpClient.ts"
import { type ObjectVersion, parseVersionUrl } from "../../shared/change/objectVersion.ts"
import type { AzureStoreOptions } from "../../shared/store/azureContainerClient.ts"
import type { AzureVaultOptions } from "../../shared/vault/azureVaultClients.ts"
import type { NewCertificate, NewSecret } from "../suites/vaultReaderSuite.ts"

/** What every server of this process shares: one authority for certificates, one for tokens. */
const certificates = await createCertificateAuthority()
const issued = await certificates.issue([])
const authority = openTokenAuthority(newTokenAuthorityState())
tls.setDefaultCACertificates([...tls.getCACertificates("default"), certificates.caPem])

export const container = "keyvault-backups"
export const stateContainer = "keyvault-backup-state"
export const queueName = "keyvault-changes"
export const quarantineQueue = "keyvault-changes-quarantine"

/**
 * The identity endpoint of an app, under its environment variables, so that `ManagedIdentityCredential` runs as it is
 * deployed. `clientIdOf` names the identity of a job.
 */
export async function anIdentityEndpoint() {
  const endpoint = await startIdentityEndpoint({ authority, faults: createFaultBook() })
  process.env["IDENTITY_ENDPOINT"] = endpoint.url
  process.env["IDENTITY_HEADER"] = endpoint.header
  return {
    clientIdOf: (job: Job) => authority.callers.get(job)?.clientId ?? "",
    stop: async () => {
      delete process.env["IDENTITY_ENDPOINT"]
      delete process.env["IDENTITY_HEADER"]
      await endpoint.stop()
    },
  }
}

/** Tokens of `job` for one audience. */
export function credentialOf(job: Job, audience: Audience): TokenCredential {
  return {
    getToken: async () => ({
      token: await authority.issue(job, audience),
      expiresOnTimestamp: Date.now() + 3_600_000,
    }),
  }
}

/** Access as it is deployed: each job has its own role and no more. */
function deployed(): { readonly access: AccessControl; readonly faults: FaultBook } {
  const access = createAccessControl(
    defaultRoles({
      container,
      stateContainer,
      deadLetterContainer: "eventgrid-dead-letters",
      queue: queueName,
      quarantineQueue,
    }),
  )
  return { access, faults: createFaultBook() }
}

/** A storage account with the backup container, and what the adapters need to reach it as `job`. */
export async function aStorageAccount(policy: ContainerPolicy = { state: "locked", days: 30 }) {
  const { access, faults } = deployed()
  const blob = await startBlob({
    authority,
    access,
    faults,
    tls: issued,
    containers: [{ name: container, policy }, { name: stateContainer }],
  })
  const httpClient = createAzureHttpClient()
  const options = (job: Job, of = container): AzureStoreOptions => ({
    url: blob.url,
    container: of,
    credential: credentialOf(job, "blob"),
    httpClient,
  })
  const person = new BlobServiceClient(blob.url, credentialOf("user", "blob")).getContainerClient(container)
  return {
    blob,
    access,
    faults,
    options,
    /** The blob as a person sees it. */
    look: async (name: string) => {
      const client = person.getBlobClient(name)
      if (!(await client.exists())) return undefined
      const { metadata = {}, contentType } = await client.getProperties()
      const body = await client.downloadToBuffer()
      return { body, metadata, ...(contentType === undefined ? {} : { contentType }) }
    },
    stop: async () => {
      await httpClient.close()
      await blob.stop()
    },
  }
}

/** A vault, and what the adapters need to reach it as `job`. */
export async function aKeyVault() {
  const { access, faults } = deployed()
  const vault = await startKeyVault({
    authority,
    access,
    faults,
    tls: issued,
    name: "kv-local",
    throttle: false,
  })
  const httpClient = createAzureHttpClient()
  const options = (job: Job): AzureVaultOptions => ({
    credential: credentialOf(job, "vault"),
    httpClient,
    challengeCheck: false,
  })
  const clientOptions = { disableChallengeResourceVerification: true }
  const person = new SecretClient(vault.url, credentialOf("user", "vault"), clientOptions)
  const certificates = new CertificateClient(vault.url, credentialOf("user", "vault"), clientOptions)
  return {
    vault: vault.url,
    access,
    faults,
    options,
    /** Sets a secret as a person would. */
    set: async (name: string, { value, expires, tags, ...rest }: NewSecret): Promise<ObjectVersion> => {
      const more = { ...(expires ? { expiresOn: expires } : {}), ...(tags ? { tags: { ...tags } } : {}) }
      const { properties } = await person.setSecret(name, value, { ...rest, ...more })
      const parsed = parseVersionUrl(properties.id ?? "")
      if (!("object" in parsed)) throw new Error("The vault gave no version URL")
      return parsed.object
    },
    /** Makes a certificate of an EC key as a person would. */
    setCertificate: async (
      name: string,
      { contentType = "application/x-pkcs12", exportable = true, tags = {}, enabled = true }: NewCertificate,
    ): Promise<ObjectVersion> => {
      const policy = {
        issuerName: "Self",
        subject: "CN=example.test",
        keyType: "EC",
        exportable,
        contentType,
      }
      const poller = await certificates.beginCreateCertificate(name, policy, {
        intervalInMs: 1,
        enabled,
        tags: { ...tags },
      })
      const { properties } = await poller.pollUntilDone()
      const parsed = parseVersionUrl(properties.id ?? "")
      if (!("object" in parsed)) throw new Error("The vault gave no version URL")
      return parsed.object
    },
    /** Imports a certificate by a raw request: version 4.10.3 of the client leaves the policy out of an import. */
    importCertificate: async (
      name: string,
      {
        value,
        contentType,
        exportable = true,
      }: Required<Omit<NewCertificate, "tags" | "enabled">> & { value: string },
    ): Promise<ObjectVersion> => {
      const policy = { key_props: { exportable }, secret_props: { contentType } }
      const response = await fetch(`${vault.url}/certificates/${name}/import?api-version=2025-07-01`, {
        method: "POST",
        headers: { authorization: `Bearer ${await authority.issue("user", "vault")}` },
        body: JSON.stringify({ value, policy }),
      })
      const { id = "" } = (await response.json()) as { id?: string }
      const parsed = parseVersionUrl(id)
      if (!("object" in parsed)) throw new Error(`The vault answered ${response.status}`)
      return parsed.object
    },
    stop: async () => {
      await httpClient.close()
      await vault.stop()
    },
  }
}

/** A Service Bus namespace with both queues, and clients of it. */
export async function aNamespace({ lockDurationMs = 60_000 } = {}) {
  const { access, faults } = deployed()
  const queues = [queueName, quarantineQueue].map((name) => ({
    name,
    lockDurationMs,
    maxDeliveryCount: 10,
  }))
  const bus = await startServiceBus({ authority, access, faults, tls: issued, queues })
  const clients: ServiceBusClient[] = []
  return {
    bus,
    access,
    faults,
    /** A client as `job` that gives up soon. */
    client: (job: Job) => {
      const client = new ServiceBusClient(bus.fullyQualifiedNamespace, credentialOf(job, "serviceBus"), {
        retryOptions: { maxRetries: 0, timeoutInMs: 3000 },
      })
      clients.push(client)
      return client
    },
    stop: async () => {
      await Promise.all(clients.map((client) => client.close()))
      await bus.stop()
    },
  }
}
