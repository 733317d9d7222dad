import { createPublicKey, type KeyObject, sign } from "node:crypto"
import * as asn1 from "asn1js"
import * as pki from "pkijs"
import { parseDistinguishedName } from "../tls/distinguishedName.ts"
import { exactBytes, signatureOf, signCertificate } from "../tls/signCertificate.ts"
import type { FullPolicy } from "./certificatePolicy.ts"
import { badParameter } from "./vaultError.ts"

/** The service dates certificates back by so much, for clocks that are behind. */
const backdatedMs = 10 * 60_000

/**
 * The DER of a certificate as `policy` describes it, signed with its own key.
 *
 * @throws VaultError 400 BadParameter when the subject is no distinguished name.
 */
export function selfSignedCertificate({ x509_props: x509 }: FullPolicy, privateKey: KeyObject): Buffer {
  const subject = subjectOf(x509.subject)
  const notBefore = new Date(Date.now() - backdatedMs)
  const notAfter = new Date(notBefore)
  notAfter.setUTCMonth(notAfter.getUTCMonth() + x509.validity_months)
  return signCertificate({
    subject,
    issuer: subject,
    publicKey: createPublicKey(privateKey),
    signingKey: privateKey,
    notBefore,
    notAfter,
    keyUsage: x509.key_usage,
    extendedKeyUsage: x509.ekus,
    hosts: [...(x509.sans.dns_names ?? []), ...(x509.sans.ipAddresses ?? [])],
    emails: x509.sans.emails ?? [],
  })
}

/** The DER of a PKCS#10 request for the same subject and key, which a pending operation shows. */
export function certificateRequest({ x509_props: x509 }: FullPolicy, privateKey: KeyObject): Buffer {
  const { algorithm, hash } = signatureOf(privateKey)
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" })
  const info = new asn1.Sequence({
    value: [
      new asn1.Integer({ value: 0 }),
      subjectOf(x509.subject).toSchema(),
      pki.PublicKeyInfo.fromBER(exactBytes(spki)).toSchema(),
      new asn1.Constructed({ idBlock: { tagClass: 3, tagNumber: 0 }, value: [] }),
    ],
  })
  const signature = sign(hash, Buffer.from(info.toBER()), privateKey)
  const request = new asn1.Sequence({
    value: [info, algorithm.toSchema(), new asn1.BitString({ valueHex: exactBytes(signature) })],
  })
  return Buffer.from(request.toBER())
}

function subjectOf(text: string): pki.RelativeDistinguishedNames {
  try {
    return parseDistinguishedName(text)
  } catch {
    throw badParameter("The subject of the policy is not a valid distinguished name")
  }
}
