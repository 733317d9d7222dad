import { GeneralEncrypt } from "jose"
import type { Recipient } from "./recipients.ts"

/** Content type of a sealed record (RFC 7516, appendix on the JSON serialisation). */
export const sealedContentType = "application/jose+json"

/**
 * Seals record bytes to every recipient, as general JWE JSON (RFC 7516): A256GCM under a fresh content key,
 * which is wrapped once for each recipient. The protected header binds the seal to `sealName`.
 *
 * Two calls give different bytes. Whoever holds only public keys cannot open the result.
 *
 * @param sealName - blob name without `.jwe.json`.
 */
export async function sealRecord(
  plaintext: Uint8Array,
  sealName: string,
  recipients: readonly Recipient[],
): Promise<Uint8Array> {
  if (recipients.length === 0) throw new TypeError("A record needs at least one recipient")
  const encrypt = new GeneralEncrypt(plaintext).setProtectedHeader({ enc: "A256GCM", kvb: sealName })
  for (const { key, alg, kid } of recipients) encrypt.addRecipient(key).setUnprotectedHeader({ alg, kid })
  return Buffer.from(JSON.stringify(await encrypt.encrypt()), "utf8")
}
