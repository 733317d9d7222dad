import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { restoreBicep } from "./bicepCli.ts"
import { type BicepServer, startBicepServer } from "./bicepServer.ts"
import {
  checkBuild,
  checkFormat,
  checkSnapshots,
  exampleEnvironment,
  findSilencedLines,
  findUnusedModules,
  lintFile,
  listBicepFiles,
} from "./checks.ts"
import { listPlans } from "./plans.ts"

// `npm run infra`: what can be known about the deployment without Azure. `-- --write` takes the snapshots anew.

const root = fileURLToPath(new URL("../..", import.meta.url))
const writes = process.argv.includes("--write")

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function step(name: string, work: () => Promise<readonly string[]>): Promise<boolean> {
  const started = performance.now()
  const problems = await work()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  say(`${problems.length === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`)
  for (const problem of problems) say(`     ${problem}`)
  return problems.length === 0
}

async function checkWithBicep(path: string, server: BicepServer): Promise<boolean> {
  const files = listBicepFiles()
  const plans = listPlans()
  const results = [
    await step(`format of ${files.length} files`, () => checkFormat(server)),
    await step("lint: nothing to say, nothing silenced", async () => [
      ...findSilencedLines(),
      ...findUnusedModules(),
      ...(await lintFile(path, "main.bicep")),
      ...(await lintFile(path, "main.bicepparam", exampleEnvironment)),
    ]),
    await step("build", async () => (await checkBuild(path)).problems),
    await step(`snapshots of ${plans.length} plans: ${plans.map(({ name }) => name).join(", ")}`, () =>
      checkSnapshots(server, { writes }),
    ),
  ]
  return results.every(Boolean)
}

function runPolicyTests(): Promise<boolean> {
  return new Promise((resolve) => {
    spawn(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "test/infra"], {
      cwd: root,
      stdio: "inherit",
    }).once("close", (code) => resolve(code === 0))
  })
}

const bicep = await restoreBicep()
let passed = true
if ("missing" in bicep) {
  say(`skipped: format, lint, build and snapshots, since ${bicep.missing}`)
} else {
  const server = startBicepServer(bicep.path)
  try {
    passed = await checkWithBicep(bicep.path, server)
  } finally {
    await server.stop()
  }
}
say(`policies on the ${listPlans().length} snapshots, settings and roles:`)
passed = (await runPolicyTests()) && passed
process.exitCode = passed ? 0 : 1
