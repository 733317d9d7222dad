/**
 * Text from outside, fit for an error message or a log: printable ASCII in double quotes, everything else
 * escaped, at most `limit` characters in all (default 200); `...` stands where something is left out.
 *
 * Only for ids and type names. What stands before an `@` or after a `?` or `#` is left out, since a URL carries
 * passwords and tokens there.
 */
export function quoteInput(text: string, limit = 200): string {
  const start = text.lastIndexOf("@") + 1
  const shown = text.slice(start).replace(/[?#].*$/s, "")
  const lead = start > 0 ? "..." : ""
  const room = limit - lead.length - '"..."'.length
  let quoted = ""
  for (let index = 0; index < shown.length; index++) {
    const next = quoted + escapeUnit(shown.charCodeAt(index))
    if (next.length > room) return `"${lead}${quoted}..."`
    quoted = next
  }
  const isWhole = start + shown.length === text.length
  return `"${lead}${quoted}${isWhole ? "" : "..."}"`
}

function escapeUnit(unit: number): string {
  const character = String.fromCharCode(unit)
  if (character === '"' || character === "\\") return `\\${character}`
  return unit >= 0x20 && unit < 0x7f ? character : `\\u${unit.toString(16).padStart(4, "0")}`
}
