import * as fc from "fast-check"
import { type Change, type ChangeEvidence, origins } from "../../shared/change/change.ts"
import type { ObjectVersion } from "../../shared/change/objectVersion.ts"

const lower = "abcdefghijklmnopqrstuvwxyz"
const digits = "0123456789"

function textOf(alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength })
}

const hostName = fc.oneof(
  textOf(lower, 3, 24).map((name) => `${name}.vault.azure.net`),
  fc.array(textOf(lower, 1, 8), { minLength: 1, maxLength: 4 }).map((labels) => labels.join(".")),
  fc.ipV4(),
)

const port = fc.option(
  fc.integer({ min: 1, max: 65_535 }).filter((port) => port !== 443),
  { nil: undefined },
)

/** Any object version there can be, with its vault at a DNS name or an address. */
export const anObjectVersion: fc.Arbitrary<ObjectVersion> = fc
  .record({
    hostName,
    port,
    kind: fc.constantFrom("secret" as const, "certificate" as const),
    name: textOf(`${lower}${digits}-`, 1, 127),
    version: textOf("0123456789abcdef", 32, 32),
  })
  .map(({ hostName, port, kind, name, version }) => {
    const host = port === undefined ? hostName : `${hostName}:${port}`
    return { vault: `https://${host}`, host, kind, name, version }
  })

const evidenceText = (maxLength: number) =>
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength })
    .map((text) =>
      text
        .replaceAll(/[\u0000-\u001f\u007f-\u009f\ufffd]/g, "")
        .trim()
        .slice(0, maxLength),
    )
    .filter((text) => text !== "" && text.isWellFormed())

/** What a change may keep of its event: all, some or none of it; the type fits the kind. */
function evidenceOf({ kind }: ObjectVersion): fc.Arbitrary<ChangeEvidence> {
  const type =
    kind === "secret"
      ? "Microsoft.KeyVault.SecretNewVersionCreated"
      : "Microsoft.KeyVault.CertificateNewVersionCreated"
  return fc.record(
    { id: evidenceText(60), type: fc.constant(type), time: evidenceText(30), topic: evidenceText(200) },
    { requiredKeys: [] },
  )
}

/** Any change. */
export const aChange: fc.Arbitrary<Change> = anObjectVersion.chain((object) =>
  fc
    .record({ origin: fc.constantFrom(...origins), event: evidenceOf(object) })
    .map(({ origin, event }) => ({ object, origin, ...(Object.keys(event).length > 0 ? { event } : {}) })),
)
