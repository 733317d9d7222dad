import { constants, createPublicKey, type KeyObject, privateDecrypt, publicEncrypt } from "node:crypto"
import { type EcdsaCurve, signEcdsaDigest, verifyEcdsaDigest } from "./digestSignature/ecdsaDigest.ts"
import {
  type RsaHash,
  signPkcs1Digest,
  signPssDigest,
  verifyPkcs1Digest,
  verifyPssDigest,
} from "./digestSignature/rsaDigest.ts"
import { describeKey } from "./keyFacts.ts"
import { badParameter } from "./vaultError.ts"

interface SignatureScheme {
  readonly digestBytes: number
  readonly sign: (key: KeyObject, digest: Buffer) => Buffer
  readonly verify: (key: KeyObject, digest: Buffer, signature: Buffer) => boolean
  readonly fits: (key: KeyObject) => boolean
}

const wrapHashes: Readonly<Record<string, string>> = { "RSA-OAEP": "sha1", "RSA-OAEP-256": "sha256" }

const signatureSchemes: ReadonlyMap<string, SignatureScheme> = new Map([
  ["RS256", pkcs1("sha256", 32)],
  ["RS384", pkcs1("sha384", 48)],
  ["RS512", pkcs1("sha512", 64)],
  ["PS256", pss("sha256", 32)],
  ["PS384", pss("sha384", 48)],
  ["PS512", pss("sha512", 64)],
  ["ES256", ecdsa("P-256", 32)],
  ["ES384", ecdsa("P-384", 48)],
  ["ES512", ecdsa("P-521", 64)],
])

/** Encrypts a key to `key`. @throws VaultError 400 BadParameter for another algorithm, key or length. */
export function wrapKey(key: KeyObject, algorithm: string, value: Buffer): Buffer {
  try {
    return publicEncrypt({ key: createPublicKey(key), ...oaep(key, algorithm) }, value)
  } catch (error) {
    throw isOpenssl(error) ? badParameter("The member 'value' is too long for this key") : error
  }
}

/** Opens what `wrapKey` made. @throws VaultError 400 BadParameter, also when it was not made for this key. */
export function unwrapKey(key: KeyObject, algorithm: string, value: Buffer): Buffer {
  try {
    return privateDecrypt({ key, ...oaep(key, algorithm) }, value)
  } catch (error) {
    throw isOpenssl(error) ? badParameter("The member 'value' cannot be decrypted with this key") : error
  }
}

/** Signs a digest that the caller made. @throws VaultError 400 BadParameter when algorithm, key and digest do not fit. */
export function signDigest(key: KeyObject, algorithm: string, digest: Buffer): Buffer {
  return schemeFor(key, algorithm, digest).sign(key, digest)
}

/** Is `signature` one of `key` over `digest`? @throws VaultError 400 BadParameter as `signDigest`. */
export function verifyDigest(key: KeyObject, algorithm: string, digest: Buffer, signature: Buffer): boolean {
  return schemeFor(key, algorithm, digest).verify(key, digest, signature)
}

function oaep(key: KeyObject, algorithm: string): { padding: number; oaepHash: string } {
  const oaepHash = wrapHashes[algorithm]
  if (!oaepHash || key.asymmetricKeyType !== "rsa") {
    throw badParameter(
      "The algorithm is not one this key wraps with; RSA keys take RSA-OAEP-256 and RSA-OAEP",
    )
  }
  return { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }
}

function schemeFor(key: KeyObject, algorithm: string, digest: Buffer): SignatureScheme {
  const scheme = signatureSchemes.get(algorithm)
  if (!scheme?.fits(key)) throw badParameter("The algorithm is not one this key signs with")
  if (digest.length !== scheme.digestBytes) {
    throw badParameter(`The digest must have ${scheme.digestBytes} bytes for this algorithm`)
  }
  return scheme
}

function pkcs1(hash: RsaHash, digestBytes: number): SignatureScheme {
  return {
    digestBytes,
    sign: (key, digest) => signPkcs1Digest(hash, key, digest),
    verify: (key, digest, signature) => verifyPkcs1Digest(hash, key, digest, signature),
    fits: (key) => key.asymmetricKeyType === "rsa",
  }
}

function pss(hash: RsaHash, digestBytes: number): SignatureScheme {
  return {
    digestBytes,
    sign: (key, digest) => signPssDigest(hash, key, digest),
    verify: (key, digest, signature) => verifyPssDigest(hash, key, digest, signature),
    fits: (key) => key.asymmetricKeyType === "rsa",
  }
}

function ecdsa(curve: EcdsaCurve, digestBytes: number): SignatureScheme {
  return {
    digestBytes,
    sign: (key, digest) => signEcdsaDigest(curve, key, digest),
    verify: (key, digest, signature) => verifyEcdsaDigest(curve, key, digest, signature),
    fits: (key) => {
      const facts = describeKey(key)
      return facts.kty === "EC" && facts.crv === curve
    },
  }
}

function isOpenssl(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_OSSL")
}
