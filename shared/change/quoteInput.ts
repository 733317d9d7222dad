/**
 * Text from outside, fit for an error message or a log: printable ASCII in double quotes, everything else
 * escaped, at most `limit` characters in all (default 200), cut with `...`.
 *
 * Only for ids and type names. What stands before an `@` or after a `?` or `#` is left out, since a URL carries
 * passwords and tokens there.
 */
export function quoteInput(text: string, limit = 200): string {
  const shown = text.slice(text.lastIndexOf("@") + 1).replace(/[?#].*$/s, "")
  const room = limit - '"..."'.length
  let quoted = ""
  for (let index = 0; index < shown.length; index++) {
    const escaped = escape(shown.charCodeAt(index))
    if (quoted.length + escaped.length > room) return `"${quoted}..."`
    quoted += escaped
  }
  return shown === text ? `"${quoted}"` : `"...${quoted}"`
}

function escape(unit: number): string {
  const character = String.fromCharCode(unit)
  if (character === '"' || character === "\\") return `\\${character}`
  return unit >= 0x20 && unit < 0x7f ? character : `\\u${unit.toString(16).padStart(4, "0")}`
}
