import type { Cloud } from "../cloud/startCloud.ts"
import type { Remark } from "../import/fileKind.ts"
import { readImports } from "../import/readImports.ts"
import type { MadeChange } from "./makeChanges.ts"
import { createUserSecretClient } from "./vaultUser.ts"

/** What came of an import: the versions made, what could not be imported, and what may not be as meant, a line each. */
export interface ImportResult {
  readonly made: readonly MadeChange[]
  readonly problems: readonly string[]
  readonly notes: readonly string[]
}

const atOnce = 8

/** Sets every secret of the named files in the vault, as the person at the keyboard. Values are never printed. */
export async function importSecrets(cloud: Cloud, paths: readonly string[]): Promise<ImportResult> {
  const { secrets, problems, notes } = await readImports(paths)
  const client = createUserSecretClient(cloud)
  const made: MadeChange[] = []
  const waiting = [...secrets]
  const lane = async () => {
    for (let secret = waiting.shift(); secret; secret = waiting.shift()) {
      const { properties } = await client.setSecret(secret.name, secret.value)
      const id = (properties.id ?? "").toLowerCase()
      made.push({ label: secret.source.originalName, id, expected: "stored", nth: 1 })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return { made, problems: problems.map(formatRemark), notes: notes.map(formatRemark) }
}

function formatRemark({ file, line, reason }: Remark): string {
  return `${file}${line === undefined ? "" : `:${line}`} ${reason}`
}
