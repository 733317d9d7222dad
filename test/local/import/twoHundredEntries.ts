import type { WrittenFile } from "./dotenvText.ts"

/**
 * A dotenv file of 200 entries in ten styles, with comments, blank lines and Windows line endings, as a person's
 * file has them after years. Nothing in it is a secret: each value is made of its entry's number.
 */
export function twoHundredEntries(): WrittenFile & { readonly lineOf: ReadonlyMap<string, number> } {
  const lines: string[] = ["# invented, for a test", ""]
  const expected = new Map<string, string>()
  const lineOf = new Map<string, number>()
  for (let number = 1; number <= 200; number++) {
    const { before = [], style, value } = entryOf(number)
    lines.push(...before)
    const name = `APP_${number}_SETTING`
    lineOf.set(name, lines.length + 1)
    lines.push(...style.replace("NAME", name).split("\n"))
    expected.set(name, value)
  }
  return { text: `\uFEFF${lines.join("\r\n")}\r\n`, expected, lineOf }
}

function entryOf(number: number): { before?: string[]; style: string; value: string } {
  const n = `v${number}`
  switch (number % 10) {
    case 0:
      return { before: ["", `## part ${number / 10}`, ""], style: `NAME=${n}`, value: n }
    case 1:
      return { style: `export NAME=${n}=${n}==`, value: `${n}=${n}==` }
    case 2:
      return { style: `NAME="${n} # not a comment" # a comment`, value: `${n} # not a comment` }
    case 3:
      return { style: `NAME='${n}\\n"${n}"'`, value: `${n}\\n"${n}"` }
    case 4:
      return { style: `NAME="${n}\\n${n}\\r\\n"`, value: `${n}\n${n}\r\n` }
    case 5:
      return { style: `NAME=\`"${n}" isn't '${n}'\``, value: `"${n}" isn't '${n}'` }
    case 6:
      return { style: `  NAME =  ${n} with  spaces  # a comment`, value: `${n} with  spaces` }
    case 7:
      return { style: `NAME: ${n}`, value: n }
    case 8:
      return { before: ["   # indented comment"], style: "NAME=", value: "" }
    default:
      return {
        style: `NAME="-----BEGIN INVENTED-----\n${n}\n\n  ${n}==\n-----END INVENTED-----\n"`,
        value: `-----BEGIN INVENTED-----\n${n}\n\n  ${n}==\n-----END INVENTED-----\n`,
      }
  }
}
