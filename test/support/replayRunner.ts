// A runner of its own process that dies at a step it is told: `node replayRunner.ts [STEP:N:before|during|after]`.
import { randomUUID } from "node:crypto"
import { readLocalCloud } from "../../cli/localCloud.ts"
import { createCredential } from "../../shared/azureCredential.ts"
import { createAzureHttpClient } from "../../shared/azureHttpClient.ts"
import { systemClock } from "../../shared/clock.ts"
import { loadSettings } from "../../shared/config.ts"
import { openAzureReplay, replaySettings } from "../../shared/deadLetter/azureReplayParts.ts"
import type { DeadLetterSource } from "../../shared/deadLetter/deadLetterSource.ts"
import { everything } from "../../shared/deadLetter/replayFilter.ts"
import { type ReplayParts, runReplay } from "../../shared/deadLetter/runReplay.ts"
import { createLog } from "../../shared/log.ts"

const [step, nth, when] = (process.argv[2] ?? "never:0:before").split(":")
let left = Number(nth)

function die(): void {
  process.kill(process.pid, "SIGKILL")
}

async function at<T>(name: string, work: () => Promise<T>): Promise<T> {
  const isIt = name === step && --left === 0
  if (isIt && when === "before") die()
  const working = work()
  if (isIt && when === "during") setImmediate(die)
  const result = await working
  if (isIt) die()
  return result
}

function mortalSource(source: DeadLetterSource): DeadLetterSource {
  return {
    ...source,
    open: (options) => {
      const receiver = source.open(options)
      return {
        ...receiver,
        take: (...parameters) => at("take", () => receiver.take(...parameters)),
        complete: (letter) => at("complete", () => receiver.complete(letter)),
      }
    },
  }
}

function mortal(parts: ReplayParts): ReplayParts {
  return {
    ...parts,
    sources: parts.sources.map(mortalSource),
    sender: { send: (...parameters) => at("send", () => parts.sender.send(...parameters)) },
    journal: {
      ...parts.journal,
      append: (name, items) => at(name.phase, () => parts.journal.append(name, items)),
    },
    lease: { acquire: (holder) => at("lease", () => parts.lease.acquire(holder)) },
  }
}

const settings = loadSettings(readLocalCloud(process.cwd()).env, replaySettings)
const httpClient = createAzureHttpClient()
const credential = createCredential("managedIdentity", settings.BACKUP_REPLAY_CLIENT_ID)
const parts = openAzureReplay({ settings, credential, httpClient, clock: systemClock })
const result = await runReplay(mortal(parts), {
  filter: everything,
  maxPerSecond: 100_000,
  batchSize: 5,
  lockPatienceMs: 30_000,
  run: randomUUID(),
  host: "runner",
  newMessageId: randomUUID,
  log: createLog(() => {}, systemClock),
})
process.stdout.write(`${JSON.stringify(result)}\n`)
await parts.close()
await httpClient.close()
