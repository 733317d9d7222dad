import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto"
import { basename } from "node:path"
import { type KeyAndCertificates, readPkcs12 } from "../../shared/certificate/readPkcs12.ts"
import { describeKey } from "../keyVault/keyFacts.ts"
import { writePkcs12 } from "../keyVault/writePkcs12.ts"
import { toPem } from "../tls/signCertificate.ts"
import type { FileReading, ImportFile } from "./fileKind.ts"
import type { PasswordSource } from "./passwordSource.ts"

const extensions = /\.(?:pem|pfx|p12|p7b|crt|cer|der)$/i
/** What `openssl pkcs12` writes before the first block. */
const pemStart = /^\uFEFF?\s*(?:-----BEGIN |Bag Attributes\b)/
/** A DER sequence with a length of its own: no UTF-8 text begins so. */
const derStart = (bytes: Buffer): boolean => bytes[0] === 0x30 && bytes[1] !== undefined && bytes[1] >= 0x80

const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g
const pemPrivateKey = /-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/g
const pemEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m

/** PEM, PFX and DER, told by the name or by the first bytes. */
export function isCertificateFile({ path, bytes }: ImportFile): boolean {
  return extensions.test(path) || derStart(bytes) || pemStart.test(bytes.subarray(0, 4096).toString("utf8"))
}

/**
 * Reads one certificate with its private key and its chain: a PFX, or a PEM of key and certificates in any order. A file
 * that is locked is opened with what `passwords` has for it. The name is the file's, without its extension, dots as `-`.
 */
export async function readCertificateFile(file: ImportFile, passwords: PasswordSource): Promise<FileReading> {
  const { path, bytes } = file
  const problem = (reason: string): FileReading => ({
    entries: [],
    problems: [{ file: path, reason }],
    notes: [],
  })
  const isPem = bytes.includes("-----BEGIN")
  const opened = await open(bytes, isPem, (attempt) => passwords.passwordOf(path, attempt))
  if ("reason" in opened) return problem(opened.reason)
  const certificates = opened.certificates.map((der) => new X509Certificate(der))
  if (opened.privateKeys.length === 0) {
    return problem(
      certificates.length === 0
        ? "the file holds no certificate and no private key"
        : "the file holds a certificate without its private key; put both into one file",
    )
  }
  const pair = pairOf(opened.privateKeys, certificates)
  if (!pair) {
    return problem(
      certificates.length === 0
        ? "the file holds a private key without its certificate; put both into one file"
        : "the private key in the file belongs to none of the certificates in it",
    )
  }
  const { key, leaf } = pair
  if (!isOfVault(key)) {
    return problem(
      "the private key is none that a vault takes: RSA of 2048, 3072 or 4096 bits, or EC on P-256, P-384 or P-521",
    )
  }
  const chain = [leaf.raw, ...certificates.filter((other) => other !== leaf).map(({ raw }) => raw)]
  const name = basename(path).replace(extensions, "").replaceAll(".", "-")
  const certificate = isPem
    ? { name, contentType: "application/x-pem-file" as const, value: pemOf(key, chain) }
    : {
        name,
        contentType: "application/x-pkcs12" as const,
        value: writePkcs12(key, chain).toString("base64"),
      }
  return { entries: [], certificates: [certificate], problems: [], notes: [] }
}

type Opened = KeyAndCertificates | { readonly reason: string }

async function open(
  bytes: Buffer,
  isPem: boolean,
  passwordOf: (attempt: number) => Promise<string | undefined>,
): Promise<Opened> {
  const read = isPem ? readPem : readPfx
  const withoutPassword = read(bytes, "")
  if (withoutPassword) return withoutPassword
  if (!isPem && isX509(bytes)) return { privateKeys: [], certificates: [bytes] }
  if (isPem ? !pemEncrypted.test(bytes.toString("utf8")) : !derStart(bytes)) {
    return { reason: `the file is no ${isPem ? "PEM" : "PFX"} that can be read` }
  }
  for (let attempt = 1; ; attempt++) {
    const password = await passwordOf(attempt)
    if (password === undefined) {
      return {
        reason:
          attempt === 1
            ? "the file needs a password: name a file that holds it with --password-file, or run this on a terminal"
            : "the password does not open the file, or the file is none that can be read",
      }
    }
    const opened = read(bytes, password)
    if (opened) return opened
  }
}

function readPfx(bytes: Buffer, password: string): KeyAndCertificates | undefined {
  try {
    return readPkcs12(bytes, password)
  } catch {
    return undefined
  }
}

function readPem(bytes: Buffer, passphrase: string): KeyAndCertificates | undefined {
  const text = bytes.toString("utf8")
  try {
    return {
      privateKeys: (text.match(pemPrivateKey) ?? []).map((key) => createPrivateKey({ key, passphrase })),
      certificates: (text.match(pemCertificate) ?? []).map((pem) => new X509Certificate(pem).raw),
    }
  } catch {
    return undefined
  }
}

function isX509(bytes: Buffer): boolean {
  try {
    return new X509Certificate(bytes).raw.length > 0
  } catch {
    return false
  }
}

function pairOf(keys: readonly KeyObject[], certificates: readonly X509Certificate[]) {
  for (const key of keys) {
    const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key))
    if (leaf) return { key, leaf }
  }
  return undefined
}

function isOfVault(key: KeyObject): boolean {
  try {
    return describeKey(key).kty !== undefined
  } catch {
    return false
  }
}

function pemOf(key: KeyObject, chain: readonly Buffer[]): string {
  const certificates = chain.map((der) => toPem(der, "CERTIFICATE")).join("")
  return `${key.export({ type: "pkcs8", format: "pem" }).toString()}${certificates}`
}
