import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { InvocationContext, Timer, TimerHandler } from "@azure/functions"
import { describe, expect, it } from "vitest"
import { compose } from "../../functions/compose.ts"
import { openTelemetryExport } from "../../functions/exportTelemetry.ts"
import { createReconcileVaultsHandler } from "../../functions/reconcileVaults.ts"
import { createReplayDeadLettersHandler } from "../../functions/replayDeadLetters.ts"
import { createWatchBacklogHandler } from "../../functions/watchBacklog.ts"
import { createWriteDigestHandler } from "../../functions/writeDigest.ts"
import type { CauseStatus } from "../../shared/audit/causes.ts"
import { createAllowList } from "../../shared/change/allowList.ts"
import { formatChangeMessage } from "../../shared/change/changeMessage.ts"
import { createProtectedVersions } from "../../shared/deadLetter/protectedVersions.ts"
import { ServiceError } from "../../shared/errors.ts"
import { createMemoryChangeQueue, createMemoryQueueInspector } from "../../shared/queue/memoryChangeQueue.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { metricDescriptions } from "../../shared/telemetry/instruments.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
import { aHandler } from "../support/aHandler.ts"
import { aChange, anEventGridEvent, anObject, aReading, vault } from "../support/builders.ts"
import { type CapturingLog, capturingLog } from "../support/capturingLog.ts"
import { fakeClock } from "../support/fakeClock.ts"
import { type AlertRule, type KustoRow, readAlertRules, runKusto } from "../support/kusto.ts"
import { aCanaryWorld, canaryName, canaryStart } from "../support/memoryCanary.ts"
import { aReconcileWorld } from "../support/memoryReconcile.ts"
import { memoryTelemetry, silentTelemetry } from "../support/memoryTelemetry.ts"
import { recipientPair } from "../support/recipientPair.ts"

const page = readFileSync(join(import.meta.dirname, "../../docs/runbook.md"), "utf8")
const rules = readAlertRules(page)
const pair = await recipientPair("EC", "k")
const forbidden = new ServiceError("ERR_STORE_FORBIDDEN", "no")

/** What the workspace got. */
interface Said {
  readonly now: Date
  readonly AppTraces: readonly KustoRow[]
  readonly AppMetrics: readonly KustoRow[]
}

type Kept = ReturnType<typeof memoryTelemetry>

async function said(lines: readonly string[], now: Date, kept?: Kept): Promise<Said> {
  const metrics = (await kept?.metrics()) ?? []
  return {
    now,
    AppTraces: lines.map((Message) => ({ Message })),
    AppMetrics: metrics.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => ({
        Name: descriptor.name,
        Properties: attributes,
        Sum: typeof value === "number" ? value : value.sum,
      })),
    ),
  }
}

const run = async (handler: TimerHandler) => {
  await Promise.resolve(handler({} as Timer, {} as InvocationContext)).catch(() => {})
}

interface Waiting {
  readonly place: "changes" | "deadLetter" | "quarantine"
  readonly cause?: CauseStatus["cause"]
}

/** What watchBacklog says two hours after these messages came. */
async function watched(waiting: readonly Waiting[], isBroken = false): Promise<Said> {
  const clock = fakeClock("2026-03-01T10:00:00.000Z")
  const kept = memoryTelemetry(clock)
  const log = capturingLog()
  const changes = createMemoryChangeQueue(() => clock.now())
  const quarantine = createMemoryChangeQueue(() => clock.now())
  for (const [index, { place, cause }] of waiting.entries()) {
    const queue = place === "quarantine" ? quarantine : changes
    const properties: Record<string, string> = cause
      ? { "kvb-last-code": cause, ...(place === "changes" ? { "kvb-attempt": "2" } : {}) }
      : {}
    const object = anObject({ version: index + 1 })
    await queue.send({ body: formatChangeMessage(aChange({ object })), messageId: `m${index}`, properties })
    if (place === "deadLetter") changes.deadLetter(`m${index}`, "MaxDeliveryCountExceeded")
  }
  clock.advance(2 * 3_600_000)
  const inspector = createMemoryQueueInspector({ changes, quarantine })
  const queues = isBroken ? { peek: () => Promise.reject(forbidden) } : inspector
  await run(
    createWatchBacklogHandler(() => ({
      log,
      clock,
      telemetry: kept.telemetry,
      openBacklog: () => ({
        queues,
        queue: "changes",
        quarantineQueue: "quarantine",
        versions: createProtectedVersions(createMemoryStore()),
        allowList: createAllowList([vault]),
      }),
    })),
  )
  return said(log.lines, clock.now(), kept)
}

async function handled(body: unknown): Promise<Said> {
  const clock = fakeClock()
  const kept = memoryTelemetry(clock)
  const memory = createMemoryVault()
  memory.set(anObject(), aReading({ value: "x" }))
  const store = createMemoryStore()
  const { recipient } = pair
  const worker = aHandler({
    vaults: [vault],
    vault: memory,
    store,
    recipients: [recipient],
    clock,
    telemetry: kept.telemetry,
  })
  await worker.deliver(body)
  return said(worker.log.lines, clock.now(), kept)
}

async function sent(options: Parameters<typeof aCanaryWorld>[0], ageMs?: number): Promise<Said> {
  const world = aCanaryWorld(options)
  if (ageMs !== undefined) {
    const changedAt = new Date(Date.parse(canaryStart) - ageMs)
    await world.record(anObject({ name: canaryName, version: 1 }), changedAt, "canary")
  }
  await world.run().catch(() => {})
  return said(world.log.lines, world.clock.now(), world)
}

async function logged(work: (log: CapturingLog) => Promise<unknown>): Promise<Said> {
  const log = capturingLog()
  await work(log)
  return said(log.lines, new Date())
}

const composed = (more: Readonly<Record<string, string>>) => async (): Promise<Said> => {
  const lines: string[] = []
  const worker = compose(
    {
      BACKUP_VAULTS: vault,
      BACKUP_STORE_URL: "https://a.blob.core.windows.net",
      BACKUP_RECIPIENTS: JSON.stringify({ keys: [pair.publicJwk] }),
      BackupServiceBus__fullyQualifiedNamespace: "ns.servicebus.windows.net",
      ...more,
    },
    (_level, line) => lines.push(line),
  )
  await worker.close()
  return said(lines, new Date())
}

const replayed = (error: ServiceError) =>
  logged((log) =>
    run(
      createReplayDeadLettersHandler(() => ({
        log,
        telemetry: silentTelemetry(),
        openReplay: () => {
          throw error
        },
      })),
    ),
  )

const reconciled = (isWhole: boolean, isBroken = false) =>
  logged(async (log) => {
    const world = aReconcileWorld()
    const object = world.set("a", 1)
    if (isWhole) await world.record(object)
    if (isBroken) {
      world.hooks.beforeCall = () => {
        throw forbidden
      }
    }
    const openReconcile = () => ({ ...world.parts, vaults: [vault] })
    await run(createReconcileVaultsHandler(() => ({ log, openReconcile })))
  })

const exported = (connection: string) => async (): Promise<Said> => {
  const lines: string[] = []
  const env = { APPLICATIONINSIGHTS_CONNECTION_STRING: connection }
  await openTelemetryExport(env, (_level, line) => lines.push(line))
  return said(lines, new Date())
}

const calm = () => watched([])
const quiet = () => logged(async () => {})
const minute = 60_000

/** Of each signal: what makes it fire, and what must not. */
const worlds: Readonly<
  Record<string, { readonly fires: () => Promise<Said>; readonly calm: () => Promise<Said> }>
> = {
  "oldest unprotected": { fires: () => watched([{ place: "changes" }]), calm },
  "dead letters": {
    fires: () => watched([{ place: "deadLetter", cause: "ERR_VAULT_FORBIDDEN" }]),
    calm: () => watched([{ place: "changes", cause: "ERR_VAULT_THROTTLED" }]),
  },
  quarantine: {
    fires: () => watched([{ place: "quarantine", cause: "ERR_EVENT_MALFORMED" }]),
    calm: () => watched([{ place: "deadLetter" }]),
  },
  deferred: {
    fires: () => watched([{ place: "changes", cause: "ERR_VAULT_UNAVAILABLE" }]),
    calm: () => watched([{ place: "deadLetter" }, { place: "changes" }]),
  },
  "backlog unknown": { fires: () => watched([], true), calm },
  "nobody looks": { fires: quiet, calm },
  "not protected": {
    fires: () => handled(anEventGridEvent(anObject({ version: 9 }))),
    calm: () => handled(anEventGridEvent()),
  },
  "canary late": { fires: () => sent({ afterMs: 1e9 }), calm: () => sent({}) },
  "canary failed": {
    fires: () => sent({ writer: { setSecret: () => Promise.reject(forbidden) } }),
    calm: () => sent({ afterMs: 1e9 }),
  },
  "canary old": {
    fires: () => sent({ isPaused: true }, 71 * minute),
    calm: () => sent({ isPaused: true }, 60 * minute),
  },
  "no canary": { fires: () => sent({ afterMs: 1e9 }), calm: () => sent({}) },
  "replay failed": {
    fires: () => replayed(forbidden),
    calm: () => replayed(new ServiceError("ERR_REPLAY_LEASE_HELD", "another")),
  },
  "missing versions": { fires: () => reconciled(false), calm: () => reconciled(true) },
  "reconcile incomplete": { fires: () => reconciled(true, true), calm: () => reconciled(true) },
  "digest failed": {
    fires: () =>
      logged((log) =>
        run(createWriteDigestHandler(() => ({ log, openDigests: () => Promise.reject(forbidden) }))),
      ),
    calm: quiet,
  },
  paused: { fires: composed({ BACKUP_PAUSED: "true" }), calm: composed({}) },
  "telemetry failed": { fires: exported("nothing of that kind"), calm: exported("") },
}

const doesFire = ({ query, firesOnNone }: AlertRule, { now, ...tables }: Said) =>
  runKusto(query, tables, now).length > 0 !== firesOnNone

describe("the rules of the runbook", () => {
  it.each(rules)("$signal fires by its $source when it should, and not else", async (rule) => {
    const world = worlds[rule.signal]
    if (!world) throw new Error(`No world makes ${rule.signal} fire`)
    expect(doesFire(rule, await world.fires())).toBe(true)
    expect(doesFire(rule, await world.calm())).toBe(false)
  })

  const table = /## Alerts\n.*?\n(\| signal .*?)\n\n/s.exec(page)?.[1]?.split("\n").slice(2) ?? []
  const rows = table.map((line) => {
    const [, signal = "", logLine = "", metric = ""] = line.split("|").map((cell) => cell.trim())
    return { signal, logLine, metric }
  })

  it("are there for each signal of the table, and for no other", () => {
    expect(rows.map(({ signal }) => signal)).toEqual([...new Set(rules.map(({ signal }) => signal))])
    expect(Object.keys(worlds)).toEqual(rows.map(({ signal }) => signal))
  })

  it.each(rows)(
    "$signal has a rule of its log line, and of its metric where it has one",
    ({ signal, logLine, metric }) => {
      const of = (source: AlertRule["source"]) =>
        rules.filter((rule) => rule.signal === signal && rule.source === source)
      const [event = ""] = /[a-z]+\.[a-zA-Z]+/.exec(logLine) ?? []
      expect(of("log").map(({ query }) => query.includes(`"${event}"`))).toEqual([true])
      expect(of("metric")).toHaveLength(metric === "" ? 0 : 1)
      const [name = ""] = /kvbackup\.[a-z_.]+/.exec(of("metric")[0]?.query ?? "") ?? []
      expect(name === "" || Object.hasOwn(metricDescriptions, name)).toBe(true)
      expect(metric.startsWith("`") ? metric : `\`${name}\``).toBe(`\`${name}\``)
    },
  )
})
