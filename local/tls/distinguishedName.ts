import * as asn1 from "asn1js"
import { RelativeDistinguishedNames } from "pkijs"

const attributeTypes: Readonly<Record<string, string>> = {
  CN: "2.5.4.3",
  SERIALNUMBER: "2.5.4.5",
  C: "2.5.4.6",
  L: "2.5.4.7",
  ST: "2.5.4.8",
  S: "2.5.4.8",
  STREET: "2.5.4.9",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  E: "1.2.840.113549.1.9.1",
  DC: "0.9.2342.19200300.100.1.25",
}

/**
 * Parses a subject as people write it, such as `CN=example.test, O="Sample, Inc."`.
 *
 * @throws TypeError when a part has no known attribute type, or a quote does not end.
 */
export function parseDistinguishedName(text: string): RelativeDistinguishedNames {
  const names = splitParts(text).map((part) => {
    const equals = part.indexOf("=")
    const type = attributeTypes[part.slice(0, equals).trim().toUpperCase()]
    if (equals < 1 || !type) throw new TypeError("The subject is not a valid distinguished name")
    const value = attributeValue(type, unquote(part.slice(equals + 1)))
    const pair = new asn1.Sequence({ value: [new asn1.ObjectIdentifier({ value: type }), value] })
    return new asn1.Set({ value: [pair] })
  })
  // By way of its encoding, because the library would put all parts into one set, which is another name.
  return RelativeDistinguishedNames.fromBER(new asn1.Sequence({ value: names }).toBER())
}

/** RFC 5280 appendix A: countries are PrintableString, mail addresses and domain components IA5String. */
function attributeValue(type: string, value: string): asn1.BaseBlock {
  if (type === attributeTypes["C"]) return new asn1.PrintableString({ value })
  if (type === attributeTypes["E"] || type === attributeTypes["DC"]) return new asn1.IA5String({ value })
  return new asn1.Utf8String({ value })
}

function splitParts(text: string): string[] {
  const parts = text.match(/(?:\\.|"(?:\\.|[^"\\])*"|[^,"\\])+/g) ?? []
  if (parts.join(",").length !== text.length) {
    throw new TypeError("The subject is not a valid distinguished name")
  }
  return parts.filter((part) => part.trim() !== "")
}

function unquote(text: string): string {
  const trimmed = text.trim()
  const inner = trimmed.startsWith('"') && trimmed.endsWith('"') ? trimmed.slice(1, -1) : trimmed
  return inner.replaceAll(/\\(.)/g, "$1")
}
