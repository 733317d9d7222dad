import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it } from "vitest"

const run = promisify(execFile)
const root = join(import.meta.dirname, "../..")
const folder = join(root, "dist/package")
const read = (path: string) => readFileSync(join(folder, path), "utf8")
const azureYaml = readFileSync(join(root, "azure.yaml"), "utf8")

/** Loads the app as the host does, from its own folder, and prints what it registers. */
const loader = `
  const { installFunctionsCore } = await import(process.argv[1])
  const core = installFunctionsCore("4.0.0", () => {})
  const { main } = JSON.parse(await (await import("node:fs/promises")).readFile("package.json", "utf8"))
  await import((await import("node:url")).pathToFileURL(main).href)
  console.log([...core.functions.keys()].sort().join())
`

describe("the package that azd deploys", () => {
  beforeAll(async () => {
    await run(process.execPath, [join(root, "infra/tools/packageApp.ts")])
  })

  it("is host.json, package.json and the bundle", () => {
    expect(readdirSync(folder).toSorted()).toEqual(["dist", "host.json", "package.json"])
    expect(read("host.json")).toBe(readFileSync(join(root, "host.json"), "utf8"))
    expect(readdirSync(join(folder, "dist/functions"))).toContain("index.cjs")
  })

  it("has no dependencies and no scripts: nothing is installed or run in Azure", () => {
    const manifest = JSON.parse(read("package.json")) as object
    expect(Object.keys(manifest)).toEqual(["name", "version", "private", "main", "engines"])
  })

  it("registers its functions without this project around it", async () => {
    const { stdout } = await run(
      process.execPath,
      ["--input-type=module", "-e", loader, join(root, "local/functionsHost/functionsCore.ts")],
      { cwd: folder, env: { PATH: process.env["PATH"] ?? "" } },
    )
    expect(stdout.trim().split(",")).toEqual(expect.arrayContaining(["backupVersion", "health"]))
  })

  it("is what azure.yaml names, for the service that the site is tagged with", () => {
    expect(azureYaml).toMatch(/^ {2}function:\n {4}host: function$/m)
    expect(azureYaml).toContain("dist: dist/package")
    expect(azureYaml).toContain("node infra/tools/packageApp.ts")
  })
})
