import type { VaultCatalog } from "../../shared/vault/vaultCatalog.ts"
import type { VaultReader } from "../../shared/vault/vaultReader.ts"

/** For a vault whose certificates are not asked for: whoever asks fails. */
export const noCertificates: Pick<VaultReader, "readCertificate"> = {
  readCertificate: () => Promise.reject(new Error("No certificate was expected to be read")),
}

/** A vault's catalogue without certificates. */
export const noListedCertificates: Pick<VaultCatalog, "listCertificateVersions"> = {
  async *listCertificateVersions() {},
}
