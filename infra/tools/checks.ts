import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { infraFolder, run } from "./bicepCli.ts"
import type { BicepServer } from "./bicepServer.ts"
import { listPlans, takeSnapshot } from "./plans.ts"

/** Every Bicep file below a folder; the package of the CLI is none of ours. */
export function listBicepFiles(folder = infraFolder): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.bicep(param)?$/.test(file) && !file.startsWith(join("tools", "bicep")))
    .map((file) => join(folder, file))
    .toSorted()
}

const shown = (path: string) => relative(infraFolder, path)

/** Files that are not written as `bicep format` writes them. */
export async function checkFormat(server: BicepServer): Promise<readonly string[]> {
  const problems: string[] = []
  for (const path of listBicepFiles()) {
    const result = Object(await server.request("bicep/format", { path }))
    if (Reflect.get(result, "contents") !== readFileSync(path, "utf8")) {
      problems.push(`${shown(path)} is not formatted: bicep format ${shown(path)}`)
    }
  }
  return problems
}

interface Sarif {
  readonly runs: readonly {
    readonly results: readonly {
      readonly ruleId: string
      readonly message: { readonly text: string }
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string }
          readonly region?: { readonly startLine?: number }
        }
      }[]
    }[]
  }[]
}

/**
 * Everything that the compiler and the linter have to say about a file and its modules, warnings too: a misspelt
 * property is no more than a warning to the compiler.
 */
export async function lintFile(
  cli: string,
  path: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const argv = ["lint", path, "--diagnostics-format", "sarif"]
  const { stdout, stderr, code } = await run(cli, argv, infraFolder, environment)
  let report: Sarif
  try {
    report = JSON.parse(stdout) as Sarif
  } catch {
    return [`${shown(path)} could not be linted: exit ${code}, ${stderr.trim() || stdout.trim()}`]
  }
  return report.runs.flatMap(({ results }) =>
    results.map(({ ruleId, message, locations }) => {
      const at = locations[0]?.physicalLocation
      return `${at?.artifactLocation.uri.split("/").at(-1)}:${at?.region?.startLine} ${ruleId}: ${message.text}`
    }),
  )
}

/** The same of one file that is not part of this project, by a CLI that is up: quicker, and without its modules. */
export async function diagnose(server: BicepServer, path: string): Promise<readonly string[]> {
  const method = path.endsWith(".bicepparam") ? "bicep/compileParams" : "bicep/compile"
  const result = Object(await server.request(method, { path, parameterOverrides: {} }))
  const diagnostics: unknown = Reflect.get(result, "diagnostics")
  if (!Array.isArray(diagnostics)) throw new Error(`The Bicep CLI did not judge ${path}`)
  return diagnostics.map(
    (diagnostic: { readonly code: string; readonly message: string }) =>
      `${diagnostic.code}: ${diagnostic.message}`,
  )
}

/** What azd sets before it reads `main.bicepparam`, at the least: docs/deploy.md. */
export const exampleEnvironment = {
  AZURE_ENV_NAME: "dev",
  AZURE_LOCATION: "westeurope",
  KVB_VAULTS: '[{"name":"kv-dev","source":"new","permissionModel":"roles"}]',
  KVB_RECIPIENTS: "{}",
  KVB_RETENTION_DAYS: "30",
}

/** Lines that silence the compiler. There is none, so that no diagnostic goes by unseen. */
export function findSilencedLines(paths = listBicepFiles()): readonly string[] {
  return paths.flatMap((path) =>
    readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line, index) =>
        /^\s*#\s*disable-/.test(line) ? [`${shown(path)}:${index + 1} ${line.trim()}`] : [],
      ),
  )
}

/** Files that no other file uses are linted by nobody; here they are named. */
export function findUnusedModules(): readonly string[] {
  const texts = listBicepFiles().map((path) => readFileSync(path, "utf8"))
  return listBicepFiles(join(infraFolder, "modules"))
    .filter((path) => {
      const file = path.split("/").at(-1)
      return !texts.some((text) => text.includes(`/${file}'`) || text.includes(`'${file}'`))
    })
    .map((path) => `${shown(path)} is used by no file`)
}

/** Builds the template that Azure gets. @returns what is wrong, and how long the template is. */
export async function checkBuild(
  cli: string,
): Promise<{ readonly problems: readonly string[]; readonly bytes: number }> {
  const { code, stdout, stderr } = await run(cli, ["build", "main.bicep", "--stdout"], infraFolder)
  return { problems: code === 0 && stderr.trim() === "" ? [] : [stderr.trim()], bytes: stdout.length }
}

/** Plans whose resources are not those of their snapshot file; with `writes` the files are written anew instead. */
export async function checkSnapshots(
  server: BicepServer,
  { writes = false }: { readonly writes?: boolean } = {},
): Promise<readonly string[]> {
  const problems: string[] = []
  for (const { name, parameters, snapshot } of listPlans()) {
    let taken: string
    try {
      taken = await takeSnapshot(server, parameters)
    } catch (error) {
      problems.push(`${name} leads to no plan: ${error instanceof Error ? error.message : String(error)}`)
      continue
    }
    if (writes) {
      writeFileSync(snapshot, taken)
      continue
    }
    const difference = firstDifference(readFileSync(snapshot, "utf8"), taken)
    if (difference !== undefined) {
      problems.push(`${name} is not as its snapshot, ${difference}. If it is meant: npm run infra -- --write`)
    }
  }
  return problems
}

function firstDifference(expected: string, taken: string): string | undefined {
  if (expected === taken) return undefined
  const expectedLines = expected.split("\n")
  const takenLines = taken.split("\n")
  const at = takenLines.findIndex((line, index) => line !== expectedLines[index])
  const line = at < 0 ? takenLines.length : at
  return `first at line ${line + 1}: ${expectedLines[line]?.trim()} -> ${takenLines[line]?.trim()}`
}
