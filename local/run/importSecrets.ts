import { isRestError } from "@azure/core-rest-pipeline"
import type { Cloud } from "../cloud/startCloud.ts"
import type { Remark } from "../import/fileKind.ts"
import type { ImportedCertificate, ImportedSecret, Imports } from "../import/readImports.ts"
import type { MadeChange } from "./makeChanges.ts"
import { createUserCertificateClient, createUserSecretClient } from "./vaultUser.ts"

/** What came of an import: the versions made, what could not be imported, and what may not be as meant, a line each. */
export interface ImportResult {
  readonly made: readonly MadeChange[]
  readonly problems: readonly string[]
  readonly notes: readonly string[]
}

const atOnce = 8

/** Puts what was read into the vault, as the person at the keyboard. Values are never printed. */
export async function importSecrets(cloud: Cloud, imports: Imports): Promise<ImportResult> {
  const secretClient = createUserSecretClient(cloud)
  const certificateClient = createUserCertificateClient(cloud)
  const made: MadeChange[] = []
  const problems: Remark[] = [...imports.problems]
  const setSecret = async ({ name, value }: ImportedSecret) =>
    (await secretClient.setSecret(name, value)).properties.id
  const importCertificate = async ({ name, value, contentType }: ImportedCertificate) => {
    const bytes = Buffer.from(value, contentType === "application/x-pkcs12" ? "base64" : "utf8")
    // Version 4.10.3 of the client sends no policy; it needs the content type to tell PEM from PFX.
    const { properties } = await certificateClient.importCertificate(name, bytes, { policy: { contentType } })
    return properties.id
  }
  const waiting = [
    ...imports.secrets.map((secret) => ({ source: secret.source, run: () => setSecret(secret) })),
    ...imports.certificates.map((certificate) => ({
      source: certificate.source,
      run: () => importCertificate(certificate),
    })),
  ]
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { source, run } = next
      try {
        const id = ((await run()) ?? "").toLowerCase()
        made.push({ label: source.originalName, id, expected: "stored", nth: 1 })
      } catch (error) {
        // Only what the vault refuses is the file's fault.
        if (!isRestError(error) || error.statusCode !== 400) throw error
        const { file, line } = source
        problems.push({ file, ...(line === undefined ? {} : { line }), reason: "the vault does not take it" })
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return { made, problems: problems.map(formatRemark), notes: imports.notes.map(formatRemark) }
}

function formatRemark({ file, line, reason }: Remark): string {
  return `${file}${line === undefined ? "" : `:${line}`} ${reason}`
}
