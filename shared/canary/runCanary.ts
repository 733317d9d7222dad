import { randomUUID } from "node:crypto"
import {
  canaryAge,
  canaryAgeLimitMs,
  canaryObject,
  canaryPrefix,
  type CanaryProof,
  newerProof,
} from "../audit/canary.ts"
import { formatVersionUrl, type ObjectVersion } from "../change/objectVersion.ts"
import type { Clock } from "../clock.ts"
import { ServiceError, toServiceError } from "../errors.ts"
import { errorFields, type Log } from "../log.ts"
import { SecretValue } from "../secretValue.ts"
import { formatRecordName } from "../store/blobName.ts"
import type { StoreCatalog } from "../store/storeCatalog.ts"
import type { Telemetry } from "../telemetry/telemetry.ts"
import type { VaultWriter } from "../vault/vaultWriter.ts"

/** What a canary works with. */
export interface CanaryParts {
  /** `https://host/secrets/name`. */
  readonly secretUrl: string
  readonly writer: Pick<VaultWriter, "setSecret">
  readonly catalog: StoreCatalog
  readonly clock: Clock
  /** Backup is paused: then only the age is told, since a version that is set would wait with the others. */
  readonly isPaused: boolean
  /** Tells the world that a backup was proved; resolves with what went wrong in one word. */
  readonly heartbeat?: () => Promise<string | undefined>
}

/** Whom a canary tells. */
export interface CanarySignals {
  readonly log: Log
  readonly telemetry: Pick<Telemetry, "sawCanary" | "canaryRan">
}

/** How long the backup of a canary may take. */
const patienceMs = 120_000
const firstWaitMs = 500
const longestWaitMs = 5000

/**
 * One canary: tells how old the newest proved one is, sets a new version, and waits until the backup of exactly that
 * version is listed in the store as the work of a live change. Only then the heartbeat goes out.
 *
 * Each run makes a version, also one that fails after it; nothing else is changed, and nothing is ever removed.
 *
 * @throws ServiceError ERR_CANARY_LATE when the backup did not come in time; whatever the vault or the store throws when
 * the canary could not be set, or not be looked for: then nothing is told about backup.
 */
export async function runCanary(parts: CanaryParts, signals: CanarySignals): Promise<void> {
  const { log, telemetry } = signals
  try {
    tellAge(await newestProof(parts, canaryPrefix(parts.secretUrl)), parts, signals)
    if (parts.isPaused) return
    await prove(parts, signals)
  } catch (thrown) {
    const error = toServiceError(thrown)
    const isLate = error.code === "ERR_CANARY_LATE"
    log.error(isLate ? "canary.late" : "canary.failed", errorFields(error))
    telemetry.canaryRan(isLate ? "late" : "failed", error.code)
    throw error
  }
}

function tellAge(
  proof: CanaryProof | undefined,
  { clock, isPaused }: CanaryParts,
  { log, telemetry }: CanarySignals,
): void {
  const limit = { limitSeconds: canaryAgeLimitMs / 1000, ...(isPaused ? { paused: true } : {}) }
  if (!proof) {
    log.warn("canary.age", limit)
    return
  }
  const ageMs = canaryAge(proof, clock.now())
  telemetry.sawCanary(proof.changedAt)
  log[ageMs > canaryAgeLimitMs ? "error" : "info"]("canary.age", {
    ageSeconds: Math.round(ageMs / 1000),
    ...limit,
    object: formatVersionUrl(proof.object),
    changedAt: proof.changedAt.toISOString(),
  })
}

async function prove(parts: CanaryParts, { log, telemetry }: CanarySignals): Promise<void> {
  const { clock, heartbeat } = parts
  const setAt = clock.now()
  const object = await setCanary(parts)
  const proof = await waitForProof(object, parts)
  telemetry.sawCanary(proof.changedAt)
  telemetry.canaryRan("proved")
  log.info("canary.proved", {
    object: formatVersionUrl(object),
    tookMs: clock.now().getTime() - setAt.getTime(),
  })
  const problem = await heartbeat?.()
  if (problem !== undefined) log.warn("canary.heartbeatFailed", { problem })
}

/** The value says what it is to whoever finds it, and is no secret. */
function setCanary({ secretUrl, writer, clock }: CanaryParts): Promise<ObjectVersion> {
  const { vault, name } = canaryObject(secretUrl)
  const value = new SecretValue(`backup canary ${clock.now().toISOString()} ${randomUUID()}`)
  return writer.setSecret(vault, name, { value, tags: {}, enabled: true })
}

async function waitForProof(object: ObjectVersion, parts: CanaryParts): Promise<CanaryProof> {
  const { clock } = parts
  const deadlineMs = clock.now().getTime() + patienceMs
  const blob = formatRecordName(object)
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    const isLast = clock.now().getTime() + waitMs > deadlineMs
    try {
      const proof = await newestProof(parts, blob)
      if (proof) return proof
    } catch (error) {
      // What cannot be looked at is not late, but it is only told when the time is over.
      if (isLast) throw error
    }
    if (isLast) {
      throw new ServiceError("ERR_CANARY_LATE", `The canary was not in the store within ${patienceMs} ms`, {
        details: { object: formatVersionUrl(object) },
      })
    }
    await clock.sleep(waitMs)
  }
}

async function newestProof({ catalog }: CanaryParts, prefix: string): Promise<CanaryProof | undefined> {
  let proof: CanaryProof | undefined
  for await (const blob of catalog.list(prefix)) proof = newerProof(proof, blob)
  return proof
}
