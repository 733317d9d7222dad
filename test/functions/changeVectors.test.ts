import { describe, expect, it } from "vitest"
import { describeError, type ErrorCode } from "../../shared/errors.ts"
import { formatVersionUrl } from "../../shared/change/objectVersion.ts"
import { createMemoryStore } from "../../shared/store/memoryStore.ts"
import { createMemoryVault } from "../../shared/vault/memoryVault.ts"
import type { VaultReader } from "../../shared/vault/vaultReader.ts"
import { aChain, certificateReadings } from "../support/aChain.ts"
import { aHandler } from "../support/aHandler.ts"
import { aReading } from "../support/builders.ts"
import {
  asHandedOver,
  bytesOf,
  type ChangeVector,
  changeVectors,
  kvDemo,
  outcomeOf,
} from "../support/changeVectors.ts"
import { collect } from "../support/collect.ts"
import { recipientPair } from "../support/recipientPair.ts"

const pair = await recipientPair("EC", "recovery-1")
const readings = certificateReadings(aChain())

/** A vault that has whatever it is asked for, and what it was asked for. */
function aFullVault() {
  const memory = createMemoryVault()
  const asked: string[] = []
  const vault: VaultReader = {
    readSecret: (object) => {
      asked.push(formatVersionUrl(object))
      memory.set(object, object.name === "tls" ? readings.secret : aReading({ value: "x" }))
      return memory.readSecret(object)
    },
    readCertificate: (object) => {
      memory.setCertificate(object, readings.certificate)
      return memory.readCertificate(object)
    },
  }
  return { vault, asked }
}

async function play({ input, vaults = [kvDemo] }: ChangeVector, bytes = false) {
  const { vault, asked } = aFullVault()
  const store = createMemoryStore()
  const handler = aHandler({ vaults, vault, store, recipients: [pair.recipient] })
  const body = bytesOf(input)
  const settled = await handler.deliver(bytes ? body : asHandedOver(body)).then(
    () => "completed",
    (error: { code?: string }) => error.code,
  )
  const ids = handler.log
    .entries()
    .map(({ host, kind, name, version }) => `https://${host}/${kind}s/${name}/${version}`)
  const outcomes = handler.outcomes().map(({ outcome, code, reason }, at) => ({
    is: outcome === "alreadyStored" ? "stored" : outcome,
    of: code ?? reason ?? ids[at],
  }))
  return { handler, asked, outcomes, settled, blobs: await collect(store.list("")) }
}

describe("the handler, on every vector", () => {
  it.each(changeVectors)(
    "stores, skips or refuses each item, and settles the message: $name",
    async (vector) => {
      const wanted = vector.expect.map(outcomeOf)
      const changes = new Set(wanted.filter(({ is }) => is === "stored").map(({ of }) => of))
      const codes = wanted.filter(({ is }) => is === "poison").map(({ of }) => of as ErrorCode)
      const thrown = codes.find((code) => describeError(code).disposition === "throw")
      for (const bytes of [false, true]) {
        const { handler, asked, outcomes, settled, blobs } = await play(vector, bytes)
        expect(outcomes).toEqual(wanted)
        expect(settled).toBe(thrown ?? "completed")
        expect(blobs).toHaveLength(changes.size)
        expect(handler.changes.sent).toEqual([])
        const quarantined = codes.length > 0 && thrown === undefined
        expect(handler.quarantine.sent.map(({ properties }) => properties["kvb-last-code"])).toEqual(
          quarantined ? [codes[0]] : [],
        )
        // Nothing is read of what is skipped or refused.
        const secretsOfChanges = [...changes].map((id) => id.replace("/certificates/", "/secrets/"))
        expect(new Set(asked)).toEqual(new Set(secretsOfChanges))
      }
    },
  )
})
