import { createPublicKey, generateKeyPairSync } from "node:crypto"
import { writePkcs12 } from "../keyVault/writePkcs12.ts"
import { parseDistinguishedName } from "../tls/distinguishedName.ts"
import { signCertificate, toPem } from "../tls/signCertificate.ts"

/** What a vault imports: the private key with its certificates. */
export interface CertificateMaterialMade {
  /** A PFX without password in base64, or PEM text. */
  readonly value: string
  readonly contentType: "application/x-pkcs12" | "application/x-pem-file"
}

const dayMs = 86_400_000
const names = ["chain.example.test", "Local issuing authority", "Local root authority"]

/** A fresh EC key with a chain of three: leaf, issuer, root. The root comes first, as some tools write it. */
export function certificateChain(
  contentType: CertificateMaterialMade["contentType"],
): CertificateMaterialMade {
  const keys = names.map(() => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)
  const [key] = keys
  if (!key) throw new TypeError("No key was made")
  const chain = keys.map((own, depth) => {
    const above = Math.min(depth + 1, names.length - 1)
    return signCertificate({
      subject: parseDistinguishedName(`CN=${names[depth]}`),
      issuer: parseDistinguishedName(`CN=${names[above]}`),
      publicKey: createPublicKey(own),
      signingKey: keys[above] ?? own,
      notBefore: new Date(Date.now() - dayMs),
      notAfter: new Date(Date.now() + 90 * dayMs),
      isAuthority: depth > 0,
      pathLength: depth - 1,
      keyUsage: depth > 0 ? ["keyCertSign"] : ["digitalSignature"],
    })
  })
  if (contentType === "application/x-pkcs12") {
    return { contentType, value: writePkcs12(key, chain).toString("base64") }
  }
  const rootFirst = chain.toReversed().map((der) => toPem(der, "CERTIFICATE"))
  return {
    contentType,
    value: `${rootFirst.join("")}${key.export({ type: "pkcs8", format: "pem" }).toString()}`,
  }
}
