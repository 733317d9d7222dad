import { createHash } from "node:crypto"
import type { HarmlessCall, QueueCall } from "./harmlessCall.ts"
import type { DoctorJob } from "./job.ts"

/** Name that no object of a vault has, in a version that no object can have. */
const nobody = "kvbackup-doctor"
const noVersion = "0".repeat(32)
const vaultVersion = "api-version=7.5"
const vaults = "Microsoft.KeyVault/vaults"
const containers = "Microsoft.Storage/storageAccounts/blobServices/containers"
const blobs = `${containers}/blobs`
const messages = "Microsoft.ServiceBus/namespaces/messages"

const getSecret = (vault: string): HarmlessCall => ({
  name: "get a secret version",
  right: `${vaults}/secrets/getSecret/action`,
  method: "GET",
  url: `${vault}/secrets/${nobody}/${noVersion}?${vaultVersion}`,
  passes: ["404 SecretNotFound"],
})

const getCertificate = (vault: string): HarmlessCall => ({
  name: "get a certificate version",
  right: `${vaults}/certificates/read`,
  method: "GET",
  url: `${vault}/certificates/${nobody}/${noVersion}?${vaultVersion}`,
  passes: ["404 CertificateNotFound"],
})

const listSecrets = (vault: string): HarmlessCall => ({
  name: "list secrets",
  right: `${vaults}/secrets/readMetadata/action`,
  method: "GET",
  url: `${vault}/secrets?maxresults=1&${vaultVersion}`,
  passes: ["200"],
})

const listCertificates = (vault: string): HarmlessCall => ({
  name: "list certificates",
  right: `${vaults}/certificates/read`,
  method: "GET",
  url: `${vault}/certificates?maxresults=1&${vaultVersion}`,
  passes: ["200"],
})

/** The body is no JSON, so that nothing can be set; a role is looked at before a body. */
const setSecret = (url: string): HarmlessCall => ({
  name: "set the canary secret",
  right: `${vaults}/secrets/setSecret/action`,
  method: "PUT",
  url: `${url}?${vaultVersion}`,
  object: url.split("/").slice(3).join("/"),
  headers: { "content-type": "application/json" },
  body: "{",
  passes: ["400"],
})

/** What a job needs of a vault. The canary's `canarySecret` counts where it lies in this vault. */
export function vaultCalls(job: DoctorJob, vault: string, canarySecret?: string): readonly HarmlessCall[] {
  switch (job) {
    case "backup":
      return [getSecret(vault), getCertificate(vault)]
    case "reconcile":
      return [listSecrets(vault), listCertificates(vault)]
    case "canary":
      return canarySecret?.startsWith(`${vault}/`) === true ? [setSecret(canarySecret)] : []
    case "verify":
    case "restore":
      return [listSecrets(vault), getSecret(vault), listCertificates(vault)]
    default:
      return []
  }
}

const properties = (container: string): HarmlessCall => ({
  name: "read the container's properties",
  right: `${containers}/read`,
  method: "GET",
  url: `${container}?restype=container`,
  passes: ["200"],
})

const list = (container: string): HarmlessCall => ({
  name: "list blobs",
  right: `${blobs}/read, for listing`,
  method: "GET",
  url: `${container}?restype=container&comp=list&maxresults=1`,
  passes: ["200"],
})

const read = (container: string, below: string): HarmlessCall => ({
  name: below === "" ? "read blobs" : `read blobs below ${below}`,
  right: `${blobs}/read`,
  method: "GET",
  url: `${container}/${below}${nobody}-${noVersion}`,
  passes: ["404 BlobNotFound"],
})

const put = (name: string, right: string, url: string): HarmlessCall => ({
  name,
  right,
  method: "PUT",
  url,
  headers: {
    "x-ms-blob-type": "BlockBlob",
    "content-type": "application/octet-stream",
    "if-match": '"0x0"',
    "content-md5": createHash("md5").update("other bytes than the body's").digest("base64"),
  },
  body: "not stored",
  passes: ["400 Md5Mismatch", "400 InvalidOperation", "412", "409"],
})

/**
 * A Put Blob that cannot succeed, for two reasons that each suffice: it demands an ETag that no blob has, and it carries
 * the MD5 of other bytes. That the role is looked at before either is what every answer seen says; it is not documented.
 */
const add = (container: string, below: string): HarmlessCall =>
  put(`add blobs below ${below}`, `${blobs}/add/action`, `${container}/${below}${nobody}-${noVersion}`)

const append = (container: string, prefixes: readonly string[]) =>
  prefixes.map((prefix) => read(container, prefix))

/** What a job needs of the container with the backups. `container` is its URL. */
export function storeCalls(job: DoctorJob, container: string): readonly HarmlessCall[] {
  switch (job) {
    case "backup":
      return [properties(container), add(container, "v1/")]
    case "reconcile":
      return [list(container), read(container, "reconcile/"), add(container, "reconcile/")]
    case "audit":
      return [
        list(container),
        ...append(container, ["digest/", "reconcile/", "journal/", "drill/"]),
        add(container, "digest/"),
      ]
    case "replay":
      return [list(container), read(container, "journal/"), add(container, "journal/")]
    case "canary":
      return [list(container)]
    case "verify":
    case "restore":
      return [list(container), read(container, "v1/")]
  }
}

/** What replay needs of its one blob in the state container. */
export function stateCalls(container: string, blob: string): readonly HarmlessCall[] {
  const url = `${container}/${blob}`
  return [
    { ...read(container, ""), name: `read ${blob}`, url, passes: ["200", "404 BlobNotFound"] },
    put(`write and lease ${blob}`, `${blobs}/write`, url),
  ]
}

/** What replay needs of the container with the dead letters of Event Grid. */
export function deadLetterCalls(container: string): readonly HarmlessCall[] {
  return [list(container), read(container, "")]
}

const send = (queue: string): QueueCall => ({
  name: `send to ${queue}`,
  right: `${messages}/send/action`,
  queue,
  ask: "send",
})

const peek = (queue: string, ask: "peek" | "peekDeadLetters" = "peek"): QueueCall => ({
  name: ask === "peek" ? `receive from ${queue}` : `receive the dead letters of ${queue}`,
  right: `${messages}/receive/action`,
  queue,
  ask,
})

const sessions = (queue: string): QueueCall => ({
  name: `receive from ${queue} without sessions`,
  right: `${messages}/receive/action`,
  queue,
  ask: "sessions",
})

/** What a job needs of the queues. */
export function queueCalls(job: DoctorJob, changes: string, quarantine: string): readonly QueueCall[] {
  switch (job) {
    case "backup":
      return [peek(changes), sessions(changes), send(changes), send(quarantine)]
    case "reconcile":
      return [send(changes)]
    case "audit":
      return [peek(changes), peek(quarantine)]
    case "replay":
      return [peek(changes, "peekDeadLetters"), peek(quarantine), send(changes), send(quarantine)]
    default:
      return []
  }
}

const keyCall = (name: string, right: string, url: string): HarmlessCall => ({
  name,
  right: `${vaults}/keys/${right}`,
  method: "POST",
  url: `${url}?${vaultVersion}`,
  headers: { "content-type": "application/json" },
  body: "{",
  passes: ["400", "404 KeyNotFound"],
})

/** What audit needs of the key that signs digests, a Key Vault key URL. It verifies with the public half, which it reads. */
export function digestKeyCalls(key: string): readonly HarmlessCall[] {
  // Operations want a version; a key that names none is asked by one that it cannot have.
  const version = /\/keys\/[^/]+\/[0-9a-f]{32}$/.test(key) ? key : `${key}/${noVersion}`
  return [
    {
      name: "read the digest key",
      right: `${vaults}/keys/read`,
      method: "GET",
      url: `${key}?${vaultVersion}`,
      passes: ["200"],
    },
    keyCall("sign with the digest key", "sign/action", `${version}/sign`),
  ]
}
