import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readImports } from "../../../local/import/readImports.ts"
import { twoHundredEntries } from "./twoHundredEntries.ts"

let folder: string

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

  it.each([
    { name: "tls.pem", content: "-----BEGIN INVENTED-----\nAAAA\n-----END INVENTED-----\n" },
    { name: "key-without-extension", content: "\n-----BEGIN INVENTED-----\nAAAA\n" },
    { name: "bag.txt", content: "Bag Attributes\n    friendlyName: x\n-----BEGIN INVENTED-----\n" },
    { name: "tls.PFX", content: Buffer.from([0x30, 0x82, 0x01, 0x00]) },
    { name: "pfx-without-extension", content: Buffer.from([0x30, 0x82, 0x01, 0x00]) },
  ])("answers that certificates are not imported: $name", async ({ name, content }) => {
    const file = await write(name, content)
    expect(await readImports([file])).toEqual({
      secrets: [],
      problems: [{ file, reason: "certificates are not imported by this release" }],
      notes: [],
    })
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
      problems: [],
      notes: [{ file, reason: "the file holds nothing to import" }],
    })
  })
})
