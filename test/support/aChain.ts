import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto"
import { writePkcs12 } from "../../local/keyVault/writePkcs12.ts"
import { parseDistinguishedName } from "../../local/tls/distinguishedName.ts"
import { signCertificate, toPem } from "../../local/tls/signCertificate.ts"
import { pemContentType, pkcs12ContentType } from "../../shared/certificate/certificateMaterial.ts"
import type { CertificateReading, SecretReading } from "../../shared/vault/vaultReader.ts"
import { SecretValue } from "../../shared/secretValue.ts"

const curves = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" } as const

/** Every kind of key that a certificate in a vault can have. */
export const keyKinds = ["RSA-2048", "RSA-3072", "RSA-4096", "P-256", "P-384", "P-521"] as const

export type KeyKind = (typeof keyKinds)[number]

export const contentTypes = [pkcs12ContentType, pemContentType] as const

/** A key and the certificates that vouch for it: the leaf first, the root last. */
export interface Chain {
  readonly key: KeyObject
  /** DER. */
  readonly certificates: readonly [Buffer, ...Buffer[]]
}

/** A fresh private key. */
export function newKey(kind: KeyKind = "P-256"): KeyObject {
  const { privateKey } = kind.startsWith("RSA")
    ? generateKeyPairSync("rsa", { modulusLength: Number(kind.slice(4)) })
    : generateKeyPairSync("ec", { namedCurve: curves[kind as keyof typeof curves] })
  return privateKey
}

/** A chain of `length` certificates for `key`; of one, the certificate signs itself. `notAfter` is that of the leaf. */
export function aChain({
  key = newKey(),
  length = 1,
  notAfter = new Date(Date.now() + 30 * 86_400_000),
}: { readonly key?: KeyObject; readonly length?: number; readonly notAfter?: Date } = {}): Chain {
  const run = randomBytes(3).toString("hex")
  const nameOf = (depth: number) => parseDistinguishedName(`CN=chain ${run} ${depth === 0 ? "leaf" : depth}`)
  const keys = Array.from({ length }, (_, depth) => (depth === 0 ? key : newKey()))
  const certificates = keys.map((own, depth) => {
    const above = Math.min(depth + 1, length - 1)
    return signCertificate({
      subject: nameOf(depth),
      issuer: nameOf(above),
      publicKey: createPublicKey(own),
      signingKey: keys[above] ?? own,
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: depth === 0 ? notAfter : new Date(Date.now() + 30 * 86_400_000),
      isAuthority: depth > 0,
      pathLength: depth - 1,
      keyUsage: depth > 0 ? ["keyCertSign"] : ["digitalSignature"],
      hosts: depth > 0 ? [] : ["chain.example.test"],
    })
  })
  return { key, certificates: certificates as [Buffer, ...Buffer[]] }
}

/** The value of a certificate's secret. Two PFX of one key differ in their bytes. */
export function materialOf(
  key: KeyObject | undefined,
  certificates: readonly Buffer[],
  contentType: (typeof contentTypes)[number] = pkcs12ContentType,
): string {
  if (contentType === pkcs12ContentType) return writePkcs12(key, certificates).toString("base64")
  const pem = certificates.map((der) => toPem(der, "CERTIFICATE")).join("")
  return `${key?.export({ type: "pkcs8", format: "pem" }).toString() ?? ""}${pem}`
}

/** Both answers of a vault about one certificate version, for a vault in memory. */
export function certificateReadings(
  { key, certificates }: Chain,
  {
    exportable = true,
    contentType = pkcs12ContentType,
    value = materialOf(exportable ? key : undefined, certificates, contentType),
    ...rest
  }: Partial<CertificateReading> & {
    readonly exportable?: boolean
    readonly contentType?: (typeof contentTypes)[number]
    readonly value?: string
  } = {},
): {
  readonly certificate: Pick<CertificateReading, "cer"> & Partial<CertificateReading>
  readonly secret: Partial<SecretReading>
} {
  const attributes = { enabled: true, created: new Date("2026-03-01T10:00:00Z") }
  return {
    certificate: {
      cer: certificates[0],
      policy: { key_props: { exportable }, secret_props: { contentType } },
      tags: { owner: "team-c" },
      attributes,
      ...rest,
    },
    secret: { value: new SecretValue(value), contentType, managed: true, tags: {}, attributes },
  }
}
