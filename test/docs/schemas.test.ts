import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { documentNames } from "../../docs/documentSchemas.ts"
import { formatChangeMessage } from "../../shared/change/changeMessage.ts"
import { origins } from "../../shared/change/change.ts"
import { formatJournalBlob } from "../../shared/deadLetter/journalRecord.ts"
import { formatPlan } from "../../shared/deadLetter/planFile.ts"
import { everything } from "../../shared/deadLetter/replayFilter.ts"
import { planReplay } from "../../shared/deadLetter/runReplay.ts"
import { formatReconcileBlob, noCounts } from "../../shared/reconcile/reconcileRecord.ts"
import { formatLedgerEntry } from "../../shared/store/ledgerEntry.ts"
import { aChange } from "../property/changeArbitraries.ts"
import { aLedger, at } from "../support/aLedger.ts"
import { vectorCopy } from "../support/digestVectors.ts"
import { aReplayWorld } from "../support/memoryReplay.ts"
import { type PlainVector, readVector, type RecordVector, recordVectors } from "../support/recordVectors.ts"
import { propertyRuns } from "../support/propertyRuns.ts"

const folder = join(import.meta.dirname, "../../docs/schemas")

/** The shipped JSON Schema, read back from its file. */
function validator(name: string) {
  const schema = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Parameters<
    typeof z.fromJSONSchema
  >[0]
  const read = z.fromJSONSchema(schema)
  return (document: unknown) => read.safeParse(document).success
}

const records = recordVectors
  .filter((name) => name !== "newer")
  .map((name) => readVector(name) as RecordVector)
const plain = (name: string) => JSON.parse((readVector(name) as PlainVector).body) as Record<string, unknown>

/** A plan about two dead letters, and the journal of one of them. */
async function replayDocuments() {
  const world = aReplayWorld()
  world.add({ body: "garbage" })
  world.add({ body: "{}", source: "event-grid" })
  const plan = await planReplay(world.parts, { filter: everything })
  const { body } = formatJournalBlob(
    [
      {
        place: "keyvault-changes/$DeadLetterQueue",
        id: "17",
        source: "dead-letter",
        cause: "ERR_VAULT_FORBIDDEN",
        action: "send",
        objects: [],
        copies: [{ queue: "changes", messageId: "fresh" }],
      },
    ],
    new Date("2026-03-01T12:00:00.000Z"),
  )
  return {
    replayPlan: [JSON.parse(formatPlan(plan)) as object],
    replayJournal: [JSON.parse(Buffer.from(body).toString()) as object],
  }
}

/** Reports with everything in them, with nothing, and of a period that is over. */
async function auditReports(): Promise<object[]> {
  const { record, gap, send, put, read } = aLedger()
  record(1, at("10:00:00"), { isPublicOnly: true })
  gap(2, "gone", at("10:00:00"))
  put("junk", {}, at("10:00:00"))
  await send(3, "11:00:00", { "kvb-attempt": "1" })
  const since = at("09:00:00")
  const reports = [
    await read({ since }, { hasCanary: true }),
    await aLedger().read(),
    await read({ since, until: at("10:30:00"), isClosed: true, isNarrow: true }),
  ]
  return reports.map((report) => JSON.parse(JSON.stringify(report)) as object)
}

/** A page of a run that goes on from another. */
function reconcilePage(): object {
  const { body } = formatReconcileBlob({
    run: "20260301T120000Z-00000002",
    vault: "https://kv-test.vault.azure.net",
    state: "running",
    startedAt: "2026-03-01T12:00:00.000Z",
    at: "2026-03-01T12:00:01.000Z",
    continues: "20260301T110000Z-00000001",
    through: { name: "s", version: "~" },
    counts: noCounts(),
    untold: [{ name: "odd", code: "ERR_UNKNOWN" }],
  })
  return JSON.parse(Buffer.from(body).toString()) as object
}

/** The golden digests, the one with all members first, and the entries that go with them. */
const vectorDigests = ["24", "23", "20"].map(
  (day) =>
    JSON.parse(readFileSync(join(vectorCopy, `digest/v1/2026-11-${day}.json`), "utf8")) as {
      readonly payload: string
    },
)
const vectorEntries = readFileSync(join(vectorCopy, "listing.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as object)

/** Documents that each schema must take. */
const samples: Readonly<Record<string, readonly object[]>> = {
  record: records.map((vector) => vector.expect as object),
  sealedRecord: records.map(({ sealed }) => JSON.parse(sealed) as object),
  metadata: records.map(({ metadata }) => metadata),
  gapRecord: [plain("gap")],
  changeMessage: [plain("changeMessage")],
  ...(await replayDocuments()),
  reconcile: [reconcilePage()],
  digest: vectorDigests.map(
    ({ payload }) => JSON.parse(Buffer.from(payload, "base64url").toString()) as object,
  ),
  signedDigest: vectorDigests,
  digestEntry: vectorEntries,
  auditReport: await auditReports(),
}

describe("docs/schemas", () => {
  it("has a schema for each document and no other file", () => {
    expect(readdirSync(folder).toSorted()).toEqual(documentNames.map((name) => `${name}.json`).toSorted())
    expect(Object.keys(samples).toSorted()).toEqual([...documentNames].toSorted())
  })

  it.each(documentNames)("takes what this product writes: %s", (name) => {
    const isValid = validator(name)
    expect(samples[name]!.map(isValid)).toEqual(samples[name]!.map(() => true))
  })

  it.each(documentNames)("allows members that a later release adds: %s", (name) => {
    expect(validator(name)({ ...samples[name]![0], added: "x" })).toBe(true)
  })

  it.each(documentNames)(
    "refuses a document without one of its members, or with another type in its place: %s",
    (name) => {
      const isValid = validator(name)
      const [sample = {}] = samples[name]!
      const optional = new Set([
        "contentType",
        "certificate",
        "event",
        "eventTime",
        "changedat",
        "readat",
        "kid",
        "continues",
        "through",
        "previous",
        "queues",
        "canary",
      ])
      for (const key of Object.keys(sample)) {
        const { [key]: gone, ...rest } = sample as Record<string, unknown>
        const other = typeof gone === "number" ? "5" : 5
        expect(isValid(rest), `without ${key}`).toBe(optional.has(key))
        expect(isValid({ ...rest, [key]: other }), `${key} as ${typeof other}`).toBe(false)
      }
    },
  )

  it("takes every change message that there can be", () => {
    const isValid = validator("changeMessage")
    fc.assert(
      fc.property(aChange, (change) => {
        expect(isValid(JSON.parse(formatChangeMessage(change)))).toBe(true)
      }),
      propertyRuns(100),
    )
  })

  it("takes all metadata that there can be", () => {
    const isValid = validator("metadata")
    const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31T23:59:59Z") })
    const entry = fc.record({
      putAt: time,
      eventAt: time,
      origin: fc.constantFrom(...origins),
      attempt: fc.nat(999),
      replays: fc.nat(999),
      eventId: fc.string(),
      kids: fc.array(fc.constantFrom("a", "https://kv.vault.azure.net/keys/k/0")),
      format: fc.constantFrom("keyvault-backup/1", "keyvault-gap/1"),
      sha256: fc.constant("0".repeat(64)),
      isPublicOnly: fc.boolean(),
    })
    fc.assert(
      fc.property(entry, (given) => {
        expect(isValid(formatLedgerEntry(given))).toBe(true)
      }),
      propertyRuns(100),
    )
  })
})
