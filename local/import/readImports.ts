import { resolve } from "node:path"
import type { ImportCertificate, Remark } from "./fileKind.ts"
import { fileKinds } from "./fileKinds.ts"
import { openImportFile } from "./openImportFile.ts"
import { noPasswords, type PasswordSource } from "./passwordSource.ts"
import { quoteName } from "./quoteName.ts"
import { toVaultName, vaultNameKey } from "./vaultName.ts"

/** Where an object to import stands; a certificate is a whole file. */
interface ImportSource {
  readonly file: string
  readonly line?: number
  readonly originalName: string
}

/** A secret that a vault takes as it is. */
export interface ImportedSecret {
  /** Legal in a vault, and different from every other one also without regard to case. */
  readonly name: string
  readonly value: string
  readonly source: ImportSource
}

/** A certificate that a vault imports as it is. Its name is also that of a secret. */
export interface ImportedCertificate extends ImportedSecret {
  readonly contentType: ImportCertificate["contentType"]
}

export interface Imports {
  readonly secrets: readonly ImportedSecret[]
  readonly certificates: readonly ImportedCertificate[]
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
export async function readImports(
  paths: readonly string[],
  passwords: PasswordSource = noPasswords,
): Promise<Imports> {
  const taken = new Map<string, ImportSource>()
  const secrets: ImportedSecret[] = []
  const certificates: ImportedCertificate[] = []
  const problems: Remark[] = []
  const notes: Remark[] = []
  for (const file of withoutRepeats(paths)) {
    const opened = await openImportFile(file)
    if ("problem" in opened) {
      problems.push({ file, reason: opened.problem })
      continue
    }
    const reading = await fileKinds.find((kind) => kind.claims(opened))?.read(opened, passwords)
    if (reading === undefined) continue
    problems.push(...reading.problems)
    notes.push(...reading.notes)
    const found = reading.certificates ?? []
    if (reading.entries.length + found.length === 0 && reading.problems.length === 0) {
      notes.push({ file, reason: "the file holds nothing to import" })
    }
    for (const entry of reading.entries) {
      const source = { file, line: entry.line, originalName: entry.name }
      const taking = takeName(taken, source, entry.value)
      if ("reason" in taking) problems.push({ file, line: entry.line, reason: taking.reason })
      else secrets.push({ name: taking.name, value: entry.value, source })
    }
    for (const { name: originalName, value, contentType } of found) {
      const source = { file, originalName }
      const taking = takeName(taken, source, value)
      if ("reason" in taking) problems.push({ file, reason: taking.reason })
      else certificates.push({ name: taking.name, value, contentType, source })
    }
  }
  return { secrets, certificates, problems, notes }
}

/** Takes the name that the vault will know the object by, or says why it cannot be had. */
function takeName(
  taken: Map<string, ImportSource>,
  source: ImportSource,
  value: string,
): { readonly name: string } | { readonly reason: string } {
  const { file, originalName } = source
  const quoted = quoteName(originalName)
  const converted = toVaultName(originalName)
  if ("reason" in converted) return { reason: `${quoted} ${converted.reason}` }
  if (!value.isWellFormed())
    return { reason: `the value of ${quoted} holds half a character, which UTF-8 cannot express` }
  const sizeBytes = Buffer.byteLength(value)
  if (sizeBytes > maxValueBytes) {
    return { reason: `the value of ${quoted} has ${sizeBytes} bytes; a vault takes at most ${maxValueBytes}` }
  }
  const key = vaultNameKey(converted.name)
  const first = taken.get(key)
  if (first !== undefined) {
    return {
      reason: `${quoted} becomes the same name as ${quoteName(first.originalName)} in ${whereIs(first, file)}, which stays`,
    }
  }
  taken.set(key, source)
  return converted
}

function whereIs({ file, line }: ImportSource, from: string): string {
  if (line === undefined) return file
  return file === from ? `line ${line}` : `line ${line} of ${file}`
}

function withoutRepeats(paths: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  return paths.filter((path) => seen.size < seen.add(resolve(path)).size)
}
