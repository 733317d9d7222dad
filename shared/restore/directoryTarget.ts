import { randomBytes } from "node:crypto"
import { link, lstat, mkdir, open, readFile, unlink } from "node:fs/promises"
import { join } from "node:path"
import { pemContentType } from "../certificate/certificateMaterial.ts"
import { collectionOf } from "../change/objectVersion.ts"
import type { Clock } from "../clock.ts"
import { ServiceError } from "../errors.ts"
import type { BackupRecord } from "../record/record.ts"
import type { RestoreNote, RestoreTarget } from "./restoreTarget.ts"
import { formatOf, isExpired } from "./vaultTarget.ts"

/** Format name of the file of attributes. Described in `docs/formats.md`. */
export const restoredFileFormat = "keyvault-restored/1"

export interface DirectoryTargetOptions {
  readonly directory: string
  readonly clock: Clock
}

interface NewFile {
  readonly path: string
  readonly content: Uint8Array
}

/**
 * Restores into files below `directory`, which is made with mode 0700, each with mode 0600: the exact bytes of a secret,
 * a certificate as PFX or PEM, and beside each a JSON file with everything else of the record. See RestoreTarget for the
 * promise. A file is there whole or not at all, and none is written over.
 */
export function createDirectoryTarget({ directory, clock }: DirectoryTargetOptions): RestoreTarget {
  return {
    place: { directory },
    look: async (record, name) => {
      const notes = notesOf(record, clock.now())
      await checkPrivate(directory)
      const files = filesOf(record, name, directory)
      const found = await Promise.all(files.map(stateOf))
      const where = files[0].path
      if (found.includes("other")) return { state: "blocked", error: taken(where), notes }
      return found.every((state) => state === "same")
        ? { state: "same", where, notes: [] }
        : { state: "free", notes }
    },
    write: async (record, name) => {
      const files = filesOf(record, name, directory)
      await makePrivate(directory)
      await makePrivate(join(directory, collectionOf(record.object.kind)))
      // The JSON file comes last: where it is, the contents are there too.
      for (const file of files) if ((await stateOf(file)) !== "same") await writeNew(file)
      const states = await Promise.all(files.map(stateOf))
      if (states.every((state) => state === "same")) {
        return { where: files[0].path, isCompared: true, notes: [] }
      }
      throw new ServiceError("ERR_RESTORE_DIFFERS", "The file does not read back as it was written", {
        details: { file: files[0].path },
      })
    },
  }
}

function notesOf(record: BackupRecord, now: Date): RestoreNote[] {
  return [
    ...(record.certificate?.privateKey === "absentByPolicy" ? [{ note: "publicOnly" as const }] : []),
    ...(isExpired(record, now) ? [{ note: "expired" as const }] : []),
  ]
}

/** First the contents, then the JSON file about them. */
function filesOf(record: BackupRecord, name: string, directory: string): readonly [NewFile, NewFile] {
  const stem = join(directory, collectionOf(record.object.kind), name.toLowerCase())
  const [ending, content] = contentOf(record)
  const { value: _value, format: _format, ...about } = record
  const json = { format: restoredFileFormat, file: `${name.toLowerCase()}${ending}`, ...about }
  return [
    { path: `${stem}${ending}`, content },
    { path: `${stem}.json`, content: Buffer.from(`${JSON.stringify(json, undefined, 2)}\n`) },
  ]
}

const base64 = /^[A-Za-z0-9+/\r\n]+={0,2}[\r\n]*$/

function contentOf(record: BackupRecord): readonly [ending: string, content: Uint8Array] {
  const { value, certificate } = record
  if (certificate && formatOf(record) === pemContentType) return [".pem", Buffer.from(value)]
  if (certificate && base64.test(value)) return [".pfx", Buffer.from(value, "base64")]
  // UTF-8 has no bytes for half a surrogate pair, which JSON can carry: such a text is written as JSON.
  return value.isWellFormed()
    ? [".value", Buffer.from(value)]
    : [".value.json", Buffer.from(JSON.stringify(value))]
}

async function stateOf({ path, content }: NewFile): Promise<"absent" | "same" | "other"> {
  try {
    const found = await lstat(path)
    if (!found.isFile()) return "other"
    return Buffer.from(content).equals(await readFile(path)) ? "same" : "other"
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return "absent"
    throw unwritable(path, cause)
  }
}

/** Written under another name and then linked: a link takes no name that is taken, and is there at once. */
async function writeNew({ path, content }: NewFile): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.part`
  try {
    const file = await open(draft, "wx", 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(draft, path)
  } catch (cause) {
    throw codeOf(cause) === "EEXIST" ? taken(path) : unwritable(path, cause)
  } finally {
    await unlink(draft).catch(() => {})
  }
}

async function makePrivate(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw unwritable(directory, cause)
  }
  await checkPrivate(directory)
}

/** A directory that is there must be the caller's own and closed to everybody else. */
async function checkPrivate(directory: string): Promise<void> {
  const found = await lstat(directory).catch((cause: unknown) => {
    if (codeOf(cause) === "ENOENT") return undefined
    throw unwritable(directory, cause)
  })
  if (!found) return
  // Without user ids, as on Windows, modes say nothing.
  const uid = process.getuid?.()
  const isPrivate = uid === undefined || (found.uid === uid && (found.mode & 0o077) === 0)
  if (found.isDirectory() && isPrivate) return
  throw new ServiceError("ERR_CONFIG_INVALID", `${directory} is no directory that only you can enter`, {
    hint: "Use a new directory for --to-dir, or set its mode to 0700.",
  })
}

function taken(path: string): ServiceError {
  return new ServiceError("ERR_RESTORE_TARGET_EXISTS", "The file is there already, with other contents", {
    details: { file: path },
  })
}

function unwritable(path: string, cause: unknown): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", `Cannot write to ${path}`, { cause })
}

function codeOf(thrown: unknown): unknown {
  return typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, "code") : undefined
}
