import { readdirSync, readFileSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

/** Script and style sheet of the latency page, each one text without imports. */
export interface BuiltLatencyPage {
  readonly script: string
  readonly style: string
}

const root = fileURLToPath(new URL(".", import.meta.url))
const sources = join(root, "shared", "audit", "page")

/** Makes the page's parts and leaves them in `dist/latencyPage.js` and `dist/latencyPage.css`. */
export async function buildLatencyPage(): Promise<BuiltLatencyPage> {
  const page = await bundleLatencyPage()
  await mkdir(join(root, "dist"), { recursive: true })
  await writeFile(join(root, "dist", "latencyPage.js"), page.script)
  await writeFile(join(root, "dist", "latencyPage.css"), page.style)
  return page
}

/** Makes the parts from the page's sources and the chart library, minified, with the licences of what went in. */
export async function bundleLatencyPage(): Promise<BuiltLatencyPage> {
  const { outputFiles, metafile } = await build({
    entryPoints: {
      latencyPage: join(sources, "main.ts"),
      latencyPageStyle: join(sources, "latencyPage.css"),
    },
    outdir: join(root, "dist"),
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    target: ["chrome111", "firefox115", "safari16.4"],
    format: "iife",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  })
  const textOf = (name: string) => outputFiles.find(({ path }) => path.endsWith(name))?.text.trim() ?? ""
  return {
    script: `${licencesOf(Object.keys(metafile.inputs))}\n${textOf("latencyPage.js")}`,
    style: textOf("latencyPageStyle.css"),
  }
}

/** One comment with each licence text once, above it the packages it holds for. */
function licencesOf(inputs: readonly string[]): string {
  const packages = new Set(
    inputs.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.slice(1) ?? []),
  )
  const holders = new Map<string, string[]>()
  for (const name of [...packages].sort()) {
    const directory = join(root, "node_modules", name)
    const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry))
    if (file === undefined) {
      throw new Error(`The package ${name} has no licence file, so the latency page may not carry it`)
    }
    const text = readFileSync(join(directory, file), "utf8").trim().replaceAll("*/", "* /")
    holders.set(text, [...(holders.get(text) ?? []), name])
  }
  const texts = [...holders].map(([text, names]) => `${names.join(", ")}\n\n${text}`)
  return `/*!\n${texts.join("\n\n---\n\n")}\n*/`
}
