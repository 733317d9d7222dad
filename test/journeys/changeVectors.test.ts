import { randomUUID } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { createAllowList } from "../../shared/change/allowList.ts"
import { formatVersionUrl } from "../../shared/change/objectVersion.ts"
import { parseChanges } from "../../shared/change/parseChanges.ts"
import { describeError, type ErrorCode } from "../../shared/errors.ts"
import { aChain, materialOf } from "../support/aChain.ts"
import {
  asHandedOver,
  bytesOf,
  type ChangeVector,
  changeVectors,
  kvDemo,
  outcomeOf,
} from "../support/changeVectors.ts"
import { type GarbageVault, startGarbageVault } from "../support/startGarbageVault.ts"
import { type Journey, recordNameOf, startJourney } from "../support/startJourney.ts"

/** One worker has one allow-list: all that the vectors know. */
const vaults = [kvDemo, "https://kv", "https://127.0.0.1:8443", "https://localhost:8443"]
const chain = aChain()

/** Vectors that mean the same under that list. */
const vectors = changeVectors.filter(({ input, vaults: own = [kvDemo] }) => {
  const body = asHandedOver(bytesOf(input))
  const under = (list: readonly string[]) => JSON.stringify(parseChanges(body, createAllowList(list)))
  return under(own) === under(vaults)
})

/** Every secret and the certificate `tls`, as a vault answers them. */
function answer(id: string) {
  const attributes = { enabled: true, created: 1_772_359_200 }
  if (id.includes("/certificates/")) {
    const cer = chain.certificates[0].toString("base64")
    return { body: JSON.stringify({ id, sid: id.replace("/certificates/", "/secrets/"), cer, attributes }) }
  }
  const isManaged = id.includes("/tls/")
  const value = isManaged ? materialOf(chain.key, chain.certificates) : `value of ${id}`
  const contentType = isManaged ? "application/x-pkcs12" : "text/plain"
  return { body: JSON.stringify({ id, value, contentType, managed: isManaged, attributes }) }
}

let vault: GarbageVault
let journey: Journey

beforeAll(async () => {
  const names = ["db-conn", "tls", "a"]
  vault = await startGarbageVault(Object.fromEntries(names.map((name) => [name, answer])), {
    hosts: vaults.map((url) => new URL(url).hostname),
  })
  const preload = new URL("../support/connectElsewhere.ts", import.meta.url).href
  journey = await startJourney({
    settings: {
      ...vault.settings,
      NODE_OPTIONS: `${vault.settings["NODE_OPTIONS"]} --import ${preload}`,
      CONNECT_ELSEWHERE: vaults
        .map((url) => `${new URL(url).hostname}:${new URL(url).port || 443}`)
        .join(","),
      CONNECT_TO: new URL(vault.url).port,
      BACKUP_VAULTS: vaults.join(","),
      BACKUP_CANARY_SECRET: "",
    },
  })
})
afterAll(async () => {
  await journey.stop()
  await vault.stop()
})

/** Puts one body on the queue and waits for what the worker says of its items, told in any order. */
async function play(bytes: Buffer, wanted: readonly Told[]): Promise<Told[]> {
  const before = journey.outcomes().length
  const sender = journey.serviceBus.createSender(journey.cloud.file.serviceBus.queue)
  await sender.sendMessages({ body: bytes, messageId: randomUUID() })
  await sender.close()
  await journey.settled()
  // What the worker says of errors comes on a stream of its own.
  const told = () => journey.outcomes().slice(before)
  await vi.waitFor(() => expect(told().length).toBeGreaterThanOrEqual(wanted.length), { interval: 10 })
  return told().map(({ outcome, code, reason, id }) => ({
    is: outcome === "alreadyStored" ? "stored" : outcome,
    of: code ?? reason ?? id ?? "",
  }))
}

type Told = ReturnType<typeof outcomeOf>

const isThrown = ({ is, of }: Told) =>
  is === "poison" && describeError(of as ErrorCode).disposition === "throw"
const inOrder = (told: readonly Told[]) => told.map(({ is, of }) => `${is} ${of}`).toSorted()

/** The host knows UTF-16 by its mark, and makes text of it; a library that is given bytes does not. */
function wantedOf(vector: ChangeVector): readonly Told[] {
  const bytes = bytesOf(vector.input)
  if (bytes[0] !== 0xff || bytes[1] !== 0xfe) return vector.expect.map(outcomeOf)
  const [item] = parseChanges(new TextDecoder("utf-16le").decode(bytes), createAllowList(vaults))
  return item?.kind === "change"
    ? [{ is: "stored", of: formatVersionUrl(item.change.object) }]
    : vector.expect.map(outcomeOf)
}

describe("the whole journey, on every vector that one allow-list fits", () => {
  it("is nearly all of them", () => {
    expect(changeVectors.length - vectors.length).toBeLessThanOrEqual(3)
  })

  it.each(vectors)("stores, skips or refuses each item, from the queue on: $name", async (vector) => {
    const wanted = wantedOf(vector)
    const deliveries = wanted.some(isThrown) ? Array.from({ length: 10 }, () => wanted).flat() : wanted
    expect(inOrder(await play(bytesOf(vector.input), deliveries))).toEqual(inOrder(deliveries))
    for (const { of } of wanted.filter(({ is }) => is === "stored")) {
      const record = await journey.open(of)
      expect(record.object.id).toBe(of)
      expect(record.value === `value of ${of}`).toBe(record.certificate === undefined)
    }
  })

  it("leaves one blob for each version, and every message where it belongs", async () => {
    const all = vectors.map(wantedOf)
    const ids = new Set(all.flat().flatMap(({ is, of }) => (is === "stored" ? [of] : [])))
    const { container } = journey.cloud.file.blob
    expect(journey.cloud.blob.backdoor.names(container, "").toSorted()).toEqual(
      [...ids].map(recordNameOf).toSorted(),
    )
    const lossy = all.filter((told) => told.some(isThrown)).length
    const quarantined = all.filter((told) => told.some(({ is }) => is === "poison")).length - lossy
    const { queue, quarantineQueue } = journey.cloud.file.serviceBus
    expect(journey.cloud.serviceBus.counts()).toMatchObject({
      [queue]: { active: 0, locked: 0, scheduled: 0, deadLettered: lossy },
      [quarantineQueue]: { active: quarantined, deadLettered: 0 },
    })
  })
})
