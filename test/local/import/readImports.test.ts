import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readImports } from "../../../local/import/readImports.ts"
import { aChain, materialOf } from "../../support/aChain.ts"
import { twoHundredEntries } from "./twoHundredEntries.ts"

let folder: string
const lockedPfx = JSON.parse(readFileSync(new URL("lockedPfx.json", import.meta.url), "utf8")) as {
  pfx: string
  password: string
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "import-"))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function write(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

describe("readImports", () => {
  it("imports 200 entries with legal names, values to the byte, and their source", async () => {
    const { text, expected, lineOf } = twoHundredEntries()
    const file = await write("200.env", text)
    const { secrets, problems, notes } = await readImports([file])
    expect(secrets).toEqual(
      [...expected].map(([originalName, value]) => ({
        name: originalName.replaceAll("_", "-"),
        value,
        source: { file, line: lineOf.get(originalName), originalName },
      })),
    )
    expect([problems, notes]).toEqual([[], []])
  })

  it("names what no vault takes with its line, and imports the rest", async () => {
    const file = await write(
      "names.env",
      [
        "GOOD_NAME=1",
        "bad.name=2",
        `${"l".repeat(127)}=3`,
        `${"m".repeat(128)}=4`,
        `LARGEST=${"æ".repeat(12_800)}`,
        `TOO_LARGE=${"æ".repeat(12_800)}x`,
        "123=5",
        "-=6",
      ].join("\n"),
    )
    const { secrets, problems } = await readImports([file])
    expect(secrets.map(({ name }) => name)).toEqual(["GOOD-NAME", "l".repeat(127), "LARGEST", "123", "-"])
    expect(problems).toEqual([
      {
        file,
        line: 2,
        reason: expect.stringContaining('"bad.name" has characters that a vault does not take'),
      },
      {
        file,
        line: 4,
        reason: expect.stringMatching(/"m{128}" has 128 characters; a vault takes at most 127/),
      },
      { file, line: 6, reason: 'the value of "TOO_LARGE" has 25601 bytes; a vault takes at most 25600' },
    ])
  })

  it("keeps the first of two names that become one, and names both lines", async () => {
    const file = await write("collide.env", "DB_HOST=1\nOTHER=2\nDB-HOST=3\ndb_host=4\n")
    const { secrets, problems } = await readImports([file])
    expect(secrets.map(({ name, value }) => [name, value])).toEqual([
      ["DB-HOST", "1"],
      ["OTHER", "2"],
    ])
    expect(problems).toEqual([
      { file, line: 3, reason: '"DB-HOST" becomes the same name as "DB_HOST" in line 1, which stays' },
      { file, line: 4, reason: '"db_host" becomes the same name as "DB_HOST" in line 1, which stays' },
    ])
  })

  it("does not let what cannot be imported keep a name from the next", async () => {
    const file = await write("blocked.env", `DB_HOST=${"x".repeat(25_601)}\ndb-host=2\n`)
    const { secrets, problems } = await readImports([file])
    expect(secrets).toMatchObject([{ name: "db-host", value: "2" }])
    expect(problems).toMatchObject([{ line: 1 }])
  })

  it("keeps the first of two files that have the same name", async () => {
    const first = await write("first.env", "\nA_B=1\n")
    const second = await write("second.json", '{"A_B": "2", "C": "3"}')
    const { secrets, problems } = await readImports([first, second, first])
    expect(secrets.map(({ name, value, source }) => [name, value, source.file])).toEqual([
      ["A-B", "1", first],
      ["C", "3", second],
    ])
    expect(problems).toEqual([
      {
        file: second,
        line: 1,
        reason: `"A_B" becomes the same name as "A_B" in line 2 of ${first}, which stays`,
      },
    ])
  })

  it("names the paths that cannot be read, and goes on", async () => {
    const directory = join(folder, "directory")
    await mkdir(directory)
    const missing = join(folder, "missing.env")
    const under = join(await write("file.env", "Z=1"), "x.env")
    const good = await write("good.env", "GOOD=1\n")
    const { secrets, problems } = await readImports([directory, missing, under, "/dev/null", good])
    expect(secrets).toMatchObject([{ name: "GOOD" }])
    expect(problems).toEqual([
      { file: directory, reason: "the path is a directory; name the files in it" },
      { file: missing, reason: "there is no such file" },
      { file: under, reason: "there is no such file" },
      { file: "/dev/null", reason: "the path is not a file" },
    ])
  })

  it("names a file that this user may not read", async () => {
    const file = await write("locked.env", "A=1\n")
    await chmod(file, 0)
    const { secrets, problems } = await readImports([file])
    // Root reads it all the same.
    const isRoot = process.getuid?.() === 0
    expect(secrets).toHaveLength(isRoot ? 1 : 0)
    expect(problems).toEqual(isRoot ? [] : [{ file, reason: "the file may not be read by this user" }])
  })

  const { key, certificates: ders } = aChain({ length: 2 })
  const pem = materialOf(key, ders, "application/x-pem-file")
  const pfx = Buffer.from(materialOf(key, ders), "base64")
  it.each([
    { name: "tls.pem", content: pem, is: "application/x-pem-file" },
    { name: "pem-without-extension", content: `\n${pem}`, is: "application/x-pem-file" },
    { name: "bag.txt", content: `Bag Attributes\n    friendlyName: x\n${pem}`, is: "application/x-pem-file" },
    { name: "tls.PFX", content: pfx, is: "application/x-pkcs12" },
    { name: "pfx-without-extension", content: pfx, is: "application/x-pkcs12" },
  ])("reads a certificate by what it is: $name", async ({ name, content, is }) => {
    const file = await write(name, content)
    const { secrets, certificates, problems, notes } = await readImports([file])
    expect([secrets, problems, notes]).toEqual([[], [], []])
    expect(certificates).toMatchObject([{ contentType: is, source: { file } }])
  })

  it("keeps the first where a certificate and a secret would have one name, and names both", async () => {
    const env = await write("both.env", "SITE_A=1\n")
    const certificate = await write("site_a.pem", pem)
    const first = await readImports([env, certificate])
    expect(first.problems).toEqual([
      {
        file: certificate,
        reason: `"site_a" becomes the same name as "SITE_A" in line 1 of ${env}, which stays`,
      },
    ])
    const second = await readImports([certificate, env])
    expect(second.problems).toEqual([
      {
        file: env,
        line: 1,
        reason: `"SITE_A" becomes the same name as "site_a" in ${certificate}, which stays`,
      },
    ])
    expect([second.secrets, second.certificates.map(({ name }) => name)]).toEqual([[], ["site-a"]])
  })

  it("names a certificate whose file's name no vault takes", async () => {
    const file = await write("meine schlüssel.pem", pem)
    const { problems } = await readImports([file])
    expect(problems).toEqual([
      { file, reason: expect.stringContaining("characters that a vault does not take") },
    ])
  })

  it("opens a locked file with the passwords that it is given", async () => {
    const { pfx: locked, password } = lockedPfx
    const file = await write("locked.pfx", Buffer.from(locked, "base64"))
    const { problems } = await readImports([file])
    expect(problems).toEqual([{ file, reason: expect.stringContaining("needs a password") }])
    const passwordOf = async (_file: string, attempt: number) => (attempt === 1 ? password : undefined)
    const { certificates } = await readImports([file], { passwordOf })
    expect(certificates).toMatchObject([{ name: "locked" }])
  })

  it.each([
    { name: "settings.json", content: '{"A": "1"}' },
    { name: "json-without-extension", content: '\uFEFF\n {"A": "1"}' },
    { name: ".env", content: "A=1" },
    { name: "prod.key.env.txt", content: 'A="1"' },
    { name: "pem-inside.env", content: 'A=1\nPEM="-----BEGIN INVENTED-----\nAAAA"' },
  ])("reads $name by what it is", async ({ name, content }) => {
    const { secrets, problems } = await readImports([await write(name, content)])
    expect(secrets[0]).toMatchObject({ name: "A", value: "1" })
    expect(problems).toEqual([])
  })

  it("refuses half a character, which no UTF-8 can express", async () => {
    const file = await write("half.json", String.raw`{"A": "\ud83d", "B": "\ud83d\ude00"}`)
    const { secrets, problems } = await readImports([file])
    expect(secrets).toMatchObject([{ name: "B", value: "😀" }])
    expect(problems).toMatchObject([
      { line: 1, reason: expect.stringContaining('"A" holds half a character') },
    ])
  })

  it("refuses a JSON name that is empty, and shows odd ones as plain ASCII", async () => {
    const file = await write(
      "odd.json",
      String.raw`{"": "1", "\u001b[31mæ": "2", "` + "n".repeat(5000) + '": "3"}',
    )
    const { problems } = await readImports([file])
    expect(problems.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('"" is no name'),
      expect.stringContaining(String.raw`"\u001b[31m\u00e6" has characters`),
      expect.stringMatching(/^"n{140}\.\.\." has 5000 characters/),
    ])
  })

  it("refuses a file far too large to be of secrets", async () => {
    const file = await write("large.env", Buffer.alloc(16 * 1024 * 1024 + 1, "x"))
    expect(await readImports([file])).toMatchObject({
      problems: [{ reason: "the file is larger than 16777216 bytes" }],
    })
  })

  it("notes a file that holds nothing", async () => {
    const file = await write("empty.env", "# only a comment\n")
    expect(await readImports([file])).toEqual({
      secrets: [],
      certificates: [],
      problems: [],
      notes: [{ file, reason: "the file holds nothing to import" }],
    })
  })
})
