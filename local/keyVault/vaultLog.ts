import {
  appendFileSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
} from "node:fs"
import { dirname } from "node:path"
import type { VaultEntry } from "./vaultState.ts"

/** What a vault keeps on disk: one JSON object a line, secret values among them, readable by the owner only. */
export interface VaultLog {
  /** What earlier runs appended, oldest first. */
  readonly entries: readonly VaultEntry[]
  /**
   * Hands `entry` to the operating system before it returns, so that it survives the end of this process, kill
   * -9 included; a power cut may lose it.
   *
   * @throws Error when it cannot be written; the log is then as before.
   */
  append(entry: VaultEntry): void
  /** Safe to call again. */
  close(): void
}

/**
 * Opens or makes a log. A last line that a killed process left unfinished was never answered for, and is cut
 * off.
 *
 * @throws Error when any other line is no JSON; the message names the line and nothing of its content.
 */
export function openVaultLog(file: string): VaultLog {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const descriptor = openSync(file, "a+", 0o600)
  const text = readFileSync(descriptor, "utf8")
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  if (whole.length < text.length) ftruncateSync(descriptor, Buffer.byteLength(whole))
  const entries = whole
    .split("\n")
    .slice(0, -1)
    .map((line, index) => parseEntry(file, index + 1, line))
  let isOpen = true
  return {
    entries,
    append: (entry) => {
      const { size } = fstatSync(descriptor)
      try {
        appendFileSync(descriptor, `${JSON.stringify(entry)}\n`)
      } catch (error) {
        ftruncateSync(descriptor, size)
        throw error
      }
    },
    close: () => {
      if (isOpen) closeSync(descriptor)
      isOpen = false
    },
  }
}

function parseEntry(file: string, line: number, text: string): VaultEntry {
  try {
    return JSON.parse(text) as VaultEntry
  } catch {
    throw new Error(`Line ${line} of ${file} is not readable`)
  }
}
