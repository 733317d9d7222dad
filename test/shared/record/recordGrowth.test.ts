import { readFileSync } from "node:fs"
import { generateKeyPairSync } from "node:crypto"
import { describe, expect, it } from "vitest"
import { buildRecord, serializeRecord } from "../../../shared/record/record.ts"
import { importRecipients, type PublicJwk, type Recipient } from "../../../shared/record/recipients.ts"
import { sealRecord } from "../../../shared/record/sealRecord.ts"
import { formatRecordName, sealNameOf } from "../../../shared/store/blobName.ts"
import { aChain, certificateReadings, materialOf, newKey } from "../../support/aChain.ts"
import { anObject } from "../../support/builders.ts"

/** The most a vault takes, in bytes of UTF-8. */
const largest = 25_600
/** A key URL with version, as long as one can be: a host of 24 characters, a key name of 127. */
const longKid = `https://${"k".repeat(24)}.vault.azure.net/keys/${"n".repeat(127)}/${"0".repeat(32)}`

async function recipient(kty: "EC" | "RSA-2048" | "RSA-4096"): Promise<Recipient> {
  const { publicKey } =
    kty === "EC"
      ? generateKeyPairSync("ec", { namedCurve: "secp384r1" })
      : generateKeyPairSync("rsa", { modulusLength: Number(kty.slice(4)) })
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: longKid } as PublicJwk
  const [imported] = await importRecipients([jwk])
  if (!imported) throw new Error("The key did not import")
  return imported
}

const [ec, rsa2048, rsa4096] = [
  await recipient("EC"),
  await recipient("RSA-2048"),
  await recipient("RSA-4096"),
]
const recipientSets = [
  { recipients: "one EC key", of: [ec] },
  { recipients: "one RSA key of 4096 bits", of: [rsa4096] },
  { recipients: "two keys", of: [rsa2048, ec] },
  { recipients: "four keys", of: [rsa4096, rsa2048, ec, ec] },
]
/** Everything of an event at its longest, and a name and a host at theirs. */
const object = anObject({ name: "n".repeat(127), host: `${"h".repeat(24)}.vault.azure.net` })
const event = {
  id: "i".repeat(256),
  type: "Microsoft.KeyVault.CertificateNewVersionCreated",
  time: "2026-03-01T10:00:00.1234567Z",
  topic: "t".repeat(300),
}
const attributes = {
  enabled: true,
  created: new Date(0),
  updated: new Date(0),
  notBefore: new Date(0),
  expires: new Date(0),
  recoveryLevel: "Recoverable+ProtectedSubscription",
  recoverableDays: 90,
}

/** Bytes of the blob that holds `value`. */
async function blobBytes(
  value: string,
  recipients: readonly Recipient[],
  tags: Record<string, string> = {},
  contentType = "text/plain",
) {
  const secret = { id: "x", tags, attributes, contentType, managed: false }
  const plain = serializeRecord(buildRecord({ object, secret }, event, value, new Date(0)))
  return (await sealRecord(plain, sealNameOf(formatRecordName(object)), recipients)).length
}

/** A value of the largest size, by what JSON makes of a byte of it: base64url then takes 4 bytes for 3. */
const values = [
  { name: "letters and digits", unit: "a", factor: 1.4 },
  { name: "spaces and punctuation", unit: "; {x}: '%41' ", factor: 1.4 },
  { name: "characters of two bytes", unit: "ü", factor: 1.4 },
  { name: "characters of four bytes", unit: "🔑", factor: 1.4 },
  { name: "quotes", unit: '"', factor: 2.67 },
  { name: "line breaks", unit: "\n", factor: 2.67 },
  { name: "control characters, the worst there is", unit: "\u0001", factor: 8 },
]
const overheadBytes = 6 * 1024

describe("a record, from value to blob", () => {
  const cases = values.flatMap((value) => recipientSets.map((set) => ({ ...value, ...set })))
  it.each(cases)(
    "grows at most by $factor and 6 KB: $name, for $recipients",
    async ({ unit, factor, of }) => {
      for (const bytes of [0, 1, 2049, largest]) {
        const value = unit.repeat(Math.floor(bytes / Buffer.byteLength(unit)))
        const size = Buffer.byteLength(value)
        expect(await blobBytes(value, of)).toBeLessThanOrEqual(Math.floor(size * factor) + overheadBytes)
      }
    },
  )

  it("reaches 8 times the value in the worst case: the bound is no looser than that", async () => {
    expect(await blobBytes("\u0001".repeat(largest), [ec])).toBeGreaterThan(largest * 8)
  })

  it("stays within what the documentation says when tags and content type are the worst there are, too", async () => {
    const worst = "\u0001"
    const tags = Object.fromEntries(
      Array.from({ length: 15 }, (_, n) => [worst.repeat(511) + String.fromCharCode(n), worst.repeat(512)]),
    )
    const size = await blobBytes(worst.repeat(largest), [rsa4096, rsa2048, ec, ec], tags, worst.repeat(255))
    const { worstKb } = documented()
    expect(size).toBeLessThanOrEqual(worstKb * 1024)
    expect(size).toBeGreaterThan((worstKb - 10) * 1024)
  })

  it("stays within what the documentation says for the largest certificate that fits", async () => {
    const key = newKey("RSA-4096")
    const chain = aChain({ key, length: 3 })
    const readings = certificateReadings(chain, { value: materialOf(key, chain.certificates) })
    const id = { id: "x", tags: {}, attributes }
    const certificate = {
      ...id,
      secretId: `https://${"h".repeat(24)}.vault.azure.net/secrets/${"n".repeat(127)}/${"0".repeat(32)}`,
      ...readings.certificate,
    }
    const value = readings.secret.value?.reveal() ?? ""
    const plain = serializeRecord(
      buildRecord(
        {
          object: { ...object, kind: "certificate" },
          secret: { ...id, managed: true },
          certificate,
          privateKey: "present",
        },
        event,
        value,
        new Date(0),
      ),
    )
    const size = (await sealRecord(plain, "x", [rsa4096, ec])).length
    const cerBytes = Math.ceil(chain.certificates[0].length / 3) * 4
    expect(size).toBeLessThanOrEqual(Math.floor((value.length + cerBytes) * 1.4) + overheadBytes)
  })

  it("is told in the documentation with the factors that hold here", () => {
    expect(documented().factors).toEqual([1.4, 2.67, 8])
  })
})

/** What docs/formats.md says of growth. */
function documented(): { readonly factors: readonly number[]; readonly worstKb: number } {
  const page = readFileSync(new URL("../../../docs/formats.md", import.meta.url), "utf8")
  const [, section = ""] = page.split("### How large a blob is\n")
  const [text = ""] = section.split("\n## ")
  const factors = [...text.matchAll(/^\|[^|]*\| *([\d.]+) × value/gm)].map(([, factor]) => Number(factor))
  return { factors, worstKb: Number(/at most (\d+) KB/.exec(text)?.[1]) }
}
