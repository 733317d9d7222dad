const substitutions = Buffer.from(
  "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32" +
    "bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626" +
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a" +
    "961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731" +
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e" +
    "c5f3db47e5a59c770aa62068fe7fc1ad",
  "hex",
)
const rotations = [1, 2, 3, 5]
const blockSize = 8

/**
 * Decrypts RC2 in CBC mode and removes the padding. Older PFX files hold their certificates so, and OpenSSL
 * offers it in a module only that is not always there.
 *
 * Source: RFC 2268
 *
 * @throws TypeError when the padding is wrong, which mostly means a wrong key.
 */
export function decryptRc2Cbc(key: Buffer, effectiveBits: number, iv: Buffer, data: Buffer): Buffer {
  if (data.length === 0 || data.length % blockSize !== 0) throw new TypeError("Not whole blocks")
  const words = expandKey(key, effectiveBits)
  const plain = Buffer.alloc(data.length)
  let previous = iv
  for (let offset = 0; offset < data.length; offset += blockSize) {
    const block = data.subarray(offset, offset + blockSize)
    const clear = decryptBlock(words, block)
    for (let index = 0; index < blockSize; index += 1) {
      plain[offset + index] = at(clear, index) ^ at(previous, index)
    }
    previous = block
  }
  const padding = at(plain, plain.length - 1)
  const tail = plain.subarray(plain.length - padding)
  if (padding < 1 || padding > blockSize || tail.some((byte) => byte !== padding)) {
    throw new TypeError("Wrong padding")
  }
  return plain.subarray(0, plain.length - padding)
}

function expandKey(key: Buffer, effectiveBits: number): number[] {
  const bytes = Buffer.alloc(128)
  key.copy(bytes)
  for (let index = key.length; index < 128; index += 1) {
    bytes[index] = at(substitutions, (at(bytes, index - 1) + at(bytes, index - key.length)) & 0xff)
  }
  const effectiveBytes = Math.ceil(effectiveBits / 8)
  const mask = 0xff >> (8 * effectiveBytes - effectiveBits)
  bytes[128 - effectiveBytes] = at(substitutions, at(bytes, 128 - effectiveBytes) & mask)
  for (let index = 127 - effectiveBytes; index >= 0; index -= 1) {
    bytes[index] = at(substitutions, at(bytes, index + 1) ^ at(bytes, index + effectiveBytes))
  }
  return Array.from({ length: 64 }, (_, index) => bytes.readUInt16LE(index * 2))
}

function decryptBlock(words: readonly number[], block: Buffer): Buffer {
  const r = [0, 2, 4, 6].map((offset) => block.readUInt16LE(offset))
  const left = (index: number, distance: number) => r[(index + 4 - distance) & 3] ?? 0
  let next = 63
  const mix = (rounds: number) => {
    for (let round = 0; round < rounds; round += 1) {
      for (let index = 3; index >= 0; index -= 1) {
        const turn = rotations[index] ?? 0
        const value = r[index] ?? 0
        const turned = ((value >>> turn) | (value << (16 - turn))) & 0xffff
        const chosen = (left(index, 1) & left(index, 2)) + (~left(index, 1) & left(index, 3))
        r[index] = (turned - (words[next] ?? 0) - chosen) & 0xffff
        next -= 1
      }
    }
  }
  const mash = () => {
    for (let index = 3; index >= 0; index -= 1) {
      r[index] = ((r[index] ?? 0) - (words[left(index, 1) & 63] ?? 0)) & 0xffff
    }
  }
  mix(5)
  mash()
  mix(6)
  mash()
  mix(5)
  const clear = Buffer.alloc(blockSize)
  for (const [index, word] of r.entries()) clear.writeUInt16LE(word, index * 2)
  return clear
}

function at(bytes: Buffer, index: number): number {
  return bytes[index] ?? 0
}
