import { closeSync, existsSync, openSync, unlinkSync, writeSync } from "node:fs"
import { ServiceError } from "../shared/errors.ts"

/** A file that was not there before. It is written piece by piece, and removed again when the work fails. */
export interface NewFile {
  readonly write: (text: string) => void
  readonly close: () => void
  readonly discard: () => void
}

/**
 * Creates `path`, readable by its owner alone.
 *
 * @throws ServiceError ERR_CONFIG_INVALID when it is there already or cannot be written.
 */
export function createNewFile(path: string): NewFile {
  if (existsSync(path)) throw invalid(`${path} is there already; --out FILE must be a new file`)
  const attempt = <T>(action: () => T): T => {
    try {
      return action()
    } catch (cause) {
      throw invalid(`Cannot write ${path}`, cause)
    }
  }
  const file = attempt(() => openSync(path, "wx", 0o600))
  return {
    write: (text) => {
      const bytes = Buffer.from(text)
      for (let written = 0; written < bytes.length;) {
        const from = written
        written += attempt(() => writeSync(file, bytes, from))
      }
    },
    close: () => closeSync(file),
    discard: () => {
      closeSync(file)
      unlinkSync(path)
    },
  }
}

function invalid(message: string, cause?: unknown): ServiceError {
  return new ServiceError("ERR_CONFIG_INVALID", message, cause === undefined ? {} : { cause })
}
