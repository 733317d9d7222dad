import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"

// Lays out what Azure gets, in dist/package: host.json, a package.json without dependencies, and the bundle with all of
// them inside. Nothing is installed or built in Azure. Run it after `npm run build`.

const root = new URL("../../", import.meta.url)
const to = new URL("dist/package/", root)

const { name, version, main, engines } = JSON.parse(
  await readFile(new URL("package.json", root), "utf8"),
) as Record<string, unknown>
await rm(to, { recursive: true, force: true })
await mkdir(new URL("dist/", to), { recursive: true })
await cp(new URL("dist/functions", root), new URL("dist/functions", to), { recursive: true })
await cp(new URL("host.json", root), new URL("host.json", to))
await writeFile(
  new URL("package.json", to),
  `${JSON.stringify({ name, version, private: true, main, engines }, null, 2)}\n`,
)
process.stdout.write(`The package is in ${fileURLToPath(to)}\n`)
