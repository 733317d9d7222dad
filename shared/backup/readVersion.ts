import { type PrivateKeyPresence, privateKeyPresence } from "../certificate/privateKeyPresence.ts"
import { formatVersionUrl, type ObjectVersion, parseVersionUrl } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import type { CertificateReading, SecretReading, VaultReader } from "../vault/vaultReader.ts"

/** One version as the vault answered it. */
export interface VersionReading {
  /** The object the record is kept under: a certificate, also when its secret was asked for. */
  readonly object: ObjectVersion
  readonly secret: SecretReading
  readonly certificate?: CertificateReading
  /** Of a certificate whose secret has a value. */
  readonly privateKey?: PrivateKeyPresence
}

/**
 * Reads exactly one version: one GET for a secret; two for a certificate, its own and that of the secret which its
 * `sid` names. A secret that belongs to a certificate leads to the certificate, so that any of its events gives one
 * record.
 *
 * @throws ServiceError as VaultReader does; ERR_VAULT_RESPONSE_INVALID also for a `sid` that names another object,
 * and for a secret that does not hold the certificate, or the key of another.
 */
export async function readVersion(asked: ObjectVersion, vault: VaultReader): Promise<VersionReading> {
  if (asked.kind === "certificate") {
    const certificate = await vault.readCertificate(asked)
    const secret = await vault.readSecret(secretOf(certificate, asked))
    return certificateVersion(asked, secret, certificate)
  }
  const secret = await vault.readSecret(asked)
  if (!secret.managed) return { object: asked, secret }
  const object: ObjectVersion = { ...asked, kind: "certificate" }
  const certificate = await vault.readCertificate(object)
  if (formatVersionUrl(secretOf(certificate, object)) !== formatVersionUrl(asked)) {
    throw foreignSecret(object)
  }
  return certificateVersion(object, secret, certificate)
}

function certificateVersion(
  object: ObjectVersion,
  secret: SecretReading,
  certificate: CertificateReading,
): VersionReading {
  const value = secret.value?.reveal()
  if (value === undefined) return { object, secret, certificate }
  const privateKey = privateKeyPresence(value, secret.contentType, certificate)
  if (privateKey) return { object, secret, certificate, privateKey }
  throw invalid("The secret behind the certificate holds another certificate or another key", object)
}

/** The secret behind a certificate. It must be in the same vault and have the same name, whatever the vault says. */
function secretOf({ secretId }: CertificateReading, certificate: ObjectVersion): ObjectVersion {
  const parsed = parseVersionUrl(secretId)
  if (!("object" in parsed)) throw foreignSecret(certificate)
  const { kind, host, name } = parsed.object
  if (kind !== "secret" || host !== certificate.host || name !== certificate.name)
    throw foreignSecret(certificate)
  return parsed.object
}

function foreignSecret(certificate: ObjectVersion): ServiceError {
  return invalid("The certificate's sid names a secret that is not its own", certificate)
}

function invalid(what: string, object: ObjectVersion): ServiceError {
  return new ServiceError("ERR_VAULT_RESPONSE_INVALID", what, {
    details: { object: formatVersionUrl(object) },
  })
}
