const maxShownLength = 140

/** A name from a file, fit for a terminal: quoted, one line, nothing but printable ASCII, cut when very long. */
export function quoteName(name: string): string {
  const shown = name.length > maxShownLength ? `${name.slice(0, maxShownLength)}...` : name
  return JSON.stringify(shown).replace(/[^\x20-\x7e]/g, escapeUnit)
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
}
