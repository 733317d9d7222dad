import type { CertificateReading } from "../vault/vaultReader.ts"
import { membersOf, parseBer } from "./berReader.ts"
import {
  type MaterialIdentity,
  materialIdentity,
  openMaterial,
  pemContentType,
  pkcs12ContentType,
} from "./certificateMaterial.ts"

/** Is a certificate's private key in its record, or does its policy keep it in the vault? */
export const privateKeyPresences = ["present", "absentByPolicy"] as const

export type PrivateKeyPresence = (typeof privateKeyPresences)[number]

/**
 * Tells by what the secret's value holds whether the private key is in it. The policy does not decide: it belongs to
 * the certificate as it is at present, and may have changed since this version was made. It has the word only about a
 * value that may be material, though of a scheme that cannot be opened here.
 *
 * @returns `undefined` when the value is no material, or contradicts the certificate: its leaf is not in it, or its key
 * is of another.
 */
export function privateKeyPresence(
  value: string,
  contentType: string | undefined,
  { cer, policy }: Pick<CertificateReading, "cer" | "policy">,
): PrivateKeyPresence | undefined {
  let identity: MaterialIdentity | undefined
  try {
    identity = materialIdentity(openMaterial(value, contentType), cer)
  } catch {
    if (!mayBeMaterial(value, contentType)) return undefined
    return isKept(policy) ? "absentByPolicy" : "present"
  }
  if (!identity) return undefined
  return identity.keyFingerprint === undefined ? "absentByPolicy" : "present"
}

/** A PFX is one whole BER element, whatever is inside. */
function mayBeMaterial(value: string, contentType: string | undefined): boolean {
  if (contentType === pemContentType) return false
  if (contentType !== pkcs12ContentType) return true
  try {
    return membersOf(parseBer(Buffer.from(value, "base64"))).length > 1
  } catch {
    return false
  }
}

function isKept(policy: CertificateReading["policy"]): boolean {
  const keyProperties = policy?.["key_props"]
  return (
    typeof keyProperties === "object" &&
    keyProperties !== null &&
    Reflect.get(keyProperties, "exportable") === false
  )
}
