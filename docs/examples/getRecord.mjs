// Downloads the newest record of a secret from the running local cloud: node docs/examples/getRecord.mjs NAME > FILE
import { BlobServiceClient } from "@azure/storage-blob"
import { readFileSync } from "node:fs"
import { setDefaultCACertificates } from "node:tls"

const cloud = JSON.parse(readFileSync(".local/cloud.json", "utf8"))
setDefaultCACertificates([readFileSync(cloud.caFile, "utf8")])
const token = cloud.identities.user.tokens.blob
const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) }
const container = new BlobServiceClient(cloud.blob.url, credential).getContainerClient(cloud.blob.container)

const host = new URL(cloud.vaults[0].url).host.replace(":", "_")
const prefix = `v1/${host}/secrets/${process.argv[2].toLowerCase()}/`
let newest
for await (const blob of container.listBlobsFlat({ prefix, includeMetadata: true })) {
  if (!newest || blob.metadata.putat > newest.metadata.putat) newest = blob
}
if (!newest) throw new Error(`No record is stored below ${prefix}`)
console.error(newest.name, newest.metadata)
process.stdout.write(await container.getBlobClient(newest.name).downloadToBuffer())
