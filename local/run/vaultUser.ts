import { SecretClient } from "@azure/keyvault-secrets"
import type { Cloud } from "../cloud/startCloud.ts"

/** A client of the first vault with the rights of the person at the keyboard. */
export function createUserSecretClient({ file, vaults }: Cloud): SecretClient {
  const token = file.identities["user"]?.tokens.vault
  const [vault] = vaults
  if (token === undefined || !vault) throw new TypeError("The cloud has no user or no vault")
  return new SecretClient(
    vault.url,
    { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) },
    { disableChallengeResourceVerification: true },
  )
}
