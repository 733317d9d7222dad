import { hash as hashOf } from "node:crypto"

/** What the derived bytes are for: RFC 7292 B.3. */
export const kdfPurpose = { key: 1, iv: 2, mac: 3 } as const

/** A password as the derivation wants it: UTF-16BE with a NUL at the end (RFC 7292 B.1). */
export function bmpPassword(password: string): Buffer {
  return Buffer.from(`${password}\0`, "utf16le").swap16()
}

/** The key derivation of PKCS#12, RFC 7292 appendix B.2. */
export function deriveKey(options: {
  readonly hash: string
  readonly password: Buffer
  readonly salt: Buffer
  readonly iterations: number
  readonly purpose: number
  readonly length: number
}): Buffer {
  const { hash, iterations, length } = options
  const digestLength = hashOf(hash, "", "buffer").length
  const blockLength = hash === "sha384" || hash === "sha512" ? 128 : 64
  const diversifier = Buffer.alloc(blockLength, options.purpose)
  const input = Buffer.concat([fill(options.salt, blockLength), fill(options.password, blockLength)])
  const derived: Buffer[] = []
  for (let made = 0; made < length; made += digestLength) {
    let digest = hashOf(hash, Buffer.concat([diversifier, input]), "buffer")
    for (let round = 1; round < iterations; round += 1) digest = hashOf(hash, digest, "buffer")
    derived.push(digest)
    const adder = Buffer.alloc(blockLength)
    for (let offset = 0; offset < blockLength; offset += digestLength) digest.copy(adder, offset)
    for (let block = 0; block < input.length; block += blockLength) {
      addOneMore(input.subarray(block, block + blockLength), adder)
    }
  }
  return Buffer.concat(derived).subarray(0, length)
}

/** `block` becomes `block + adder + 1`, as big-endian numbers without carry out. */
function addOneMore(block: Buffer, adder: Buffer): void {
  let carry = 1
  for (let index = block.length - 1; index >= 0; index -= 1) {
    const sum = (block[index] ?? 0) + (adder[index] ?? 0) + carry
    block[index] = sum & 0xff
    carry = sum >> 8
  }
}

/** Repeats `bytes` up to a whole number of blocks; nothing stays nothing. */
function fill(bytes: Buffer, blockLength: number): Buffer {
  return bytes.length === 0 ? bytes : Buffer.alloc(Math.ceil(bytes.length / blockLength) * blockLength, bytes)
}
