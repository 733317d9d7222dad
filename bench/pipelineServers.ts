/** The servers of `bench/pipeline`, in a process of their own that ends with its parent's channel. */
import { generateKeyPairSync } from "node:crypto"
import https from "node:https"
import tls from "node:tls"
import { SecretClient } from "@azure/keyvault-secrets"
import { createAccessControl } from "../local/access/accessControl.ts"
import { newTokenAuthorityState, openTokenAuthority } from "../local/access/tokenAuthority.ts"
import { createFaultBook } from "../local/faults/faultBook.ts"
import { startKeyVault } from "../local/keyVault/startKeyVault.ts"
import { createCertificateAuthority } from "../local/tls/certificateAuthority.ts"
import { listen } from "../local/tls/listen.ts"
import { parseRecord } from "../shared/record/record.ts"
import { importOpeningKeys, unsealRecord } from "../shared/record/unsealRecord.ts"
import { fixedCredential } from "./fixedCredential.ts"
import type { PipelineTargets, ServerReport } from "./pipelineTargets.ts"

const secretCount = 200
const container = "keyvault-backups"
const kid = "bench-rsa-2048"

const authority = openTokenAuthority(newTokenAuthorityState())
const { caPem, issue } = await createCertificateAuthority()
const certificate = await issue([])
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const openingKeys = await importOpeningKeys({ keys: [{ ...privateKey.export({ format: "jwk" }), kid }] })

const vault = await startKeyVault({
  name: "bench",
  authority,
  access: createAccessControl({ user: ["*"], backup: ["*"] }),
  faults: createFaultBook(),
  tls: certificate,
  throttle: false,
})

let puts = 0
let bodyBytes = 0
let last: { readonly path: string; readonly body: Buffer } | undefined
const sink = https.createServer({ ...certificate, keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    const body = Buffer.concat(chunks)
    puts += 1
    bodyBytes += body.length
    last = { path: request.url ?? "", body }
    response.writeHead(201, {
      "content-length": "0",
      etag: '"0x8DE000000000000"',
      "last-modified": "Mon, 02 Mar 2026 10:00:00 GMT",
      "x-ms-request-id": "11111111-1111-1111-1111-111111111111",
      "x-ms-request-server-encrypted": "true",
      "x-ms-version": "2025-11-05",
    })
    response.end()
  })
})
const { port: sinkPort } = await listen(sink)

/** Values by version URL, to compare with what the sink was given. */
const values = new Map<string, string>()

async function seed(): Promise<void> {
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), caPem])
  const client = new SecretClient(vault.url, fixedCredential(await authority.issue("user", "vault")), {
    disableChallengeResourceVerification: true,
  })
  for (let n = 0; n < secretCount; n++) {
    const value = `bench-value-${n}-`.padEnd(120, "abcdefgh")
    const { properties } = await client.setSecret(`bench-secret-${n}`, value, {
      contentType: "text/plain",
      tags: { owner: "bench" },
    })
    values.set(properties.id ?? "", value)
  }
}

async function report(): Promise<ServerReport> {
  const { user, system } = process.cpuUsage(cpuAtReport)
  const counters = { puts, bodyBytes, cpuMicros: user + system }
  const problem = await problemOfLast()
  puts = 0
  bodyBytes = 0
  last = undefined
  cpuAtReport = process.cpuUsage()
  return { ...counters, ...(problem === undefined ? {} : { problem }) }
}

async function problemOfLast(): Promise<string | undefined> {
  if (!last) return "nothing was put"
  const blob = last.path.slice(last.path.indexOf("v1/"))
  try {
    const { object, value } = parseRecord(await unsealRecord(last.body, blob, openingKeys))
    return values.get(object.id) === value ? undefined : "the record holds another value than the vault"
  } catch (error) {
    return String(error)
  }
}

await seed()
let cpuAtReport = process.cpuUsage()
const { n = "", e = "" } = publicKey.export({ format: "jwk" })
const targets: PipelineTargets = {
  caPem,
  vaultUrl: vault.url,
  accountUrl: `https://127.0.0.1:${sinkPort}/bench`,
  container,
  vaultToken: await authority.issue("backup", "vault"),
  blobToken: await authority.issue("backup", "blob"),
  recipient: { kty: "RSA", kid, n, e },
  versionUrls: [...values.keys()],
}
process.once("disconnect", () => process.exit())
process.on("message", () => void report().then((answer) => process.send?.(answer)))
process.send?.(targets)
