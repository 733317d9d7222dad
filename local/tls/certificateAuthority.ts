import { generateKeyPair, randomBytes } from "node:crypto"
import { promisify } from "node:util"
import { parseDistinguishedName } from "./distinguishedName.ts"
import { signCertificate, toPem } from "./signCertificate.ts"

/** A server certificate and its private key (PKCS#8), both PEM; `cert` is the leaf alone. */
interface IssuedCertificate {
  readonly cert: string
  readonly key: string
}

/** One local cloud's certificate authority: whoever trusts `caPem` trusts every server of the cloud. */
export interface CertificateAuthority {
  readonly caPem: string
  /**
   * Issues a certificate for these host names and addresses; 127.0.0.1, ::1 and localhost are always among
   * them. Each call makes a fresh key.
   */
  issue(hosts: readonly string[]): Promise<IssuedCertificate>
}

const loopbackHosts = ["127.0.0.1", "::1", "localhost"] as const
const serverAuthentication = "1.3.6.1.5.5.7.3.1"
const dayMs = 86_400_000
const validForDays = 3650
const newKeyPair = () => promisify(generateKeyPair)("ec", { namedCurve: "P-256" })

/**
 * Makes a certificate authority with a fresh P-256 key that never leaves this process. Certificates hold for
 * ten years and from one day ago, so that a clock that is a little behind still accepts them.
 */
export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const { publicKey, privateKey: signingKey } = await newKeyPair()
  // The name is random, or a client that trusts two clouds at once may try the other authority first.
  const issuer = parseDistinguishedName(`CN=Local cloud authority ${randomBytes(4).toString("hex")}`)
  const notBefore = new Date(Date.now() - dayMs)
  const notAfter = new Date(Date.now() + validForDays * dayMs)
  const shared = { issuer, signingKey, notBefore, notAfter }
  const caDer = signCertificate({
    ...shared,
    subject: issuer,
    publicKey,
    isAuthority: true,
    keyUsage: ["keyCertSign", "cRLSign"],
  })
  return {
    caPem: toPem(caDer, "CERTIFICATE"),
    issue: async (hosts) => {
      const keys = await newKeyPair()
      const der = signCertificate({
        ...shared,
        subject: parseDistinguishedName("CN=localhost"),
        publicKey: keys.publicKey,
        keyUsage: ["digitalSignature"],
        extendedKeyUsage: [serverAuthentication],
        hosts: [...new Set([...hosts, ...loopbackHosts])],
      })
      const key = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
      return { cert: toPem(der, "CERTIFICATE"), key }
    },
  }
}
