import * as fc from "fast-check"

/** A dotenv file and what it means, made without reading any. */
export interface WrittenFile {
  readonly text: string
  readonly expected: ReadonlyMap<string, string>
}

interface WrittenEntry {
  readonly name: string
  readonly value: string
  readonly text: string
}

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/)
const lead = fc.constantFrom("", "", "export ", "  ", "\t", "  export  ")
const assign = fc.constantFrom("=", "=", " = ", "= ", " =", ": ", ":\t")
const after = fc.constantFrom("", "", " ", " # trailing comment", "\t# a 'quoted' \"comment\"", " #")
const lineText = fc.stringMatching(/^[A-Za-z0-9 =:/+@%$(){}æøå鍵🔑\\-]{0,30}$/u)
const comment = fc.stringMatching(/^#[A-Za-z0-9 ='"`æ#]{0,30}$/)

/** What an unquoted value can hold: no hash, no quote in front, no spaces at its ends. */
const unquoted = fc.stringMatching(
  /^[A-Za-z0-9=:/+@%$\\{}æ鍵🔑.,;!-][A-Za-z0-9 =:/+@%$\\{}'"`æ鍵🔑.-]{0,40}$/u,
)

/** A value in quotes of one kind, which are not in it; its end must not escape the closing quote. */
function quoted(quote: string, others: string): fc.Arbitrary<string> {
  return fc
    .array(fc.oneof(lineText, fc.constantFrom("#", "# no comment", ...others)), { maxLength: 5, size: "max" })
    .chain((parts) => fc.constantFrom(parts.join(""), parts.join("\n"), `${parts.join("\n")}\n`))
    .filter((value) => !value.endsWith("\\") && !value.includes(quote))
}

const doubleQuoted = quoted('"', "'`")
/** Only double quotes know escapes, and no others than these. */
const escaped = fc.array(fc.constantFrom("a", " ", "\n", "\r", "\t", "æ", "'", "#"), { maxLength: 12 })

const entry: fc.Arbitrary<WrittenEntry> = fc
  .tuple(
    name,
    lead,
    assign,
    after,
    fc.oneof(
      fc.constant({ source: "", value: "" }),
      unquoted.map((value) => ({ source: value, value: value.trim() })),
      quoted("'", '"`').map((value) => ({ source: `'${value}'`, value })),
      quoted("`", "'\"").map((value) => ({ source: `\`${value}\``, value })),
      doubleQuoted.filter((value) => !/\\[nr]/.test(value)).map((value) => ({ source: `"${value}"`, value })),
      escaped.map((characters) => ({
        source: `"${characters.join("").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`,
        value: characters.join(""),
      })),
    ),
  )
  .map(([name, lead, assign, after, { source, value }]) => ({
    name,
    value,
    text: `${lead}${name}${assign}${source}${after}`,
  }))

const filler = fc.oneof(fc.constantFrom("", "", "   "), comment)

/** Files as people write them, with blank lines, comments, repeated names, CRLF and a byte order mark. */
export const writtenFile: fc.Arbitrary<WrittenFile> = fc
  .tuple(
    fc.array(fc.tuple(fc.array(filler, { maxLength: 2 }), entry), { maxLength: 12, size: "max" }),
    fc.constantFrom("\n", "\n", "\r\n"),
    fc.constantFrom("", "\uFEFF"),
    fc.boolean(),
  )
  .map(([entries, lineEnding, mark, endsWithLine]) => {
    const lines = entries.flatMap(([fillers, { text }]) => [...fillers, text])
    const text = lines.join("\n") + (endsWithLine ? "\n" : "")
    return {
      text: mark + text.replaceAll("\n", lineEnding),
      expected: new Map(entries.map(([, { name, value }]) => [name, value])),
    }
  })

/** Anything at all, made of the pieces that matter to a parser of dotenv files. */
export const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "A",
        "B",
        "export",
        "=",
        ":",
        " ",
        "\t",
        "\n",
        "\n",
        '"',
        "'",
        "`",
        "#",
        "\\",
        "\\n",
        "\\r",
      ),
      fc.constantFrom(
        "A=",
        "B: ",
        "C='",
        'D="',
        "\n\n",
        "x",
        ".",
        "-",
        "æ",
        "\u2028",
        "\uFEFF",
        "\u00a0",
        "\v",
        '\\"',
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 60, size: "max" },
  )
  .map((pieces) => pieces.join(""))
