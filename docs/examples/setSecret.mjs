// Sets a secret in the running local cloud: node docs/examples/setSecret.mjs NAME < file-with-the-value
import { SecretClient } from "@azure/keyvault-secrets"
import { readFileSync } from "node:fs"
import { setDefaultCACertificates } from "node:tls"

const cloud = JSON.parse(readFileSync(".local/cloud.json", "utf8"))
setDefaultCACertificates([readFileSync(cloud.caFile, "utf8")])
const token = cloud.identities.user.tokens.vault
const client = new SecretClient(
  cloud.vaults[0].url,
  { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
  { disableChallengeResourceVerification: true },
)
const { properties } = await client.setSecret(process.argv[2], readFileSync(0, "utf8"))
console.log(properties.id)
