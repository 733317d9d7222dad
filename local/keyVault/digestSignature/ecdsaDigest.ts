import { createECDH, createPublicKey, type KeyObject } from "node:crypto"

/** The NIST curves `y² = x³ - 3x + b`: the field, the order of the base point, and OpenSSL's name. */
const curves = {
  "P-256": {
    openssl: "prime256v1",
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    bytes: 32,
  },
  "P-384": {
    openssl: "secp384r1",
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    bytes: 48,
  },
  "P-521": {
    openssl: "secp521r1",
    p: 2n ** 521n - 1n,
    n: 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    bytes: 66,
  },
} as const

export type EcdsaCurve = keyof typeof curves

interface Point {
  readonly x: bigint
  readonly y: bigint
}

/**
 * ECDSA over a digest that was made elsewhere, as Key Vault signs; node:crypto always hashes itself. Not in
 * constant time: for the local cloud only.
 *
 * @returns r and s, each as long as the field (RFC 7518 3.4).
 */
export function signEcdsaDigest(curve: EcdsaCurve, privateKey: KeyObject, digest: Buffer): Buffer {
  const { n, bytes, openssl } = curves[curve]
  const d = toNumber(Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url"))
  const ephemeral = createECDH(openssl)
  for (;;) {
    const point = ephemeral.generateKeys()
    const k = toNumber(ephemeral.getPrivateKey())
    const r = modulo(toNumber(point.subarray(1, 1 + bytes)), n)
    const s = modulo(inverse(k, n) * (digestNumber(digest, n) + r * d), n)
    if (r !== 0n && s !== 0n) return Buffer.concat([toBytes(r, bytes), toBytes(s, bytes)])
  }
}

/** Is `signature` (r and s) one of the key over `digest`? */
export function verifyEcdsaDigest(
  curve: EcdsaCurve,
  privateKey: KeyObject,
  digest: Buffer,
  signature: Buffer,
): boolean {
  const { p, n, bytes, openssl } = curves[curve]
  if (signature.length !== 2 * bytes) return false
  const [r, s] = [toNumber(signature.subarray(0, bytes)), toNumber(signature.subarray(bytes))]
  if (r === 0n || s === 0n || r >= n || s >= n) return false
  const w = inverse(s, n)
  const { x, y } = createPublicKey(privateKey).export({ format: "jwk" })
  const publicPoint = { x: numberOf(x), y: numberOf(y) }
  const sum = add(
    multiply(modulo(digestNumber(digest, n) * w, n), basePoint(openssl, bytes), p),
    multiply(modulo(r * w, n), publicPoint, p),
    p,
  )
  return sum !== undefined && modulo(sum.x, n) === r
}

/** The public key of the private key 1. */
function basePoint(openssl: string, bytes: number): Point {
  const one = createECDH(openssl)
  one.setPrivateKey(toBytes(1n, bytes))
  const point = one.getPublicKey()
  return { x: toNumber(point.subarray(1, 1 + bytes)), y: toNumber(point.subarray(1 + bytes)) }
}

/** `undefined` is the point at infinity. */
function add(a: Point | undefined, b: Point | undefined, p: bigint): Point | undefined {
  if (!a) return b
  if (!b) return a
  if (a.x === b.x && modulo(a.y + b.y, p) === 0n) return undefined
  const slope =
    a.x === b.x
      ? modulo((3n * a.x * a.x - 3n) * inverse(2n * a.y, p), p)
      : modulo((b.y - a.y) * inverse(b.x - a.x, p), p)
  const x = modulo(slope * slope - a.x - b.x, p)
  return { x, y: modulo(slope * (a.x - x) - a.y, p) }
}

function multiply(factor: bigint, point: Point, p: bigint): Point | undefined {
  let sum: Point | undefined
  let doubled: Point | undefined = point
  for (let rest = factor; rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = add(sum, doubled, p)
    doubled = add(doubled, doubled, p)
  }
  return sum
}

/** The leftmost bits of a digest, as many as the order has (FIPS 186-5 6.4.1). */
function digestNumber(digest: Buffer, n: bigint): bigint {
  const extra = digest.length * 8 - n.toString(2).length
  return extra > 0 ? toNumber(digest) >> BigInt(extra) : toNumber(digest)
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b] = [modulo(value, modulus), modulus]
  let [u, v] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[u, v] = [v, u - quotient * v]
  }
  return modulo(u, modulus)
}

function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus
  return rest < 0n ? rest + modulus : rest
}

function toNumber(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString("hex")}`)
}

function numberOf(base64url: string | undefined): bigint {
  return toNumber(Buffer.from(base64url ?? "", "base64url"))
}

function toBytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, "0"), "hex")
}
