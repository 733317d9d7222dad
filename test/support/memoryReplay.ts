import { createAllowList } from "../../shared/change/allowList.ts"
import type { Clock } from "../../shared/clock.ts"
import type { DeadLetter, MessageEnvelope, SourceName } from "../../shared/deadLetter/deadLetter.ts"
import type { DeadLetterReceiver, DeadLetterSource } from "../../shared/deadLetter/deadLetterSource.ts"
import { createNameSet, createSequenceSet } from "../../shared/deadLetter/memberSet.ts"
import type { MessageCopy } from "../../shared/deadLetter/messageCopy.ts"
import { createProtectedVersions } from "../../shared/deadLetter/protectedVersions.ts"
import { everything } from "../../shared/deadLetter/replayFilter.ts"
import { createReplayJournal } from "../../shared/deadLetter/replayJournal.ts"
import type { ReplayParts, RunReplayOptions } from "../../shared/deadLetter/runReplay.ts"
import { runReplay } from "../../shared/deadLetter/runReplay.ts"
import { ServiceError } from "../../shared/errors.ts"
import { createLog } from "../../shared/log.ts"
import { formatRecordName } from "../../shared/store/blobName.ts"
import type { ObjectVersion } from "../../shared/change/objectVersion.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { vault } from "./builders.ts"
import { fakeClock } from "./fakeClock.ts"

/** Thrown in the place of an I/O, as if the process had been killed there. */
export class Killed extends Error {
  override readonly name = "Killed"
}

/** What a dead letter is made of; the rest is filled in. */
export interface LetterSeed {
  readonly source?: SourceName
  readonly body: string | Uint8Array
  readonly properties?: Readonly<Record<string, unknown>>
  readonly reason?: string
  readonly messageId?: string
  readonly at?: Date
  readonly envelope?: Partial<MessageEnvelope>
}

interface Kept {
  readonly letter: DeadLetter
  lockedUntilMs: number
}

const lockMs = 60_000
const places: Readonly<Record<SourceName, string>> = {
  "dead-letter": "changes/$DeadLetterQueue",
  quarantine: "quarantine",
  "event-grid": "letters",
}

/**
 * Queues, a store and a journal in memory, with the parts of a replay on them. `killAt(n)` lets the n-th I/O from then
 * on, and all after it, fail as in a process that was killed; half of the kills come after the effect.
 */
export function aReplayWorld(
  options: { readonly replayMax?: number; readonly maxMessageBytes?: number } = {},
) {
  const clock = fakeClock("2026-03-01T12:00:00.000Z")
  const store = createMemoryStore({ now: () => clock.now() })
  const queues = new Map<SourceName, Kept[]>()
  const sent: MessageCopy[] = []
  const completed: DeadLetter[] = []
  const quarantined: MessageCopy[] = []
  let nextSequence = 1
  let stepsLeft = Infinity
  let holder: string | undefined
  let runs = 0
  let ids = 0

  async function io<T>(effect: () => T | Promise<T>): Promise<T> {
    const step = stepsLeft--
    if (step <= 0) throw new Killed("before")
    const result = await effect()
    if (step <= 0.5) throw new Killed("after")
    return result
  }

  function add({ source = "dead-letter", body, properties = {}, ...seed }: LetterSeed): DeadLetter {
    const sequence = nextSequence++
    const letter: DeadLetter = {
      source,
      place: places[source],
      id: source === "event-grid" ? `blob${sequence}#0` : String(sequence),
      messageId: seed.messageId ?? `m${sequence}`,
      at: seed.at ?? new Date("2026-03-01T11:00:00.000Z"),
      ...(seed.reason === undefined ? {} : { reason: seed.reason }),
      body: Buffer.from(body),
      envelope: { bodyType: "data", properties, ...seed.envelope },
      state: "active",
      ...(source === "event-grid" ? { entries: 1 } : {}),
    }
    queues.set(source, [...(queues.get(source) ?? []), { letter, lockedUntilMs: 0 }])
    return letter
  }

  function createSource(source: SourceName): DeadLetterSource {
    const kept = () => queues.get(source) ?? []
    return {
      source,
      place: places[source],
      createMembers: source === "event-grid" ? createNameSet : createSequenceSet,
      async *list() {
        yield await io(() => kept().map(({ letter }) => letter))
      },
      open: () => openReceiver(source, kept),
    }
  }

  function openReceiver(source: SourceName, kept: () => Kept[]): DeadLetterReceiver {
    const find = (letter: DeadLetter) => kept().find((one) => one.letter.id === letter.id)
    const given = new Set<string>()
    return {
      take: (limit) =>
        io(() => {
          const nowMs = clock.now().getTime()
          if (source === "event-grid") {
            const fresh = kept()
              .filter(({ letter }) => !given.has(letter.id))
              .slice(0, limit)
            for (const { letter } of fresh) given.add(letter.id)
            return fresh.map(({ letter }) => letter)
          }
          const free = kept()
            .filter(({ lockedUntilMs }) => lockedUntilMs <= nowMs)
            .slice(0, limit)
          for (const one of free) one.lockedUntilMs = nowMs + lockMs
          if (free.length === 0) clock.advance(2000)
          return free.map(({ letter }) => letter)
        }),
      extend: async () => {},
      complete: (letter) =>
        io(() => {
          if (source === "event-grid") return
          const one = find(letter)
          if (!one || one.lockedUntilMs <= clock.now().getTime()) {
            throw new ServiceError("ERR_QUEUE_LOCK_LOST", "lost")
          }
          completed.push(letter)
          queues.set(
            source,
            kept().filter((other) => other !== one),
          )
        }),
      release: async (letters) => {
        if (stepsLeft <= 0) return
        for (const letter of letters) {
          const one = find(letter)
          if (one) one.lockedUntilMs = 0
        }
      },
      close: async () => {},
    }
  }

  function accept(copy: MessageCopy): void {
    if (copy.queue === "changes") return void sent.push(copy)
    quarantined.push(copy)
    add({
      source: "quarantine",
      body: copy.body as Uint8Array,
      properties: copy.envelope.properties,
      messageId: copy.messageId,
      at: clock.now(),
    })
  }

  const journal = createReplayJournal(
    {
      add: { putIfAbsent: (...parameters) => io(() => store.putIfAbsent(...parameters)) },
      catalog: store,
      reader: store,
    },
    clock,
  )
  const parts: ReplayParts = {
    allowList: createAllowList([vault]),
    replayMax: options.replayMax ?? 3,
    sources: (["dead-letter", "quarantine", "event-grid"] as const).map(createSource),
    sender: {
      send: (copies) =>
        io(() => {
          const size = ({ body }: MessageCopy) => (body as Uint8Array).length
          const refused = copies.filter((copy) => size(copy) > (options.maxMessageBytes ?? Infinity))
          for (const copy of copies) if (!refused.includes(copy)) accept(copy)
          return new Set(refused.map(({ messageId }) => messageId))
        }),
    },
    catalog: store,
    journal,
    versions: createProtectedVersions(store),
    lease: {
      acquire: async ({ run }) => {
        if (holder !== undefined) {
          throw new ServiceError("ERR_REPLAY_LEASE_HELD", "held", { details: { run: holder } })
        }
        holder = run
        return {
          signal: new AbortController().signal,
          release: async () => {
            holder = undefined
          },
        }
      },
    },
    clock,
  }
  return {
    clock,
    store,
    parts,
    add,
    /** What was sent to the queue of changes, to quarantine, and which letters were removed. */
    sent,
    quarantined,
    completed,
    /** What is at a place at this moment. */
    at: (source: SourceName): readonly DeadLetter[] => (queues.get(source) ?? []).map(({ letter }) => letter),
    /** Takes a letter away, as another tool would. */
    steal: (letter: DeadLetter) => {
      queues.set(
        letter.source,
        (queues.get(letter.source) ?? []).filter((one) => one.letter.id !== letter.id),
      )
    },
    /** Locks a letter for somebody else. */
    lock: (letter: DeadLetter, forMs: number) => {
      const one = queues.get(letter.source)?.find((kept) => kept.letter.id === letter.id)
      if (one) one.lockedUntilMs = clock.now().getTime() + forMs
    },
    /** Puts the record of a version into the store. */
    protect: (object: ObjectVersion) =>
      store.putIfAbsent(formatRecordName(object), Buffer.from("x"), "application/jose+json", {}),
    killAt: (step: number) => {
      stepsLeft = step
    },
    /** A new process: nothing is dead any more, and the locks of the old one end in time. */
    revive: () => {
      stepsLeft = Infinity
    },
    run: (more: Partial<RunReplayOptions> = {}) =>
      runReplay(parts, {
        filter: everything,
        maxPerSecond: 100_000,
        run: `run${runs++}`,
        host: "test",
        newMessageId: () => `fresh${ids++}`,
        log: createLog(() => {}, clock as Clock),
        ...more,
      }),
  }
}
