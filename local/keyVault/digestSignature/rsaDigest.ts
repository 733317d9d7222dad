import {
  constants,
  createPublicKey,
  hash as hashOf,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
  timingSafeEqual,
} from "node:crypto"

export type RsaHash = "sha256" | "sha384" | "sha512"

/** The DER before a digest in a PKCS#1 v1.5 signature (RFC 8017 9.2). */
const digestInfoPrefixes: Readonly<Record<RsaHash, string>> = {
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
}

/** A PKCS#1 v1.5 signature over a digest that was made elsewhere. */
export function signPkcs1Digest(hash: RsaHash, key: KeyObject, digest: Buffer): Buffer {
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(hash, digest))
}

export function verifyPkcs1Digest(hash: RsaHash, key: KeyObject, digest: Buffer, signature: Buffer): boolean {
  const opened = open(key, signature, constants.RSA_PKCS1_PADDING)
  const expected = digestInfo(hash, digest)
  return opened?.length === expected.length && timingSafeEqual(opened, expected)
}

/** A PSS signature (RFC 8017 9.1.1) over a digest that was made elsewhere; the salt is as long as the digest. */
export function signPssDigest(hash: RsaHash, key: KeyObject, digest: Buffer): Buffer {
  const modulusBits = key.asymmetricKeyDetails?.modulusLength ?? 0
  const length = Math.ceil((modulusBits - 1) / 8)
  const salt = randomBytes(digest.length)
  const inner = pssHash(hash, digest, salt)
  const data = Buffer.concat([Buffer.alloc(length - 2 * digest.length - 2), Buffer.of(1), salt])
  const masked = xor(data, mask(hash, inner, data.length))
  masked[0] = (masked[0] ?? 0) & topMask(modulusBits, length)
  const encoded = Buffer.concat([masked, inner, Buffer.of(0xbc)])
  const padded = Buffer.concat([Buffer.alloc(Math.ceil(modulusBits / 8) - length), encoded])
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, padded)
}

export function verifyPssDigest(hash: RsaHash, key: KeyObject, digest: Buffer, signature: Buffer): boolean {
  const modulusBits = key.asymmetricKeyDetails?.modulusLength ?? 0
  const length = Math.ceil((modulusBits - 1) / 8)
  const opened = open(key, signature, constants.RSA_NO_PADDING)?.subarray(-length)
  if (!opened || opened.at(-1) !== 0xbc) return false
  const masked = opened.subarray(0, length - digest.length - 1)
  const inner = opened.subarray(length - digest.length - 1, -1)
  const data = xor(masked, mask(hash, inner, masked.length))
  data[0] = (data[0] ?? 0) & topMask(modulusBits, length)
  const salt = data.subarray(-digest.length)
  const separator = data.length - digest.length - 1
  const isPadded = data[separator] === 1 && data.subarray(0, separator).every((byte) => byte === 0)
  return isPadded && timingSafeEqual(inner, pssHash(hash, digest, salt))
}

function open(key: KeyObject, signature: Buffer, padding: number): Buffer | undefined {
  try {
    return publicDecrypt({ key: createPublicKey(key), padding }, signature)
  } catch {
    // Not a number below the modulus, or not padded: no signature of this key.
    return undefined
  }
}

function digestInfo(hash: RsaHash, digest: Buffer): Buffer {
  return Buffer.concat([Buffer.from(digestInfoPrefixes[hash], "hex"), digest])
}

function pssHash(hash: RsaHash, digest: Buffer, salt: Buffer): Buffer {
  return hashOf(hash, Buffer.concat([Buffer.alloc(8), digest, salt]), "buffer")
}

/** MGF1, RFC 8017 B.2.1. */
function mask(hash: RsaHash, seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = []
  for (let counter = 0, made = 0; made < length; counter += 1) {
    const suffix = Buffer.alloc(4)
    suffix.writeUInt32BE(counter)
    const part = hashOf(hash, Buffer.concat([seed, suffix]), "buffer")
    parts.push(part)
    made += part.length
  }
  return Buffer.concat(parts).subarray(0, length)
}

function topMask(modulusBits: number, length: number): number {
  return 0xff >> (8 * length - (modulusBits - 1))
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)))
}
