import type { KeyObject, X509Certificate } from "node:crypto"
import * as asn1 from "asn1js"
import * as pki from "pkijs"
import { z } from "zod"
import { exactBytes, type KeyUsage, keyUsageBits } from "../tls/signCertificate.ts"
import { describeKey, keyFactsSchema } from "./keyFacts.ts"
import { badParameter } from "./vaultError.ts"
import type { CertificateContentType, CertificatePolicy } from "./vaultObject.ts"

const oid = z.string().regex(/^\d+(\.\d+)+$/)
const serverAndClient = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]

/** What a request may say about a certificate's policy; what is not named here is kept as it came. */
export const policySchema = z.looseObject({
  key_props: keyFactsSchema
    .extend({ exportable: z.boolean().nullish(), reuse_key: z.boolean().nullish() })
    .nullish(),
  secret_props: z
    .object({ contentType: z.enum(["application/x-pkcs12", "application/x-pem-file"]).nullish() })
    .nullish(),
  x509_props: z
    .object({
      subject: z.string().nullish(),
      sans: z
        .object({
          dns_names: z.array(z.string()).nullish(),
          emails: z.array(z.string()).nullish(),
          ipAddresses: z.array(z.string()).nullish(),
          // Refused rather than left out: the certificate would not be what was asked for.
          upns: z.array(z.string()).max(0).nullish(),
          uris: z.array(z.string()).max(0).nullish(),
        })
        .nullish(),
      ekus: z.array(oid).nullish(),
      key_usage: z.array(z.enum(keyUsageBits)).nullish(),
      validity_months: z.int().min(1).max(1200).nullish(),
    })
    .nullish(),
  lifetime_actions: z.array(z.unknown()).nullish(),
  issuer: z.looseObject({ name: z.string().nullish() }).nullish(),
})

export type PolicyRequest = z.infer<typeof policySchema>

/** A policy with nothing left open. */
export interface FullPolicy extends CertificatePolicy {
  readonly key_props: ReturnType<typeof describeKey> & {
    readonly exportable: boolean
    readonly reuse_key: boolean
  }
  readonly secret_props: { readonly contentType: CertificateContentType }
  readonly x509_props: {
    readonly subject: string
    readonly sans: NonNullable<NonNullable<PolicyRequest["x509_props"]>["sans"]>
    readonly ekus: readonly string[]
    readonly key_usage: readonly KeyUsage[]
    readonly validity_months: number
  }
  readonly issuer: { readonly name: string }
}

/**
 * The policy of a certificate to be made: what is asked for, and the service's defaults.
 *
 * @throws VaultError 400 BadParameter without a subject, or for an issuer that is not `Self`.
 */
export function policyToCreate(asked: PolicyRequest): FullPolicy {
  const { x509_props: x509, key_props: key, issuer } = asked
  if ((issuer?.name ?? "Self").toLowerCase() !== "self") {
    throw badParameter("This vault issues certificates of the issuer 'Self' only; import others")
  }
  if (!x509?.subject && !x509?.sans)
    throw badParameter("The policy has neither a subject nor a subject alternative name")
  return {
    key_props: {
      ...describeKey(key ?? { kty: "RSA", key_size: 2048 }),
      exportable: key?.exportable ?? true,
      reuse_key: key?.reuse_key ?? false,
    },
    secret_props: { contentType: asked.secret_props?.contentType ?? "application/x-pkcs12" },
    x509_props: {
      subject: x509.subject ?? "",
      sans: x509.sans ?? {},
      ekus: x509.ekus ?? serverAndClient,
      key_usage: x509.key_usage ?? ["digitalSignature", "keyEncipherment"],
      validity_months: x509.validity_months ?? 12,
    },
    ...(asked.lifetime_actions && { lifetime_actions: asked.lifetime_actions }),
    issuer: { name: "Self" },
  }
}

/** The policy of an imported certificate: what the certificate shows, under what is asked for. */
export function policyOfImport(
  leaf: X509Certificate,
  privateKey: KeyObject,
  contentType: CertificateContentType,
  asked: PolicyRequest | null | undefined,
): FullPolicy {
  const dnsNames = [...(leaf.subjectAltName ?? "").matchAll(/DNS:([^,\s"]+)/g)].map(([, name]) => name ?? "")
  const months = Math.round((Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / (30.44 * 86_400_000))
  return {
    key_props: {
      ...describeKey(privateKey),
      exportable: asked?.key_props?.exportable ?? true,
      reuse_key: asked?.key_props?.reuse_key ?? false,
    },
    secret_props: { contentType },
    x509_props: {
      subject: leaf.subject?.split("\n").join(", ") ?? "",
      sans: dnsNames.length > 0 ? { dns_names: dnsNames } : {},
      ekus: leaf.keyUsage ?? [],
      key_usage: keyUsageOf(leaf),
      validity_months: Math.max(1, months),
    },
    ...(asked?.lifetime_actions && { lifetime_actions: asked.lifetime_actions }),
    issuer: { name: asked?.issuer?.name ?? "Unknown" },
  }
}

function keyUsageOf(leaf: X509Certificate): readonly KeyUsage[] {
  const { extensions } = pki.Certificate.fromBER(exactBytes(leaf.raw))
  const usage: unknown = extensions?.find(({ extnID }) => extnID === "2.5.29.15")?.parsedValue
  if (!(usage instanceof asn1.BitString)) return []
  const bytes = usage.valueBlock.valueHexView
  return keyUsageBits.filter((_, index) => ((bytes[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0)
}
