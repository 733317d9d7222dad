import { randomUUID } from "node:crypto"

/** The lock on one delivery, in the usual text form of a UUID, lower case. */
export type LockToken = string & { readonly __kind: "LockToken" }

/** A fresh lock token. */
export function newLockToken(): LockToken {
  return randomUUID() as LockToken
}

/** The 16 bytes in network order, as management answers carry them. */
export function toUuidBytes(token: LockToken): Buffer {
  return Buffer.from(token.replaceAll("-", ""), "hex")
}

/** The token of 16 bytes in network order. */
export function fromUuidBytes(bytes: Uint8Array): LockToken {
  const hex = Buffer.from(bytes).toString("hex")
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
  return groups.join("-") as LockToken
}

/**
 * The token as a delivery tag. The service writes it in .NET GUID byte order, the first three groups reversed, and
 * the clients turn it back (`@azure/service-bus` 7.9.5).
 */
export function toDeliveryTag(token: LockToken): Buffer {
  const bytes = toUuidBytes(token)
  bytes.subarray(0, 4).reverse()
  bytes.subarray(4, 6).reverse()
  bytes.subarray(6, 8).reverse()
  return bytes
}
