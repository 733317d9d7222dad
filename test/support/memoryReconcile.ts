import type { ObjectVersion } from "../../shared/change/objectVersion.ts"
import type { MessageCopy } from "../../shared/deadLetter/messageCopy.ts"
import { ServiceError } from "../../shared/errors.ts"
import type { Gap } from "../../shared/reconcile/gap.ts"
import { createReconcileLedger } from "../../shared/reconcile/reconcileLedger.ts"
import type { VaultReconciliation } from "../../shared/reconcile/reconcileVault.ts"
import {
  type ReconcileParts,
  runReconcile,
  type RunReconcileOptions,
} from "../../shared/reconcile/runReconcile.ts"
import { SecretValue } from "../../shared/secretValue.ts"
import { formatGapName, formatRecordName, type GapReason } from "../../shared/store/blobName.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
import { createMemoryVaultPager } from "../../shared/vault/memoryVaultPager.ts"
import { createVaultLimiter } from "../../shared/vault/vaultLimiter.ts"
import type { Pace } from "../../shared/vault/vaultPager.ts"
import { anObject, vault } from "./builders.ts"
import { fakeClock } from "./fakeClock.ts"

/** Long before any run of a test. */
const longAgo = new Date("2026-01-01T00:00:00Z")

/**
 * A vault and a store in memory, with the parts of reconciliation on them. `sent` is what went to the queue. `beforeCall`
 * is asked before each call to the vault, `beforeIo` before each send and each write: they may throw.
 */
export function aReconcileWorld({ exclude = [] }: { readonly exclude?: readonly string[] } = {}) {
  const clock = fakeClock("2026-03-01T12:00:00.000Z")
  const held = createMemoryVault()
  const store = createMemoryStore({ now: () => clock.now() })
  const sent: MessageCopy[] = []
  const hooks = {
    beforeCall: (): void => {},
    beforeIo: (_what: string): void => {},
  }
  let calls = 0
  const counted =
    (pace: Pace): Pace =>
    (host, call) =>
      pace(host, async () => {
        calls += 1
        hooks.beforeCall()
        return call()
      })
  const add: ReconcileParts["store"] = {
    putIfAbsent: async (name, ...rest) => {
      hooks.beforeIo(name)
      return store.putIfAbsent(name, ...rest)
    },
  }
  const parts: ReconcileParts = {
    pagerOf: (pace) => createMemoryVaultPager(held, counted(pace)),
    limiter: createVaultLimiter({ clock }),
    catalog: store,
    sender: {
      send: async (copies) => {
        hooks.beforeIo("send")
        sent.push(...copies)
        return new Set()
      },
    },
    store: add,
    ledger: createReconcileLedger({ add, catalog: store, reader: store }),
    exclude,
    clock,
  }
  let messages = 0
  return {
    clock,
    held,
    store,
    sent,
    parts,
    hooks,
    get calls() {
      return calls
    },
    /** Version URLs of the changes that were sent. */
    sentIds: () => sent.map(({ body }) => (JSON.parse(String(body)) as { change: { id: string } }).change.id),
    set: (
      name: string,
      version: number,
      { enabled = true, created = longAgo }: { readonly enabled?: boolean; readonly created?: Date } = {},
    ): ObjectVersion => {
      const object = anObject({ name, version })
      held.set(object, { attributes: { enabled, created }, value: new SecretValue("x") })
      return object
    },
    setCertificate: (name: string, version: number, { enabled = true } = {}): ObjectVersion => {
      const object = anObject({ kind: "certificate", name, version })
      const attributes = { enabled, created: longAgo }
      held.setCertificate(object, { cer: Buffer.from("der"), attributes })
      held.set({ ...object, kind: "secret" }, { managed: true, attributes })
      return object
    },
    record: async (object: ObjectVersion) => {
      await store.putIfAbsent(formatRecordName(object), Buffer.from("sealed"), "application/jose+json", {})
    },
    gapRecord: async (object: ObjectVersion, reason: GapReason) => {
      await store.putIfAbsent(formatGapName(object, reason), Buffer.from("{}"), "application/json", {})
    },
    /** One run; `gaps` is what it found. */
    run: async (options: Partial<RunReconcileOptions> = {}) => {
      const gaps: Gap[] = []
      const results: VaultReconciliation[] = []
      for await (const result of runReconcile(parts, {
        vaults: [vault],
        onGap: (gap) => gaps.push(gap),
        ...options,
      })) {
        results.push(result)
      }
      const [result] = results
      if (!result) throw new Error("Nothing was reconciled")
      return { gaps, result, results }
    },
    execute: {
      maxPerSecond: 100_000,
      newMessageId: () => `message-${++messages}`,
    },
    names: async (prefix: string) => {
      const names: string[] = []
      for await (const { name } of store.list(prefix)) names.push(name)
      return names
    },
  }
}

/** Thrown in the place of an I/O, as if the process had been killed there. */
export class Killed extends Error {
  override readonly name = "Killed"
}

/** An error of a service, for hooks. */
export function refusal(code: ServiceError["code"]): ServiceError {
  return new ServiceError(code, "refused")
}
