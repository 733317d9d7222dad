// Writes the generated pages (npm run docs:errors). With --check it writes nothing and ends with 1 on a difference.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { documentNames, renderSchema } from "./documentSchemas.ts"
import { renderErrorsPage } from "./errorsPage.ts"
import { renderSettingsTable } from "./settingsPage.ts"

/** A generated page: what it should hold, and what it holds. */
export interface GeneratedPage {
  /** Below the project's folder. */
  readonly path: string
  readonly wanted: string
  readonly found: string
}

const begin = "<!-- begin: written by `npm run docs:errors` from shared/config.ts -->"
const end = "<!-- end -->"

/** All generated pages of the project. */
export function readGeneratedPages(): readonly GeneratedPage[] {
  const settings = readProjectFile("docs/settings.md")
  return [
    { path: "docs/errors.md", wanted: renderErrorsPage(), found: readProjectFile("docs/errors.md") },
    {
      path: "docs/settings.md",
      wanted: replaceBetween(settings, renderSettingsTable(readerSources())),
      found: settings,
    },
    ...documentNames.map((name) => {
      const path = `docs/schemas/${name}.json`
      return { path, wanted: renderSchema(name), found: readProjectFile(path) }
    }),
  ]
}

/** @throws Error when `page` has not both marks, in their order. */
function replaceBetween(page: string, content: string): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`docs/settings.md has lost its marks: ${begin} … ${end}`)
  return `${page.slice(0, from)}${begin}\n\n${content}\n\n${page.slice(to)}`
}

/** The readers of settings: the worker is all of `functions/`, each command the file of its name. */
function readerSources(): Record<string, string> {
  const main = readProjectFile("cli/main.ts")
  const commands = [...main.matchAll(/\badd\("(\w+)"/g)].map(([, name = ""]) => name).sort()
  const worker = namesIn("functions").map((name) => readProjectFile(`functions/${name}.ts`))
  const context = readProjectFile("cli/commandContext.ts")
  // The command and the timer share what they work with.
  const replay = readProjectFile("shared/deadLetter/azureReplayParts.ts")
  const reconcile = readProjectFile("shared/reconcile/azureReconcileParts.ts")
  const keys = readProjectFile("cli/openingKeys.ts")
  const digests = readProjectFile("shared/digest/azureDigestParts.ts")
  const proof = readProjectFile("cli/auditProve.ts")
  const audit = readProjectFile("shared/audit/azureAudit.ts")
  // Every hop is planned from the settings.
  const doctor = ["plannedHops", "azureDoctor", "managementPlane", "checkSettings", "job"]
    .map((name) => readProjectFile(`shared/diagnosis/${name}.ts`))
    .join("\n")
  const sharedBy: Readonly<Record<string, string>> = {
    replay,
    reconcile,
    doctor,
    verify: keys,
    restore: keys,
    status: audit,
    audit: `${audit}\n${proof}\n${digests}`,
  }
  const canary = readProjectFile("shared/canary/azureCanaryParts.ts")
  return {
    worker: [...worker, replay, reconcile, canary, digests].join("\n"),
    ...Object.fromEntries(
      commands.map((name) => [
        `\`${name}\``,
        `${readProjectFile(`cli/${name}.ts`)}\n${contextOf(name, context)}\n${sharedBy[name] ?? ""}`,
      ]),
    ),
  }
}

/** What the shared context of commands reads for one of them: everything but the client ids of other jobs. */
function contextOf(command: string, context: string): string {
  const job = command === "status" ? "AUDIT" : command.toUpperCase()
  return context.replaceAll(/BACKUP_([A-Z]+)_CLIENT_ID/g, (name, owner: string) =>
    owner === job ? name : "",
  )
}

function namesIn(folder: string): string[] {
  return readdirSync(projectFile(folder))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -3))
    .sort()
}

function readProjectFile(path: string): string {
  try {
    return readFileSync(projectFile(path), "utf8")
  } catch {
    return ""
  }
}

function projectFile(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

/** Writes the pages that differ, or with `check` only names them. @returns the exit code. */
function run(check: boolean): number {
  const stale = readGeneratedPages().filter(({ wanted, found }) => wanted !== found)
  for (const { path, wanted } of stale) {
    if (!check) writeFileSync(projectFile(path), wanted)
    console.log(`${path} ${check ? "differs from the code: run `npm run docs:errors`" : "written"}`)
  }
  return check && stale.length > 0 ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exitCode = run(process.argv.includes("--check"))
