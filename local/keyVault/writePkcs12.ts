import { createCipheriv, createHash, createHmac, type KeyObject, pbkdf2Sync, randomBytes } from "node:crypto"
import * as asn1 from "asn1js"
import { exactBytes } from "../tls/signCertificate.ts"
import { parseBer } from "../../shared/certificate/berReader.ts"
import { bmpPassword, deriveKey, kdfPurpose } from "../../shared/certificate/pkcs12Kdf.ts"

const iterations = 2048

/**
 * A PFX file with an empty password, as the service hands certificates out: the key (if any) and the
 * certificates encrypted with AES-256, an HMAC over all. Salts are fresh, so no two calls give the same bytes.
 *
 * @param certificates - DER, the one of the key first.
 */
export function writePkcs12(privateKey: KeyObject | undefined, certificates: readonly Buffer[]): Buffer {
  const keyId = localKeyId(certificates[0])
  const certificateBags = certificates.map((der, index) =>
    bag(
      "1.2.840.113549.1.12.10.1.3",
      sequence(oid("1.2.840.113549.1.9.22.1"), explicit(octets(der))),
      privateKey && index === 0 ? keyId : undefined,
    ),
  )
  const safes = [encryptedSafe(der(sequence(...certificateBags)))]
  if (privateKey) {
    const shrouded = privateKey.export({
      type: "pkcs8",
      format: "der",
      cipher: "aes-256-cbc",
      passphrase: "",
    })
    const keyBag = bag("1.2.840.113549.1.12.10.1.2", parseBer(shrouded), keyId)
    safes.push(sequence(oid("1.2.840.113549.1.7.1"), explicit(octets(der(sequence(keyBag))))))
  }
  const content = der(sequence(...safes))
  return der(
    sequence(
      new asn1.Integer({ value: 3 }),
      sequence(oid("1.2.840.113549.1.7.1"), explicit(octets(content))),
      macData(content),
    ),
  )
}

function encryptedSafe(content: Buffer): asn1.Sequence {
  const salt = randomBytes(16)
  const iv = randomBytes(16)
  const cipher = createCipheriv("aes-256-cbc", pbkdf2Sync("", salt, iterations, 32, "sha256"), iv)
  const data = Buffer.concat([cipher.update(content), cipher.final()])
  const derivation = sequence(
    oid("1.2.840.113549.1.5.12"),
    sequence(
      octets(salt),
      new asn1.Integer({ value: iterations }),
      sequence(oid("1.2.840.113549.2.9"), new asn1.Null()),
    ),
  )
  const encryption = sequence(oid("2.16.840.1.101.3.4.1.42"), octets(iv))
  const encrypted = sequence(
    oid("1.2.840.113549.1.7.1"),
    sequence(oid("1.2.840.113549.1.5.13"), sequence(derivation, encryption)),
    new asn1.Primitive({ idBlock: { tagClass: 3, tagNumber: 0 }, valueHex: exactBytes(data) }),
  )
  return sequence(oid("1.2.840.113549.1.7.6"), explicit(sequence(new asn1.Integer({ value: 0 }), encrypted)))
}

function macData(content: Buffer): asn1.Sequence {
  const salt = randomBytes(16)
  const key = deriveKey({
    hash: "sha256",
    password: bmpPassword(""),
    salt,
    iterations,
    purpose: kdfPurpose.mac,
    length: 32,
  })
  const digest = createHmac("sha256", key).update(content).digest()
  const algorithm = sequence(oid("2.16.840.1.101.3.4.2.1"), new asn1.Null())
  return sequence(sequence(algorithm, octets(digest)), octets(salt), new asn1.Integer({ value: iterations }))
}

function bag(id: string, value: asn1.BaseBlock, keyId: Buffer | undefined): asn1.Sequence {
  const attributes = keyId
    ? [
        new asn1.Set({
          value: [sequence(oid("1.2.840.113549.1.9.21"), new asn1.Set({ value: [octets(keyId)] }))],
        }),
      ]
    : []
  return sequence(oid(id), explicit(value), ...attributes)
}

/** Joins the key to its certificate; what it says does not matter. */
function localKeyId(certificate: Buffer | undefined): Buffer {
  return createHash("sha1")
    .update(certificate ?? "")
    .digest()
}

function sequence(...value: asn1.BaseBlock[]): asn1.Sequence {
  return new asn1.Sequence({ value })
}

function explicit(inner: asn1.BaseBlock): asn1.Constructed {
  return new asn1.Constructed({ idBlock: { tagClass: 3, tagNumber: 0 }, value: [inner] })
}

function oid(value: string): asn1.ObjectIdentifier {
  return new asn1.ObjectIdentifier({ value })
}

function octets(bytes: Buffer): asn1.OctetString {
  return new asn1.OctetString({ valueHex: exactBytes(bytes) })
}

function der(element: asn1.BaseBlock): Buffer {
  return Buffer.from(element.toBER())
}
