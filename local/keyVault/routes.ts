import {
  createCertificate,
  getCertificate,
  getCertificateOperation,
  getCertificatePolicy,
  importCertificate,
  listCertificates,
  listCertificateVersions,
  updateCertificate,
  updateCertificatePolicy,
} from "./certificateHandlers.ts"
import {
  deleteCertificate,
  getDeletedCertificate,
  listDeletedCertificates,
  purgeCertificate,
  recoverCertificate,
} from "./deletedCertificateHandlers.ts"
import { deleteKey, getDeletedKey, listDeletedKeys, purgeKey, recoverKey } from "./deletedKeyHandlers.ts"
import {
  createKey,
  getKey,
  listKeys,
  listKeyVersions,
  signWithKey,
  unwrapWithKey,
  updateKey,
  verifyWithKey,
  wrapWithKey,
} from "./keyHandlers.ts"
import {
  deleteSecret,
  getDeletedSecret,
  getSecret,
  listDeletedSecrets,
  listSecrets,
  listSecretVersions,
  purgeSecret,
  recoverSecret,
  setSecret,
  updateSecret,
} from "./secretHandlers.ts"
import { badParameter } from "./vaultError.ts"
import type { VaultAnswer, VaultRequest } from "./vaultRequest.ts"

/** What one operation of the vault needs, and who answers it. */
interface Route {
  /** The Azure data action a caller must have been granted. */
  readonly action: string
  /** The access-policy permission of the same operation, as refusals spell it, such as `secrets get`. */
  readonly permission: string
  readonly handle: (request: VaultRequest) => VaultAnswer | Promise<VaultAnswer>
}

export interface MatchedRoute {
  readonly route: Route
  readonly name: string
  readonly version: string
}

const namePattern = /^[0-9A-Za-z-]{1,127}$/
const versionPattern = /^[0-9a-f]{32}$/

const route = (action: string, permission: string, handle: Route["handle"]): Route => ({
  action: `Microsoft.KeyVault/vaults/${action}`,
  permission,
  handle,
})

/** By method and path; `*` stands for a name or a version. */
const secretRoutes: readonly (readonly [string, Route])[] = [
  ["GET secrets", route("secrets/readMetadata/action", "secrets list", listSecrets)],
  ["PUT secrets/*", route("secrets/setSecret/action", "secrets set", setSecret)],
  ["GET secrets/*", route("secrets/getSecret/action", "secrets get", getSecret)],
  ["GET secrets/*/*", route("secrets/getSecret/action", "secrets get", getSecret)],
  ["PATCH secrets/*", route("secrets/update/action", "secrets set", updateSecret)],
  ["PATCH secrets/*/*", route("secrets/update/action", "secrets set", updateSecret)],
  ["GET secrets/*/versions", route("secrets/readMetadata/action", "secrets list", listSecretVersions)],
  ["DELETE secrets/*", route("secrets/delete", "secrets delete", deleteSecret)],
  ["GET deletedsecrets", route("secrets/readMetadata/action", "secrets list", listDeletedSecrets)],
  ["GET deletedsecrets/*", route("secrets/readMetadata/action", "secrets get", getDeletedSecret)],
  ["POST deletedsecrets/*/recover", route("secrets/recover/action", "secrets recover", recoverSecret)],
  ["DELETE deletedsecrets/*", route("secrets/purge/action", "secrets purge", purgeSecret)],
]

const certificateRoutes: readonly (readonly [string, Route])[] = [
  ["GET certificates", route("certificates/read", "certificates list", listCertificates)],
  ["GET certificates/*", route("certificates/read", "certificates get", getCertificate)],
  ["GET certificates/*/*", route("certificates/read", "certificates get", getCertificate)],
  ["GET certificates/*/versions", route("certificates/read", "certificates list", listCertificateVersions)],
  ["GET certificates/*/policy", route("certificates/read", "certificates get", getCertificatePolicy)],
  ["GET certificates/*/pending", route("certificates/read", "certificates get", getCertificateOperation)],
  [
    "POST certificates/*/create",
    route("certificates/create/action", "certificates create", createCertificate),
  ],
  [
    "POST certificates/*/import",
    route("certificates/import/action", "certificates import", importCertificate),
  ],
  ["PATCH certificates/*", route("certificates/update/action", "certificates update", updateCertificate)],
  ["PATCH certificates/*/*", route("certificates/update/action", "certificates update", updateCertificate)],
  [
    "PATCH certificates/*/policy",
    route("certificates/update/action", "certificates update", updateCertificatePolicy),
  ],
  ["DELETE certificates/*", route("certificates/delete", "certificates delete", deleteCertificate)],
  ["GET deletedcertificates", route("certificates/read", "certificates list", listDeletedCertificates)],
  ["GET deletedcertificates/*", route("certificates/read", "certificates get", getDeletedCertificate)],
  [
    "POST deletedcertificates/*/recover",
    route("certificates/recover/action", "certificates recover", recoverCertificate),
  ],
  [
    "DELETE deletedcertificates/*",
    route("certificates/purge/action", "certificates purge", purgeCertificate),
  ],
]

const keyRoutes: readonly (readonly [string, Route])[] = [
  ["GET keys", route("keys/read", "keys list", listKeys)],
  ["GET keys/*", route("keys/read", "keys get", getKey)],
  ["GET keys/*/*", route("keys/read", "keys get", getKey)],
  ["GET keys/*/versions", route("keys/read", "keys list", listKeyVersions)],
  ["POST keys/*/create", route("keys/create/action", "keys create", createKey)],
  ["PATCH keys/*", route("keys/update/action", "keys update", updateKey)],
  ["PATCH keys/*/*", route("keys/update/action", "keys update", updateKey)],
  ["POST keys/*/*/wrapkey", route("keys/wrap/action", "keys wrapKey", wrapWithKey)],
  ["POST keys/*/*/unwrapkey", route("keys/unwrap/action", "keys unwrapKey", unwrapWithKey)],
  ["POST keys/*/*/sign", route("keys/sign/action", "keys sign", signWithKey)],
  ["POST keys/*/*/verify", route("keys/verify/action", "keys verify", verifyWithKey)],
  ["DELETE keys/*", route("keys/delete", "keys delete", deleteKey)],
  ["GET deletedkeys", route("keys/read", "keys list", listDeletedKeys)],
  ["GET deletedkeys/*", route("keys/read", "keys get", getDeletedKey)],
  ["POST deletedkeys/*/recover", route("keys/recover/action", "keys recover", recoverKey)],
  ["DELETE deletedkeys/*", route("keys/purge/action", "keys purge", purgeKey)],
]

const routes: ReadonlyMap<string, Route> = new Map([...secretRoutes, ...certificateRoutes, ...keyRoutes])

/** Every action that some route asks for. */
export const vaultActions: readonly string[] = [...new Set([...routes.values()].map(({ action }) => action))]

/**
 * Who answers `method` on `path`; undefined when nobody does. A trailing slash means the current version.
 *
 * @throws VaultError 400 BadParameter for a name or version that cannot be one.
 */
export function findRoute(method: string, path: string): MatchedRoute | undefined {
  const [collection = "", name = "", third = "", fourth = ""] = path.slice(1).split("/", 5)
  const base = `${method} ${collection.toLowerCase()}`
  if (name === "") return match(base, "", "")
  if (third === "" && fourth === "") return match(`${base}/*`, name, "")
  if (fourth !== "") return match(`${base}/*/*/${fourth.toLowerCase()}`, name, third)
  return match(`${base}/*/${third.toLowerCase()}`, name, "") ?? match(`${base}/*/*`, name, third)
}

function match(key: string, name: string, version: string): MatchedRoute | undefined {
  const found = routes.get(key)
  if (!found) return undefined
  if (name !== "" && !namePattern.test(name)) {
    throw badParameter("The request URI contains an invalid name; names have 1 to 127 of 0-9, a-z, A-Z and -")
  }
  const folded = version.toLowerCase()
  if (version !== "" && !versionPattern.test(folded)) {
    throw badParameter("The request URI contains an invalid version")
  }
  return { route: found, name, version: folded }
}
