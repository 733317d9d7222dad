import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Readable } from "node:stream"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { main } from "../../cli/main.ts"

const disabled = JSON.stringify({
  error: { code: "Forbidden", message: "no", innererror: { code: "SecretDisabled" } },
})

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "kvbackup-explain-"))
})
afterAll(() => {
  rmSync(directory, { recursive: true })
})

async function explain(argv: readonly string[], input?: string) {
  let out = ""
  let err = ""
  const exitCode = await main(["explain", ...argv], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {},
    cwd: directory,
    ...(input === undefined ? {} : { stdin: Readable.from([Buffer.from(input)]) }),
  })
  return { exitCode, out, err }
}

describe("kvbackup explain", () => {
  it("needs no settings, and reads a file", async () => {
    const file = join(directory, "pasted.txt")
    writeFileSync(file, disabled)
    const { exitCode, out, err } = await explain([file])
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" })
    expect(out).toMatch(/^OBJECT STATE {3}SecretDisabled \(vault\)\n/)
    expect(out).toMatch(/^Is not: .*neither the network nor a role/m)
    expect(out).toMatch(/^Command: +az keyvault secret set-attributes/m)
  })

  it.each([[[]], [["-"]]])("reads standard input with %j, and prints a document", async (argv) => {
    const { exitCode, out } = await explain([...argv, "--json"], disabled)
    expect(exitCode).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ format: "kvbackup-explain/1", exitCode: 0, kind: "objectState" })
  })

  it("ends with 31 and says what to collect when it does not know", async () => {
    const { exitCode, out } = await explain([], "it does not work")
    expect(exitCode).toBe(31)
    expect(out).toMatch(/^UNKNOWN\n/)
    expect(out).toContain("Collect the whole answer")
  })

  it("names a file that it cannot read", async () => {
    const { exitCode, err } = await explain([join(directory, "absent.txt")])
    expect(exitCode).toBe(2)
    expect(err).toMatch(/^Error: \[ERR_CONFIG_INVALID\] Cannot read the file .*absent\.txt\n/)
  })
})
