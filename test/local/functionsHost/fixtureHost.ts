import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build } from "esbuild"
import type { HostInvocation, HostLog } from "../../../local/functionsHost/hostProtocol.ts"
import {
  type FunctionsHostOptions,
  type RunningFunctionsHost,
  startFunctionsHost,
} from "../../../local/functionsHost/startFunctionsHost.ts"
import { createCertificateAuthority } from "../../../local/tls/certificateAuthority.ts"

/** The fixture app, bundled as the product is, in a folder of its own with a host.json and a CA file. */
export interface FixtureApp {
  readonly directory: string
  readonly ca: Awaited<ReturnType<typeof createCertificateAuthority>>
  /** A host without queues and without its own timers, unless the options say so. */
  start(options?: Partial<FunctionsHostOptions>): Promise<FixtureHost>
  writeHostJson(serviceBus: object, rest?: object): Promise<void>
  remove(): Promise<void>
}

export interface FixtureHost {
  readonly host: RunningFunctionsHost
  readonly logs: HostLog[]
  readonly invocations: HostInvocation[]
  /** What the functions said they saw, oldest first. */
  saw(functionName: string): Record<string, unknown>[]
}

const queueFunctions = ["receive", "receiveBytes", "receiveMany", "disabled"] as const
/** Settings that switch off every function that needs a broker. */
export const withoutQueues: Record<string, string> = Object.fromEntries(
  queueFunctions.map((name) => [`AzureWebJobs.${name}.Disabled`, "true"]),
)

export async function bundleFixture(): Promise<FixtureApp> {
  const directory = await mkdtemp(join(tmpdir(), "functions-host-"))
  const bundle = join(directory, "index.cjs")
  await build({
    entryPoints: [new URL("fixtureApp.ts", import.meta.url).pathname],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "cjs",
    external: ["@azure/functions-core"],
    logLevel: "warning",
  })
  const ca = await createCertificateAuthority()
  const caFile = join(directory, "ca.pem")
  await writeFile(caFile, ca.caPem)
  const writeHostJson = (serviceBus: object, rest: object = {}) =>
    writeFile(
      join(directory, "host.json"),
      JSON.stringify({ version: "2.0", extensions: { serviceBus }, ...rest }),
    )
  await writeHostJson({})
  return {
    directory,
    ca,
    writeHostJson,
    remove: () => rm(directory, { recursive: true, force: true }),
    start: async (options) => {
      const logs: HostLog[] = []
      const invocations: HostInvocation[] = []
      const host = await startFunctionsHost({
        appDirectory: directory,
        bundle,
        caFile,
        env: withoutQueues,
        runsTimers: false,
        onLog: (line) => logs.push(line),
        onInvocation: (invocation) => invocations.push(invocation),
        ...options,
      })
      const saw = (name: string) =>
        logs
          .filter((line) => line.function === name && line.message.startsWith("SAW "))
          .map((line) => JSON.parse(line.message.slice(4)) as Record<string, unknown>)
      return { host, logs, invocations, saw }
    },
  }
}

/** Waits until `check` gives something true; fails with its last answer after `limitMs`. */
export async function eventually<T>(check: () => T, limitMs = 8000): Promise<NonNullable<T>> {
  const end = Date.now() + limitMs
  for (;;) {
    const answer = check()
    if (answer) return answer
    if (Date.now() > end) throw new Error(`Not within ${limitMs} ms: ${check.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
