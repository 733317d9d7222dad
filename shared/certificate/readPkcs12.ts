import { createHmac, createPrivateKey, type KeyObject, timingSafeEqual } from "node:crypto"
import { type BerElement, innerOf, membersOf, octetsOf, oidOf, parseBer } from "./berReader.ts"
import { checkedIterations, decryptPasswordBased } from "./pkcs12Decrypt.ts"
import { bmpPassword, deriveKey, kdfPurpose } from "./pkcs12Kdf.ts"

/** What a PFX file or a PEM text holds; the order of the certificates is the file's. */
export interface KeyAndCertificates {
  readonly privateKeys: readonly KeyObject[]
  /** DER. */
  readonly certificates: readonly Buffer[]
}

const dataContent = "1.2.840.113549.1.7.1"
const encryptedContent = "1.2.840.113549.1.7.6"
const keyBag = "1.2.840.113549.1.12.10.1.1"
const shroudedKeyBag = "1.2.840.113549.1.12.10.1.2"
const certificateBag = "1.2.840.113549.1.12.10.1.3"
const nestedBag = "1.2.840.113549.1.12.10.1.6"
const x509Certificate = "1.2.840.113549.1.9.22.1"

const macHashes: Readonly<Record<string, string>> = {
  "1.3.14.3.2.26": "sha1",
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
}

/**
 * Opens a PFX file (RFC 7292).
 *
 * @throws Error when it is none, when the password is wrong, or when it uses a scheme that is not known.
 */
export function readPkcs12(bytes: Buffer, password: string): KeyAndCertificates {
  const [, authSafe, mac] = membersOf(parseBer(bytes))
  const [contentType, content] = membersOf(authSafe)
  if (oidOf(contentType) !== dataContent) throw new TypeError("Not a password-protected PFX")
  const safes = octetsOf(innerOf(content))
  if (mac) checkMac(mac, safes, password)
  const bags = membersOf(parseBer(safes)).flatMap((safe) => bagsOf(safe, password))
  return {
    privateKeys: bags.flatMap((bag) => keysIn(bag, password)),
    certificates: bags.flatMap((bag) => certificatesIn(bag)),
  }
}

function checkMac(macData: BerElement, safes: Buffer, password: string): void {
  const [digestInfo, salt, iterations] = membersOf(macData)
  const [algorithm, digest] = membersOf(digestInfo)
  const hash = macHashes[oidOf(membersOf(algorithm)[0])]
  if (!hash) throw new TypeError("Unknown MAC algorithm")
  const expected = octetsOf(digest)
  const shared = {
    hash,
    salt: octetsOf(salt),
    iterations: iterations ? checkedIterations(iterations) : 1,
    purpose: kdfPurpose.mac,
    length: expected.length,
  }
  // No password is written in two ways: as nothing at all, and as an empty string with its NUL.
  const forms = password === "" ? [bmpPassword(""), Buffer.alloc(0)] : [bmpPassword(password)]
  const isRight = forms.some((form) => {
    const key = deriveKey({ ...shared, password: form })
    const actual = createHmac(hash, key).update(safes).digest()
    return actual.length === expected.length && timingSafeEqual(actual, expected)
  })
  if (!isRight) throw new TypeError("Wrong password")
}

function bagsOf(safe: BerElement, password: string): BerElement[] {
  const [contentType, content] = membersOf(safe)
  const inner = innerOf(content)
  if (oidOf(contentType) === dataContent) return membersOf(parseBer(octetsOf(inner)))
  if (oidOf(contentType) !== encryptedContent) throw new TypeError("Unknown content")
  const [, encrypted] = membersOf(inner)
  const [, algorithm, data] = membersOf(encrypted)
  return membersOf(parseBer(decryptPasswordBased(algorithm, password, octetsOf(data))))
}

function keysIn(bag: BerElement, password: string): KeyObject[] {
  const [id, value] = membersOf(bag)
  switch (oidOf(id)) {
    case keyBag:
      return [privateKey(Buffer.from(innerOf(value).toBER()))]
    case shroudedKeyBag: {
      const [algorithm, data] = membersOf(innerOf(value))
      return [privateKey(decryptPasswordBased(algorithm, password, octetsOf(data)))]
    }
    case nestedBag:
      return membersOf(innerOf(value)).flatMap((inner) => keysIn(inner, password))
    default:
      return []
  }
}

function certificatesIn(bag: BerElement): Buffer[] {
  const [id, value] = membersOf(bag)
  if (oidOf(id) === nestedBag) return membersOf(innerOf(value)).flatMap(certificatesIn)
  if (oidOf(id) !== certificateBag) return []
  const [type, certificate] = membersOf(innerOf(value))
  return oidOf(type) === x509Certificate ? [octetsOf(innerOf(certificate))] : []
}

function privateKey(der: Buffer): KeyObject {
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
}
