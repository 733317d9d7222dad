import { describe, expect, it } from "vitest"
import {
  canaryAge,
  canaryAgeLimitMs,
  canaryPeriodMs,
  canaryPrefix,
  type CanaryProof,
  newerProof,
} from "../../../shared/audit/canary.ts"
import type { Origin } from "../../../shared/change/change.ts"
import { formatRecordName } from "../../../shared/store/blobName.ts"
import { formatLedgerEntry } from "../../../shared/store/ledgerEntry.ts"
import type { StoredBlob } from "../../../shared/store/storeCatalog.ts"
import { anObject, host } from "../../support/builders.ts"

const at = (text: string) => new Date(`2026-03-01T${text}Z`)

function aCanary(version: number, changedAt: Date | undefined, origin: Origin = "canary"): StoredBlob {
  return {
    name: formatRecordName(anObject({ name: "canary", version })),
    createdAt: at("23:00:00"),
    sizeBytes: 1,
    metadata: formatLedgerEntry({
      ...(changedAt ? { changedAt } : {}),
      putAt: at("12:00:00"),
      origin,
      attempt: 1,
      replays: 0,
      kids: ["k"],
      format: "keyvault-backup/1",
      sha256: "0".repeat(64),
    }),
  }
}

const newestOf = (blobs: readonly StoredBlob[]) =>
  blobs.reduce<CanaryProof | undefined>((known, blob) => newerProof(known, blob), undefined)

describe("the newest canary that made the whole way", () => {
  it("is the one that was set last, in whatever order the store lists them", () => {
    const blobs = [aCanary(3, at("10:00:00")), aCanary(1, at("11:30:00")), aCanary(2, at("11:00:00"))]
    for (const order of [blobs, blobs.toReversed()]) {
      expect(newestOf(order)).toEqual({
        object: anObject({ name: "canary", version: 1 }),
        changedAt: at("11:30:00"),
      })
    }
  })

  it.each<{ origin: Origin }>([{ origin: "reconcile" }, { origin: "replay" }, { origin: "restore" }])(
    "C11 is none that $origin brought: its own event never arrived",
    ({ origin }) => {
      const blobs = [aCanary(1, at("10:00:00")), aCanary(2, at("11:00:00"), origin)]
      expect(newestOf(blobs)?.changedAt).toEqual(at("10:00:00"))
    },
  )

  it("has the service's time where the vault told none, and none is one that is not ours", () => {
    expect(newestOf([aCanary(1, undefined)])?.changedAt).toEqual(at("23:00:00"))
    expect(newestOf([{ ...aCanary(1, at("10:00:00")), metadata: {} }])).toBeUndefined()
    expect(newestOf([{ ...aCanary(1, at("10:00:00")), name: "v1/other" }])).toBeUndefined()
  })

  it("is as old as its change, and never younger than now", () => {
    const proof = { object: anObject(), changedAt: at("10:00:00") }
    expect(canaryAge(proof, at("10:05:00"))).toBe(300_000)
    expect(canaryAge(proof, at("09:59:00"))).toBe(0)
  })

  it("alarms only after a whole run was missed", () => {
    expect(canaryAgeLimitMs).toBeGreaterThan(2 * canaryPeriodMs)
  })
})

it("the canary's records have a prefix of their own, which no longer name shares", () => {
  expect(canaryPrefix(`https://${host}/secrets/canary`)).toBe(`v1/${host}/secrets/canary/`)
  expect(canaryPrefix("https://127.0.0.1:8443/secrets/c")).toBe("v1/127.0.0.1_8443/secrets/c/")
})
