import { CertificateClient } from "@azure/keyvault-certificates"
import { SecretClient } from "@azure/keyvault-secrets"
import type { Cloud } from "../cloud/startCloud.ts"

const options = { disableChallengeResourceVerification: true }

/** A client of the first vault's secrets with the rights of the person at the keyboard. */
export function createUserSecretClient(cloud: Cloud): SecretClient {
  const { url, credential } = userOf(cloud)
  return new SecretClient(url, credential, options)
}

/** A client of the first vault's certificates with the rights of the person at the keyboard. */
export function createUserCertificateClient(cloud: Cloud): CertificateClient {
  const { url, credential } = userOf(cloud)
  return new CertificateClient(url, credential, options)
}

function userOf({ file, vaults }: Cloud) {
  const token = file.identities["user"]?.tokens.vault
  const [vault] = vaults
  if (token === undefined || !vault) throw new TypeError("The cloud has no user or no vault")
  return {
    url: vault.url,
    credential: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) },
  }
}
