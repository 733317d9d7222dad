/** `text` in at most `length` characters, `…` in its middle where something is left out. For ASCII text. */
export function truncateMiddle(text: string, length: number): string {
  if (text.length <= length) return text
  if (length < 1) return ""
  const tail = Math.floor((length - 1) / 2)
  return `${text.slice(0, length - 1 - tail)}…${text.slice(text.length - tail)}`
}
