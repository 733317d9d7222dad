import { type DoctorCommandOptions, runDoctor } from "../../cli/doctor.ts"
import { readLocalCloud } from "../../cli/localCloud.ts"
import type { Finding } from "../../shared/diagnosis/doctorReport.ts"
import type { NameAnswer, NameResolver } from "../../shared/diagnosis/names.ts"
import type { Journey } from "./startJourney.ts"

export interface DoctorRun extends DoctorCommandOptions {
  /** Settings that replace or join those of the local cloud; an empty value takes one away. */
  readonly env?: Readonly<Record<string, string>>
  /** What names lead to, by a part of `host:port`'s host; others as they are. */
  readonly resolver?: NameResolver
}

export interface DoctorEnd {
  readonly exitCode: number
  readonly findings: readonly Finding[]
  /** Verdicts of what fails, by name, in order. */
  readonly failing: readonly string[]
  /** Verdicts of what could not be told. */
  readonly unknown: readonly string[]
  readonly out: string
  readonly err: string
}

/** Runs `kvbackup doctor --json` in this process against the cloud of a journey. */
export async function runDoctorIn(
  { directory }: Pick<Journey, "directory">,
  run: DoctorRun = {},
): Promise<DoctorEnd> {
  const { env, resolver, ...options } = run
  let out = ""
  let err = ""
  const streams = {
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    env: env ? { ...readLocalCloud(directory).env, ...env } : {},
    cwd: directory,
  }
  const given = { json: true, local: env === undefined, ...options }
  const exitCode = await runDoctor(given, streams, resolver)
  const { findings } = JSON.parse(out) as { findings: Finding[] }
  const verdicts = (status: Finding["status"]) =>
    findings.filter((finding) => finding.status === status).map(({ verdict }) => verdict)
  return { exitCode, findings, failing: verdicts("failing"), unknown: verdicts("unknown"), out, err }
}

/** A resolver that gives this answer to `host`, and the truth for every other name. */
export function answering(host: string, answer: Partial<NameAnswer>): NameResolver {
  return {
    resolve: async (asked) =>
      asked === host
        ? { addresses: [], aliases: [], ...answer }
        : { addresses: asked === "localhost" ? ["127.0.0.1"] : [asked], aliases: [] },
  }
}
