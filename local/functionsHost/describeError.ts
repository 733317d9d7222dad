/**
 * One line about a thrown value: its code where it has one, and its message. No stack, and never more than 2,000
 * characters.
 */
export function describeError(thrown: unknown): string {
  return describe(thrown)
    .replaceAll(/\s*\n\s*/g, " ")
    .slice(0, 2000)
}

/** The same in all its lines, up to 32,000 characters: why an app does not start may be a list of settings. */
export function describeErrorInFull(thrown: unknown): string {
  return describe(thrown).slice(0, 32_000)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code: unknown = "code" in error ? error.code : undefined
  const message = error.message === "" ? error.name : error.message
  return typeof code === "string" && !message.includes(code) ? `${code}: ${message}` : message
}
