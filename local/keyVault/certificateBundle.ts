import { createHash } from "node:crypto"
import { attributesBody } from "./objectAttributes.ts"
import type { CertificatePolicy, CertificateVersion } from "./vaultObject.ts"
import type { VaultContext } from "./vaultRequest.ts"

/** A certificate version as get and import answer it. The policy is that of the certificate, not of the version. */
export function certificateBundle(
  vault: VaultContext,
  name: string,
  version: CertificateVersion,
): Readonly<Record<string, unknown>> {
  const at = (collection: string) => `${vault.url}/${collection}/${name}/${version.version}`
  return {
    id: at("certificates"),
    kid: at("keys"),
    sid: at("secrets"),
    x5t: thumbprint(version),
    cer: version.chain[0],
    attributes: attributesBody(version),
    tags: version.tags,
    policy: policyBody(vault, name, version),
  }
}

/** A list item; in the list of certificates its id has no version. */
export function certificateItem(
  vault: VaultContext,
  name: string,
  version: CertificateVersion,
  init: { readonly withVersion: boolean },
): Readonly<Record<string, unknown>> {
  return {
    id: `${vault.url}/certificates/${name}${init.withVersion ? `/${version.version}` : ""}`,
    x5t: thumbprint(version),
    attributes: attributesBody(version),
    tags: version.tags,
  }
}

export function policyBody(
  vault: VaultContext,
  name: string,
  { attributes }: CertificateVersion,
): CertificatePolicy {
  return {
    id: `${vault.url}/certificates/${name}/policy`,
    ...vault.state.policies.get(name.toLowerCase()),
    attributes: { enabled: true, created: attributes.created, updated: attributes.updated },
  }
}

function thumbprint({ chain }: CertificateVersion): string {
  return createHash("sha1").update(Buffer.from(chain[0], "base64")).digest("base64url")
}
