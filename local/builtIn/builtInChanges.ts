import type { Outcome } from "../../shared/backup/outcome.ts"
import { certificateChain, type CertificateMaterialMade } from "./certificateChain.ts"
import { largestMultiByteText, largestText, mixedLineText, pemText, randomText } from "./builtInValues.ts"

/** What a version has beside its value. */
interface SecretProperties {
  readonly contentType?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly enabled?: boolean
  readonly notBefore?: Date
  readonly expires?: Date
}

/** A certificate that signs itself, for the vault to make. */
interface CertificatePolicyAsked {
  readonly issuerName: "Self"
  readonly subject: string
  readonly keyType: "RSA" | "EC"
  readonly contentType: "application/x-pkcs12" | "application/x-pem-file"
  readonly exportable: boolean
}

/**
 * What to do to the vault, or to its events. `setTogether` sends both values at once and waits for neither first.
 * `repeatEvent` delivers the event of another change again; `nearExpiryEvent` publishes the notice that the
 * version of another change will expire soon.
 */
export type BuiltInAct =
  | ({ readonly kind: "set"; readonly name: string; readonly value: string } & SecretProperties)
  | { readonly kind: "setTogether"; readonly name: string; readonly values: readonly [string, string] }
  | {
      readonly kind: "createCertificate"
      readonly name: string
      readonly policy: CertificatePolicyAsked
      readonly enabled?: boolean
    }
  | ({ readonly kind: "importCertificate"; readonly name: string } & CertificateMaterialMade)
  | { readonly kind: "repeatEvent" | "nearExpiryEvent"; readonly of: string }

/** One change of the built-in set. Every version that `act` makes must have the outcome `expected`. */
export interface BuiltInChange {
  /** Unique in the set. */
  readonly label: string
  readonly act: BuiltInAct
  readonly expected: Extract<Outcome["outcome"], "stored" | "alreadyStored" | "skipped" | "unreadable">
}

const hourMs = 3_600_000
const longestName = "longest-name-".repeat(10).slice(0, 126).concat("z")

/**
 * The changes of `npm start -- --once` when nothing is imported: every kind of value, name and attribute that is
 * known to break backups. Values are fresh and random at each call where that makes sense. To be done in this
 * order: an event that refers to another change stands after it.
 *
 * @param now - what "expired" and "not yet valid" are measured from.
 */
export function builtInChanges(now: Date = new Date()): readonly BuiltInChange[] {
  const earlier = new Date(now.getTime() - hourMs)
  const later = new Date(now.getTime() + hourMs)
  return [
    stored("plain text", { name: "plain", value: randomText(40) }),
    stored("PEM, many lines", { name: "pem-text", value: pemText(), contentType: "application/x-pem-file" }),
    stored("PEM, CRLF", { name: "pem-crlf", value: pemText("\r\n") }),
    stored("mixed line endings", { name: "mixed-lines", value: mixedLineText() }),
    stored("empty value", { name: "empty", value: "" }),
    stored("25,600 bytes", { name: "largest", value: largestText() }),
    stored("25,600 bytes of multi-byte characters", {
      name: "largest-multi-byte",
      value: largestMultiByteText(),
    }),
    stored("non-ASCII and emoji", {
      name: "non-ascii",
      value: `rødgrød ключ 鍵 👩🏽‍🚀 e\u0301 ${randomText(8)}`,
    }),
    stored("NUL and byte order mark", {
      name: "control",
      value: `\uFEFF${randomText(8)}\u0000\u0007\u007f\u2028\uFEFF`,
    }),
    stored("percent signs, quotes, backslashes", {
      name: "escapes",
      value: `%41%00%zz "'\`\\n\\u0041 \\\\ $\{x} ${randomText(8)}`,
    }),
    stored("trailing newline and spaces", { name: "trailing", value: `  ${randomText(20)} \t \n` }),
    stored("JSON value", { name: "json", value: jsonText(), contentType: "application/json" }),
    {
      label: "two versions at once",
      act: { kind: "setTogether", name: "together", values: [randomText(40), randomText(40)] },
      expected: "stored",
    },
    stored("name of 127 characters", { name: longestName, value: randomText(40) }),
    stored("one name, first spelling", { name: "Db-Conn", value: randomText(40) }),
    stored("one name, second spelling", { name: "db-conn", value: randomText(41) }),
    stored("tags no header may carry", { name: "tags", value: randomText(40), tags }),
    stored("content type not ASCII", {
      name: "content-type",
      value: randomText(40),
      contentType: 'text/ключ; 鍵="🔑"',
    }),
    {
      label: "disabled",
      act: { kind: "set", name: "disabled", value: randomText(40), enabled: false },
      expected: "unreadable",
    },
    stored("expired", { name: "expired", value: randomText(40), expires: earlier }),
    stored("not yet valid", { name: "not-yet-valid", value: randomText(40), notBefore: later }),
    stored("expires soon", { name: "expires-soon", value: randomText(40), expires: later }),
    certificate("certificate, RSA, PFX", "tls-rsa-pfx", {}),
    certificate("certificate, EC, PEM", "tls-ec-pem", {
      keyType: "EC",
      contentType: "application/x-pem-file",
    }),
    certificate("certificate whose key stays in the vault", "tls-key-kept", {
      keyType: "EC",
      exportable: false,
    }),
    {
      label: "certificate, imported with its chain, PFX",
      act: { kind: "importCertificate", name: "tls-chain-pfx", ...certificateChain("application/x-pkcs12") },
      expected: "stored",
    },
    {
      label: "certificate, imported with its chain, PEM",
      act: {
        kind: "importCertificate",
        name: "tls-chain-pem",
        ...certificateChain("application/x-pem-file"),
      },
      expected: "stored",
    },
    {
      label: "certificate, disabled",
      act: {
        kind: "createCertificate",
        name: "tls-disabled",
        policy: { ...selfSigned, keyType: "EC" },
        enabled: false,
      },
      expected: "unreadable",
    },
    { label: "event repeated", act: { kind: "repeatEvent", of: "plain text" }, expected: "alreadyStored" },
    { label: "near-expiry event", act: { kind: "nearExpiryEvent", of: "expires soon" }, expected: "skipped" },
  ]
}

/** Within a vault's limits (15 tags of 512 characters), and each of a kind that breaks as a header. */
const tags = {
  rødgrød: "æ",
  "a b": "x",
  "1x": "y",
  owner: "line1\nline2",
  k: "",
  "x:y=z": 'Ünïcode; "quoted", \u0000, 🔑',
  [`long-${"n".repeat(507)}`]: "æ".repeat(512),
}

const selfSigned: CertificatePolicyAsked = {
  issuerName: "Self",
  subject: "CN=local.example.test",
  keyType: "RSA",
  contentType: "application/x-pkcs12",
  exportable: true,
}

function certificate(label: string, name: string, asked: Partial<CertificatePolicyAsked>): BuiltInChange {
  return {
    label,
    act: { kind: "createCertificate", name, policy: { ...selfSigned, ...asked } },
    expected: "stored",
  }
}

function stored(
  label: string,
  secret: { readonly name: string; readonly value: string } & SecretProperties,
): BuiltInChange {
  return { label, act: { kind: "set", ...secret }, expected: "stored" }
}

function jsonText(): string {
  return JSON.stringify(
    { user: "app", password: randomText(20), hosts: ["a", "b"], note: 'æ "quoted"\n' },
    null,
    2,
  )
}
