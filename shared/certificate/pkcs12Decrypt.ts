import { createDecipheriv, pbkdf2Sync } from "node:crypto"
import * as asn1 from "asn1js"
import { type BerElement, integerOf, membersOf, octetsOf, oidOf } from "./berReader.ts"
import { bmpPassword, deriveKey, kdfPurpose } from "./pkcs12Kdf.ts"
import { decryptRc2Cbc } from "./rc2.ts"

/** A file that asks for this many rounds is taken for an attack on the processor. */
const maxIterations = 10_000_000

const hmacHashes: Readonly<Record<string, string>> = {
  "1.2.840.113549.2.7": "sha1",
  "1.2.840.113549.2.9": "sha256",
  "1.2.840.113549.2.10": "sha384",
  "1.2.840.113549.2.11": "sha512",
}

const pbes2Ciphers: Readonly<Record<string, { readonly name: string; readonly keyLength: number }>> = {
  "1.2.840.113549.3.7": { name: "des-ede3-cbc", keyLength: 24 },
  "2.16.840.1.101.3.4.1.2": { name: "aes-128-cbc", keyLength: 16 },
  "2.16.840.1.101.3.4.1.22": { name: "aes-192-cbc", keyLength: 24 },
  "2.16.840.1.101.3.4.1.42": { name: "aes-256-cbc", keyLength: 32 },
}

/** RFC 7292 appendix C: password-based encryption with SHA-1. */
const pkcs12Ciphers: Readonly<Record<string, { readonly rc2Bits?: number; readonly keyLength: number }>> = {
  "1.2.840.113549.1.12.1.3": { keyLength: 24 },
  "1.2.840.113549.1.12.1.4": { keyLength: 16 },
  "1.2.840.113549.1.12.1.5": { keyLength: 16, rc2Bits: 128 },
  "1.2.840.113549.1.12.1.6": { keyLength: 5, rc2Bits: 40 },
}

/**
 * Decrypts what a PFX file holds: PBES2 with AES or triple DES as made today, and the SHA-1 schemes with
 * triple DES or RC2 of older files.
 *
 * @throws Error when the scheme is unknown or the password wrong.
 */
export function decryptPasswordBased(
  algorithm: BerElement | undefined,
  password: string,
  data: Buffer,
): Buffer {
  const [scheme, parameters] = membersOf(algorithm)
  const id = oidOf(scheme)
  if (id === "1.2.840.113549.1.5.13") return decryptPbes2(parameters, password, data)
  const cipher = pkcs12Ciphers[id]
  if (!cipher) throw new TypeError("Unknown encryption scheme")
  const [saltElement, iterationsElement] = membersOf(parameters)
  const shared = {
    hash: "sha1",
    password: bmpPassword(password),
    salt: octetsOf(saltElement),
    iterations: checkedIterations(iterationsElement),
  }
  const key = deriveKey({ ...shared, purpose: kdfPurpose.key, length: cipher.keyLength })
  const iv = deriveKey({ ...shared, purpose: kdfPurpose.iv, length: 8 })
  if (cipher.rc2Bits !== undefined) return decryptRc2Cbc(key, cipher.rc2Bits, iv, data)
  // Two-key triple DES is three-key triple DES whose third key is the first.
  return decipher("des-ede3-cbc", Buffer.concat([key, key.subarray(0, 8)]).subarray(0, 24), iv, data)
}

/** The number of rounds a file asks for. @throws TypeError when it is unreasonable. */
export function checkedIterations(element: BerElement | undefined): number {
  const iterations = integerOf(element)
  if (iterations >= 1 && iterations <= maxIterations) return iterations
  throw new TypeError("Unreasonable iteration count")
}

function decryptPbes2(parameters: BerElement | undefined, password: string, data: Buffer): Buffer {
  const [derivation, encryption] = membersOf(parameters)
  const [derivationId, derivationParameters] = membersOf(derivation)
  const [encryptionId, iv] = membersOf(encryption)
  const cipher = pbes2Ciphers[oidOf(encryptionId)]
  if (oidOf(derivationId) !== "1.2.840.113549.1.5.12" || !cipher) throw new TypeError("Unknown PBES2 scheme")
  const [salt, iterations, ...options] = membersOf(derivationParameters)
  const prf = options.find((option) => option instanceof asn1.Sequence)
  const hash = prf ? hmacHashes[oidOf(membersOf(prf)[0])] : "sha1"
  if (!hash) throw new TypeError("Unknown PBKDF2 function")
  const key = pbkdf2Sync(password, octetsOf(salt), checkedIterations(iterations), cipher.keyLength, hash)
  return decipher(cipher.name, key, octetsOf(iv), data)
}

function decipher(name: string, key: Buffer, iv: Buffer, data: Buffer): Buffer {
  const stream = createDecipheriv(name, key, iv)
  return Buffer.concat([stream.update(data), stream.final()])
}
