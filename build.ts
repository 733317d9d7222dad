import { stat } from "node:fs/promises"
import { fileURLToPath, pathToFileURL } from "node:url"
import { build } from "esbuild"
import { installFunctionsCore } from "./local/functionsHost/functionsCore.ts"

// Makes the one file that Azure loads (package.json `main`), loads it as the host does, and lists what it registers.

const bundle = fileURLToPath(new URL("dist/functions/index.cjs", import.meta.url))
const quiet = process.argv.includes("--quiet")

await build({
  entryPoints: [fileURLToPath(new URL("functions/index.ts", import.meta.url))],
  outfile: bundle,
  bundle: true,
  platform: "node",
  target: "node22",
  format: "cjs",
  // The host's worker provides this module.
  external: ["@azure/functions-core"],
  sourcemap: "linked",
  legalComments: "linked",
  minifySyntax: true,
  logLevel: "warning",
})

const core = installFunctionsCore("4.1045.0", () => {})
await import(pathToFileURL(bundle).href)
const names = [...core.functions.values()].map(({ name }) => name)
if (names.length === 0) throw new Error("The bundle registers no function")
if (!quiet) {
  const { size } = await stat(bundle)
  console.log(`dist/functions/index.cjs ${(size / 1e6).toFixed(1)} MB registers: ${names.join(", ")}`)
}
