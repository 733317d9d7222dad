/** Rows in columns that are as wide as their widest cell; numbers and what follows them to the right. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows]
  const widths = head.map((_cell, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const isNumeric = head.map((_cell, column) =>
    rows.every((row) => /^-?\d|^$|^-$/.test(row[column] ?? "") && !/^\d{4}-/.test(row[column] ?? "")),
  )
  return all.map((row) =>
    row
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  )
}
