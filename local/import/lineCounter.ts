/** Tells the line, from 1, of offsets in `text`. Lines end with `\n`. Offsets must be asked in ascending order. */
export function createLineCounter(text: string): (offset: number) => number {
  let line = 1
  let next = text.indexOf("\n")
  return (offset) => {
    while (next !== -1 && next < offset) {
      line += 1
      next = text.indexOf("\n", next + 1)
    }
    return line
  }
}
