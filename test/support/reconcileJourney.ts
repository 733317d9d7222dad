import { expect, vi } from "vitest"
import { runCli } from "./runCli.ts"
import type { Journey } from "./startJourney.ts"

/** What `kvbackup reconcile --json` says of the one vault of a journey. */
export interface ReconciledJourney {
  readonly exitCode: number
  readonly executed: boolean
  readonly complete: boolean
  readonly incomplete?: { readonly reason: string; readonly code?: string }
  readonly continues?: string
  readonly counts: {
    readonly versions: number
    readonly stored: number
    readonly sent: number
    readonly recorded: number
  }
  readonly gaps: readonly { readonly id: string; readonly reason: string; readonly action: string }[]
  readonly untold: readonly object[]
}

/** Runs the command over the one vault of a journey. */
export async function reconcile(
  { directory }: Journey,
  ...argv: readonly string[]
): Promise<ReconciledJourney> {
  const { exitCode, json } = await runCli(directory, "reconcile", "--json", ...argv)
  const document = json<Pick<ReconciledJourney, "exitCode" | "executed"> & { vaults: ReconciledJourney[] }>()
  const [vault] = document.vaults
  if (!vault) throw new Error(`There is no vault in ${JSON.stringify(document)}`)
  expect(document.exitCode).toBe(exitCode)
  return { ...vault, exitCode, executed: document.executed }
}

/** Work whose changes nobody hears of. */
export async function unheard<T>(journey: Journey, work: () => Promise<T>): Promise<T> {
  await journey.control("POST /faults", { target: "eventgrid", effect: "drop" })
  const result = await work()
  await vi.waitFor(() => expect(journey.cloud.eventGrid.pending()).toBe(0))
  await journey.control("DELETE /faults")
  return result
}

/** Names in the container of backups. */
export function namesIn({ cloud }: Journey, prefix: string): readonly string[] {
  return cloud.blob.backdoor.names(cloud.file.blob.container, prefix)
}
