import { exportJWK, generateKeyPair, type JWK } from "jose"
import { importRecipients, type PublicJwk, type Recipient } from "../../shared/record/recipients.ts"
import { importOpeningKeys, type LocalOpeningKey } from "../../shared/record/unsealRecord.ts"

/** One recipient: what the writer has, what the reader has, and both as JWKs. */
export interface RecipientPair {
  readonly publicJwk: PublicJwk
  readonly privateJwk: JWK
  readonly recipient: Recipient
  readonly openingKey: LocalOpeningKey
}

const algorithms = { EC: "ECDH-ES+A256KW", RSA: "RSA-OAEP-256" } as const

/** A fresh pair: EC on P-384, or RSA with 2048 bits. */
export async function recipientPair(
  type: keyof typeof algorithms,
  kid = `test-${type.toLowerCase()}`,
): Promise<RecipientPair> {
  const { publicKey, privateKey } = await generateKeyPair(algorithms[type], {
    crv: "P-384",
    modulusLength: 2048,
    extractable: true,
  })
  const publicJwk = { ...(await exportJWK(publicKey)), kid } as PublicJwk
  const privateJwk = { ...(await exportJWK(privateKey)), kid }
  const [recipient] = await importRecipients([publicJwk])
  const [openingKey] = await importOpeningKeys({ keys: [privateJwk] })
  if (!recipient || !openingKey) throw new Error("The pair did not import")
  return { publicJwk, privateJwk, recipient, openingKey }
}
