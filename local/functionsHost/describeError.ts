/**
 * One line about a thrown value: its code where it has one, and its message. No stack, and never more than 2,000
 * characters.
 */
export function describeError(thrown: unknown): string {
  const text = thrown instanceof Error ? describe(thrown) : String(thrown)
  return text.replaceAll(/\s*\n\s*/g, " ").slice(0, 2000)
}

function describe(error: Error): string {
  const code: unknown = "code" in error ? error.code : undefined
  const message = error.message === "" ? error.name : error.message
  return typeof code === "string" && !message.includes(code) ? `${code}: ${message}` : message
}
