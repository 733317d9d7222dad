/** One client of `bench/pipeline`: a process for one scenario, which runs the cells that its parent asks for. */
import tls from "node:tls"
import { createHandlerBackup } from "./handlerBackup.ts"
import { type Cell, measureCell } from "./measureCell.ts"
import type { BackUpOne, PipelineTargets } from "./pipelineTargets.ts"
import { createRawBackup } from "./rawBackup.ts"
import { createSdkBackup } from "./sdkBackup.ts"

/** In the order of the table: the floor, the SDKs, the product. */
export type ScenarioName = "raw" | "sdk" | "handler"

/** The first message; the answer is `null` when the scenario is ready. */
export interface ClientStart {
  readonly scenario: ScenarioName
  readonly targets: PipelineTargets
}

/** Every later message; the answer is the cell. */
export interface CellRequest {
  readonly inFlight: number
  readonly seconds: number
}

const create: Readonly<Record<ScenarioName, (targets: PipelineTargets) => BackUpOne | Promise<BackUpOne>>> = {
  raw: createRawBackup,
  sdk: createSdkBackup,
  handler: createHandlerBackup,
}

let backUpOne: BackUpOne | undefined

async function handle(message: ClientStart | CellRequest): Promise<void> {
  if ("scenario" in message) {
    const { scenario, targets } = message
    tls.setDefaultCACertificates([...tls.getCACertificates("default"), targets.caPem])
    backUpOne = await create[scenario](targets)
    answer(null)
    return
  }
  if (!backUpOne) throw new Error("The first message names no scenario")
  answer(await measureCell(backUpOne, message.inFlight, message.seconds))
}

/** A parent that has gone away needs no answer. */
function answer(message: Cell | null): void {
  process.send?.(message, () => {})
}

process.once("disconnect", () => process.exit())
process.on("message", (message: ClientStart | CellRequest) => {
  handle(message).catch((error: unknown) => {
    console.error(error instanceof Error ? `${error.name}: ${error.message}` : error)
    process.exit(1)
  })
})
