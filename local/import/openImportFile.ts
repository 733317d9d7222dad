import { readFile, stat } from "node:fs/promises"
import type { ImportFile } from "./fileKind.ts"

/** Far more than 200 secrets of the largest size; keeps a wrong path from filling the memory. */
const maxFileBytes = 16 * 1024 * 1024

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EACCES: "the file may not be read by this user",
  EPERM: "the file may not be read by this user",
  ELOOP: "the path is a link that leads to itself",
  ENAMETOOLONG: "the path is too long",
}

/** Reads a file whole, or says why not. A named pipe is read to its end. */
export async function openImportFile(path: string): Promise<ImportFile | { readonly problem: string }> {
  try {
    const facts = await stat(path)
    if (facts.isDirectory()) return { problem: "the path is a directory; name the files in it" }
    if (!facts.isFile() && !facts.isFIFO()) return { problem: "the path is not a file" }
    if (facts.size > maxFileBytes) return { problem: `the file is larger than ${maxFileBytes} bytes` }
    return { path, bytes: await readFile(path) }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error"
    return { problem: reasons[code] ?? `the file cannot be read (${code})` }
  }
}
