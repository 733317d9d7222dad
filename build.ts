import { stat } from "node:fs/promises"
import { fileURLToPath, pathToFileURL } from "node:url"
import { build, type BuildOptions } from "esbuild"
import { buildLatencyPage } from "./buildLatencyPage.ts"
import { installFunctionsCore } from "./local/functionsHost/functionsCore.ts"

// Makes the latency page; the file that Azure loads (package.json `main`), which carries that page; and the one that it
// loads itself where telemetry is exported. Loads the app as the host does, and lists what it registers.

const bundle = fileURLToPath(new URL("dist/functions/index.cjs", import.meta.url))
const quiet = process.argv.includes("--quiet")

const options = {
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
} satisfies BuildOptions

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const apart = "azureTelemetryExport"

const latencyPage = await buildLatencyPage()
await Promise.all([
  build({
    ...options,
    entryPoints: [source(`shared/telemetry/${apart}.ts`)],
    outfile: source(`dist/functions/${apart}.cjs`),
  }),
  build({
    ...options,
    entryPoints: [source("functions/index.ts")],
    outfile: bundle,
    define: { builtLatencyPage: JSON.stringify(latencyPage) },
    plugins: [
      {
        // The Azure Monitor exporter is a megabyte that most starts do not need.
        name: "apart",
        setup: ({ onResolve }) => {
          onResolve({ filter: new RegExp(`/${apart}\\.ts$`) }, ({ kind }) =>
            kind === "dynamic-import" ? { path: `./${apart}.cjs`, external: true } : undefined,
          )
        },
      },
    ],
  }),
])

const core = installFunctionsCore("4.1045.0", () => {})
await import(pathToFileURL(bundle).href)
const names = [...core.functions.values()].map(({ name }) => name)
if (names.length === 0) throw new Error("The bundle registers no function")
if (!quiet) {
  const { size } = await stat(bundle)
  console.log(`dist/functions/index.cjs ${(size / 1e6).toFixed(1)} MB registers: ${names.join(", ")}`)
}
