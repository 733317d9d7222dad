import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { describe, expect, it } from "vitest"
import { main } from "../../cli/main.ts"

const root = resolve(import.meta.dirname, "../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")
const pages = ["", "docs"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith(".md"))
    .map((file) => ({ name: join(folder, file) })),
)
const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts)

/** Command lines in fenced shell blocks, and in code spans that begin like one; a `&&` or a pipe makes two. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)\n```$/gms)].flatMap(([, block]) => block?.split("\n") ?? [])
  const prose = text.replaceAll(/^```.*?^```$/gms, "")
  const spans = [...prose.matchAll(/`((?:npm|npx|kvbackup) [^`]+)`/g)].map(([, span]) => span ?? "")
  return [...blocks, ...spans].flatMap((line) => line.split(/ && | \| /))
}

/** What is wrong with a command line; `undefined` when all that it names is there. */
async function problemOf(command: string): Promise<string | undefined> {
  const [program, ...argv] = command.replace(/ [<>] .*$/, "").split(" ")
  if (program === "npm") return problemOfNpm(argv)
  if (program === "npx" && argv[0] === "node")
    return existsSync(join(root, argv[1] ?? "")) ? undefined : "no such file"
  if (program === "npx" && argv[0] === "kvbackup") return problemOfKvbackup(argv.slice(1))
  if (program === "kvbackup") return problemOfKvbackup(argv)
  if (program === "npx" && argv[0] === "vitest") return undefined
  return ["printf", "jose", "apt-get"].includes(program ?? "") ? undefined : "a program that no page explains"
}

async function problemOfNpm([name = "", ...rest]: readonly string[]): Promise<string | undefined> {
  const script = name === "run" ? rest[0] : name
  if (script !== "ci" && !scripts.includes(script ?? "")) return `no script ${script}`
  const source = read("local/start.ts")
  const unknown = rest.filter((word) => /^--\w/.test(word)).find((flag) => !source.includes(`"${flag}`))
  return unknown && `no option ${unknown}`
}

async function problemOfKvbackup(argv: readonly string[]): Promise<string | undefined> {
  const [name = ""] = argv
  let help = ""
  const streams = { out: (text: string) => (help += text), err: () => {}, env: {}, cwd: root }
  await main(name.startsWith("-") ? ["--help"] : [name, "--help"], streams)
  if (!name.startsWith("-") && !help.startsWith(`Usage: kvbackup ${name} `)) return `no command ${name}`
  const unknown = argv.filter((word) => word.startsWith("--")).find((flag) => !help.includes(flag))
  return unknown && `no option ${unknown}`
}

describe.each(pages)("$name", ({ name }) => {
  const text = read(name)

  it("links to files and headings that exist", () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
    const broken = links.filter(([, path = "", heading]) => {
      const target = path === "" ? name : join(dirname(name), path)
      if (!existsSync(join(root, target))) return true
      return heading !== undefined && !anchorsOf(read(target)).includes(heading)
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })

  it("names files and folders of this project that exist", () => {
    const named = [...text.matchAll(/`((?:cli|docs|functions|local|shared|test)\/[\w./-]*)`/g)].map(
      ([, path]) => path,
    )
    expect(named.filter((path) => !existsSync(join(root, path ?? "")))).toEqual([])
  })

  it("says nothing about the machine it was written on", () => {
    expect(text).not.toMatch(/\/(?:tmp|work|home|root)\//)
  })
})

describe.each(["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/settings.md"].map((name) => ({ name })))(
  "commands in $name",
  ({ name }) => {
    it("exist, with every option", async () => {
      const commands = commandsIn(read(name))
      const problems = await Promise.all(
        commands.map(async (command) => ({ command, problem: await problemOf(command) })),
      )
      expect(problems.filter(({ problem }) => problem !== undefined)).toEqual([])
    })
  },
)

describe("README.md", () => {
  const readme = read("README.md")

  it("has commands to check", () => {
    expect(commandsIn(readme)).toEqual(
      expect.arrayContaining([
        "npm ci",
        "npm start -- --once",
        "npm test",
        "npx kvbackup status --local",
        "npx kvbackup verify --deep --local",
        "npx node docs/examples/getRecord.mjs my-secret > .local/record.jwe.json",
      ]),
    )
  })

  it("shows the example as it is", () => {
    expect(readme).toContain(`\`\`\`js\n${read("docs/examples/setSecret.mjs")}\`\`\`\n`)
  })

  it("stays short enough to be read", () => {
    expect(readme.split("\n").length).toBeLessThan(230)
  })
})

describe("docs/host.md", () => {
  it("explains every value of host.json", () => {
    const page = read("docs/host.md")
    const leaves = leavesOf((JSON.parse(read("host.json")) as { extensions: object }).extensions)
    expect(leaves.length).toBeGreaterThan(5)
    const missing = leaves.filter(
      ([key, value]) => !new RegExp(`\`[\\w.]*${key}\` +\\| \`${value}\``).test(page),
    )
    expect(missing).toEqual([])
  })
})

function leavesOf(value: object): [key: string, value: string][] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]) =>
    typeof member === "object" && member !== null ? leavesOf(member) : [[key, String(member)]],
  )
}

function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  )
}
