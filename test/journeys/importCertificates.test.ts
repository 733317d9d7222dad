import { readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { toPem } from "../../local/tls/signCertificate.ts"
import { aChain, materialOf } from "../support/aChain.ts"
import { type NodeEnd, type NodeProcess, startNode } from "../support/startNode.ts"

const start = fileURLToPath(new URL("../../local/start.ts", import.meta.url))
const locked = JSON.parse(
  readFileSync(new URL("../local/import/lockedPfx.json", import.meta.url), "utf8"),
) as { pfx: string; password: string }
const chain = aChain({ length: 3 })
let directory: string
const started: NodeProcess[] = []

function run(...argv: string[]): NodeProcess {
  const node = startNode([start, ...argv], { cwd: directory })
  started.push(node)
  return node
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "import-certificates-"))
  const write = (name: string, content: string | Buffer) => writeFile(join(directory, name), content)
  await write(
    "www.example.test.pem",
    materialOf(chain.key, chain.certificates.toReversed(), "application/x-pem-file"),
  )
  await write("plain.pfx", Buffer.from(materialOf(chain.key, chain.certificates), "base64"))
  await write("locked.pfx", Buffer.from(locked.pfx, "base64"))
  await write("only.crt", toPem(chain.certificates[0], "CERTIFICATE"))
  await write("app.env", "WWW_EXAMPLE_TEST=clashes\nDB_PASSWORD=hunter2\n")
  await write("password.txt", `${locked.password}\n`)
})
afterAll(async () => {
  for (const node of started) node.kill()
  await rm(directory, { recursive: true, force: true })
})

const files = ["www.example.test.pem", "plain.pfx", "locked.pfx", "only.crt", "app.env"]

describe("npm start -- --once --import of certificates", () => {
  let end: NodeEnd
  beforeAll(async () => {
    end = await run("--once", "--import", ...files, "--password-file", "password.txt").end
  })

  it("backs each of them up and opens it, whole or locked, and ends with 0", () => {
    const [table = ""] = end.stdout.split("\n\n")
    const rows = table.split("\n").map((line) => line.split("  "))
    const told = rows.slice(1).map(([object, , outcome, , blob]) => [object, outcome, blob?.split("/")[2]])
    expect(told.toSorted()).toEqual([
      ["db-password", "stored", "secrets"],
      ["locked", "stored", "certificates"],
      ["plain", "stored", "certificates"],
      ["www-example-test", "stored", "certificates"],
    ])
    expect(end.stdout).toContain("\n4 records opened with the recovery key")
    expect({ code: end.code, wrong: end.stdout.includes("WRONG") }).toEqual({ code: 0, wrong: false })
  })

  it("names what it left out, by its file", () => {
    expect(end.stderr.trimEnd().split("\n")).toEqual([
      "only.crt the file holds a certificate without its private key; put both into one file",
      'app.env:1 "WWW_EXAMPLE_TEST" becomes the same name as "www-example-test" in www.example.test.pem, which stays',
    ])
    expect(end.stdout).toContain("2 entries could not be imported")
  })

  it("prints neither password nor key", () => {
    const printed = end.stdout + end.stderr + readFileSync(join(directory, ".local", "cloud.log"), "utf8")
    expect(printed).not.toContain(locked.password)
    expect(printed).not.toContain("PRIVATE KEY")
    expect(printed).not.toContain(locked.pfx.slice(100, 160))
  })
})

describe("npm start -- --import of a locked file", () => {
  it("says what to do where there is no password and no terminal, and imports nothing", async () => {
    const end = await run("--once", "--import", "locked.pfx").end
    expect(end.code).toBe(2)
    expect(end.stderr).toContain(
      "locked.pfx the file needs a password: name a file that holds it with --password-file",
    )
  })

  it("ends with 2 before anything starts when the password file cannot be read", async () => {
    const end = await run("--once", "--import", "locked.pfx", "--password-file", "absent.txt").end
    expect(end).toMatchObject({
      code: 2,
      stdout: "",
      stderr: "The password file absent.txt cannot be read.\n",
    })
  })

  it("takes no password as an argument", async () => {
    const end = await run("--once", "--import", "locked.pfx", "--password", locked.password).end
    expect(end.code).toBe(2)
    expect(end.stderr).toContain("--password-file")
  })
})
