import { resolve } from "node:path"
import type { ImportEntry, Remark } from "./fileKind.ts"
import { fileKinds } from "./fileKinds.ts"
import { openImportFile } from "./openImportFile.ts"
import { quoteName } from "./quoteName.ts"
import { toVaultName, vaultNameKey } from "./vaultName.ts"

/** A secret that a vault takes as it is. */
interface ImportedSecret {
  /** Legal in a vault, and different from every other one also without regard to case. */
  readonly name: string
  readonly value: string
  readonly source: { readonly file: string; readonly line: number; readonly originalName: string }
}

export interface Imports {
  readonly secrets: readonly ImportedSecret[]
  /** What was left out, and why. */
  readonly problems: readonly Remark[]
  /** What was imported, but perhaps not as meant. */
  readonly notes: readonly Remark[]
}

/** https://learn.microsoft.com/azure/key-vault/secrets/about-secrets: 25 KB, which the service counts in bytes. */
const maxValueBytes = 25_600

/**
 * Reads a person's own files. What cannot be imported is a problem with its file and line, and the rest goes on;
 * never rejects for what a path or a file is. No reason quotes a value.
 *
 * Within a file the last of two equal names wins, as in the file's own rules. Where two names become the same
 * vault name, or two files have the same name, the first stays and the other is a problem.
 */
export async function readImports(paths: readonly string[]): Promise<Imports> {
  const secrets = new Map<string, ImportedSecret>()
  const problems: Remark[] = []
  const notes: Remark[] = []
  for (const file of withoutRepeats(paths)) {
    const opened = await openImportFile(file)
    if ("problem" in opened) {
      problems.push({ file, reason: opened.problem })
      continue
    }
    const reading = fileKinds.find((kind) => kind.claims(opened))?.read(opened)
    if (reading === undefined) continue
    problems.push(...reading.problems)
    notes.push(...reading.notes)
    if (reading.entries.length === 0 && reading.problems.length === 0) {
      notes.push({ file, reason: "the file holds nothing to import" })
    }
    for (const entry of reading.entries) {
      const reason = addSecret(secrets, file, entry)
      if (reason !== undefined) problems.push({ file, line: entry.line, reason })
    }
  }
  return { secrets: [...secrets.values()], problems, notes }
}

/** Adds the entry, or says why it cannot be added. */
function addSecret(
  secrets: Map<string, ImportedSecret>,
  file: string,
  { name: originalName, value, line }: ImportEntry,
): string | undefined {
  const quoted = quoteName(originalName)
  const converted = toVaultName(originalName)
  if ("reason" in converted) return `${quoted} ${converted.reason}`
  if (!value.isWellFormed())
    return `the value of ${quoted} holds half a character, which UTF-8 cannot express`
  const sizeBytes = Buffer.byteLength(value)
  if (sizeBytes > maxValueBytes) {
    return `the value of ${quoted} has ${sizeBytes} bytes; a vault takes at most ${maxValueBytes}`
  }
  const key = vaultNameKey(converted.name)
  const first = secrets.get(key)
  if (first !== undefined) {
    const { source } = first
    const where = source.file === file ? `line ${source.line}` : `line ${source.line} of ${source.file}`
    return `${quoted} becomes the same name as ${quoteName(source.originalName)} in ${where}, which stays`
  }
  secrets.set(key, { name: converted.name, value, source: { file, line, originalName } })
  return undefined
}

function withoutRepeats(paths: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  return paths.filter((path) => seen.size < seen.add(resolve(path)).size)
}
