import { isCertificateFile, readCertificateFile } from "./certificateFile.ts"
import { readDotenvFile } from "./dotenvFile.ts"
import type { FileKind, ImportFile } from "./fileKind.ts"
import { readJsonFile } from "./jsonFile.ts"

/** The kinds of files that can be imported; the first that claims a file reads it, and the last claims all. */
export const fileKinds: readonly FileKind[] = [
  { claims: isCertificateFile, read: readCertificateFile },
  { claims: isJsonFile, read: readJsonFile },
  { claims: () => true, read: readDotenvFile },
]

/** No dotenv statement begins with a brace. */
function isJsonFile({ path, bytes }: ImportFile): boolean {
  return /\.json$/i.test(path) || /^\uFEFF?\s*\{/.test(bytes.subarray(0, 4096).toString("utf8"))
}
