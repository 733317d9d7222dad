import * as asn1 from "asn1js"

/** One element of a BER encoding. */
export type BerElement = asn1.BaseBlock

/** The only element in `bytes`. @throws TypeError when they are not BER. */
export function parseBer(bytes: Uint8Array): BerElement {
  const { offset, result } = asn1.fromBER(new Uint8Array(bytes).buffer)
  if (offset === -1) throw new TypeError("Not BER")
  return result
}

/** The elements inside a sequence, a set or an explicit tag. @throws TypeError when it is none of these. */
export function membersOf(element: BerElement | undefined): BerElement[] {
  if (element instanceof asn1.Constructed) return element.valueBlock.value
  throw new TypeError("Not a constructed element")
}

/** The element in an explicit tag. @throws TypeError when it is empty. */
export function innerOf(element: BerElement | undefined): BerElement {
  const [inner] = membersOf(element)
  if (inner) return inner
  throw new TypeError("Nothing inside")
}

/** An object identifier in dotted form. @throws TypeError when it is none. */
export function oidOf(element: BerElement | undefined): string {
  if (element instanceof asn1.ObjectIdentifier) return element.getValue()
  throw new TypeError("Not an object identifier")
}

/** @throws TypeError when it is no integer. */
export function integerOf(element: BerElement | undefined): number {
  if (element instanceof asn1.Integer) return element.valueBlock.valueDec
  throw new TypeError("Not an integer")
}

/**
 * The content of an octet string, also of one in pieces and of one with an implicit tag.
 *
 * @throws TypeError when it is none.
 */
export function octetsOf(element: BerElement | undefined): Buffer {
  if (element instanceof asn1.OctetString) return Buffer.from(element.getValue())
  if (element instanceof asn1.Constructed) return Buffer.concat(element.valueBlock.value.map(octetsOf))
  if (element instanceof asn1.Primitive) return Buffer.from(element.valueBlock.valueHexView)
  throw new TypeError("Not an octet string")
}
