import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto"
import { isIP } from "node:net"
import * as asn1 from "asn1js"
import * as pki from "pkijs"

/** Bits of the X.509 key usage extension, first bit first (RFC 5280 4.2.1.3). */
export const keyUsageBits = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const

export type KeyUsage = (typeof keyUsageBits)[number]

/** What one certificate says; `signingKey` is the private key of whoever vouches for it. */
export interface CertificateContent {
  readonly subject: pki.RelativeDistinguishedNames
  readonly issuer: pki.RelativeDistinguishedNames
  readonly publicKey: KeyObject
  readonly signingKey: KeyObject
  readonly notBefore: Date
  readonly notAfter: Date
  readonly isAuthority?: boolean
  /** How many authorities may stand between this one and a leaf. Absent, none. */
  readonly pathLength?: number
  readonly keyUsage?: readonly KeyUsage[]
  /** Object identifiers of the extended key usage. */
  readonly extendedKeyUsage?: readonly string[]
  /** Host names and addresses. */
  readonly hosts?: readonly string[]
  readonly emails?: readonly string[]
}

/** The DER of a signed X.509 v3 certificate. RSA keys sign with SHA-256, EC keys with the hash of their size. */
export function signCertificate(content: CertificateContent): Buffer {
  const { algorithm, hash } = signatureOf(content.signingKey)
  const certificate = new pki.Certificate({
    version: 2,
    serialNumber: new asn1.Integer({ valueHex: newSerialNumber() }),
    signature: algorithm,
    signatureAlgorithm: algorithm,
    issuer: content.issuer,
    subject: content.subject,
    notBefore: certificateTime(content.notBefore),
    notAfter: certificateTime(content.notAfter),
    subjectPublicKeyInfo: pki.PublicKeyInfo.fromBER(exactBytes(spkiOf(content.publicKey))),
    extensions: extensionsOf(content),
  })
  const tbs = certificate.encodeTBS()
  const signature = sign(hash, Buffer.from(tbs.toBER()), content.signingKey)
  const whole = new asn1.Sequence({
    value: [tbs, algorithm.toSchema(), new asn1.BitString({ valueHex: exactBytes(signature) })],
  })
  return Buffer.from(whole.toBER())
}

/** DER as PEM, in lines of 64 characters. */
export function toPem(der: Buffer, label: string): string {
  const lines = der.toString("base64").replaceAll(/(.{64})(?=.)/g, "$1\n")
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}

/** A copy of exactly these bytes: the ASN.1 library takes no view on a shared buffer. */
export function exactBytes(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}

/** How a key signs certificates: the algorithm identifier and the hash. */
export function signatureOf(key: KeyObject): { algorithm: pki.AlgorithmIdentifier; hash: string } {
  if (key.asymmetricKeyType === "rsa") {
    const algorithm = new pki.AlgorithmIdentifier({
      algorithmId: "1.2.840.113549.1.1.11",
      algorithmParams: new asn1.Null(),
    })
    return { algorithm, hash: "sha256" }
  }
  const curve = key.asymmetricKeyDetails?.namedCurve ?? ""
  const [last, hash] = { secp384r1: [3, "sha384"], secp521r1: [4, "sha512"] }[curve] ?? [2, "sha256"]
  return {
    algorithm: new pki.AlgorithmIdentifier({ algorithmId: `1.2.840.10045.4.3.${last}` }),
    hash: String(hash),
  }
}

function extensionsOf(content: CertificateContent): pki.Extension[] {
  const isAuthority = content.isAuthority ?? false
  const constraints = isAuthority ? { cA: true, pathLenConstraint: content.pathLength ?? 0 } : { cA: false }
  const extensions = [extension("2.5.29.19", true, new pki.BasicConstraints(constraints).toSchema())]
  if (content.keyUsage?.length)
    extensions.push(extension("2.5.29.15", true, keyUsageSchema(content.keyUsage)))
  if (content.extendedKeyUsage?.length) {
    const usage = new pki.ExtKeyUsage({ keyPurposes: [...content.extendedKeyUsage] })
    extensions.push(extension("2.5.29.37", false, usage.toSchema()))
  }
  const names = alternativeNames(content)
  if (names.length > 0) {
    extensions.push(extension("2.5.29.17", false, new pki.GeneralNames({ names }).toSchema()))
  }
  const subjectId = new asn1.OctetString({ valueHex: keyIdentifier(content.publicKey) })
  const authorityId = new pki.AuthorityKeyIdentifier({
    keyIdentifier: new asn1.OctetString({ valueHex: keyIdentifier(createPublicKey(content.signingKey)) }),
  })
  return [
    ...extensions,
    extension("2.5.29.14", false, subjectId),
    extension("2.5.29.35", false, authorityId.toSchema()),
  ]
}

function extension(extnID: string, critical: boolean, value: { toBER(): ArrayBuffer }): pki.Extension {
  return new pki.Extension({ extnID, critical, extnValue: value.toBER() })
}

function keyUsageSchema(usages: readonly KeyUsage[]): asn1.BitString {
  const bits = keyUsageBits.map((bit) => (usages.includes(bit) ? 1 : 0))
  const used = bits.lastIndexOf(1) + 1
  const bytes = new Uint8Array(Math.ceil(used / 8))
  for (const [index, bit] of bits.entries()) {
    if (bit) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (0x80 >> (index & 7))
  }
  return new asn1.BitString({ valueHex: bytes.buffer, unusedBits: bytes.length * 8 - used })
}

function alternativeNames({ hosts = [], emails = [] }: CertificateContent): pki.GeneralName[] {
  return [
    ...emails.map((value) => new pki.GeneralName({ type: 1, value })),
    ...hosts.map((host) =>
      isIP(host)
        ? new pki.GeneralName({ type: 7, value: new asn1.OctetString({ valueHex: addressBytes(host) }) })
        : new pki.GeneralName({ type: 2, value: host }),
    ),
  ]
}

function addressBytes(address: string): ArrayBuffer {
  if (isIP(address) === 4) return new Uint8Array(address.split(".").map(Number)).buffer
  const [head = "", tail = ""] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::")
  const groups = (text: string) => text.split(":").filter((group) => group !== "")
  const [first, last] = [groups(head), groups(tail)]
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0")
  const words = [...first, ...zeros, ...last].map((group) => Number.parseInt(group, 16))
  return new Uint8Array(words.flatMap((word) => [word >> 8, word & 0xff])).buffer
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" })
}

/** RFC 7093: the leftmost 160 bits of the SHA-256 of the key. */
function keyIdentifier(key: KeyObject): ArrayBuffer {
  return exactBytes(createHash("sha256").update(spkiOf(key)).digest().subarray(0, 20))
}

/** RFC 5280 4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050. */
function certificateTime(value: Date): pki.Time {
  return new pki.Time({ type: value.getUTCFullYear() < 2050 ? 0 : 1, value })
}

/** Positive, and no longer than the 20 bytes RFC 5280 4.1.2.2 allows. */
function newSerialNumber(): ArrayBuffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return exactBytes(bytes)
}
