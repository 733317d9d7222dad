import { X509Certificate } from "node:crypto"
import tls from "node:tls"
import type { KeyVaultSecret } from "@azure/keyvault-secrets"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { runVerification } from "../../local/run/runVerification.ts"
import { createUserCertificateClient } from "../../local/run/vaultUser.ts"
import { materialIdentity, openMaterial, thumbprintOf } from "../../shared/certificate/certificateMaterial.ts"
import { createCanary, findCanaries, randomCanaryText } from "../support/canary.ts"
import { collectTraces } from "../support/collectTraces.ts"
import { changeMessageForm, eventFacts, eventGridForm } from "../support/eventForms.ts"
import { type Journey, recordNameOf, startJourney } from "../support/startJourney.ts"

let journey: Journey

beforeAll(async () => {
  journey = await startJourney()
})
afterAll(() => journey.stop())

const outcomesOf = (id: string) => journey.outcomes(id).map(({ outcome }) => outcome)
const blobsOf = (name: string) =>
  ["v1/", "gaps/v1/"]
    .flatMap((prefix) => journey.cloud.blob.backdoor.names(journey.cloud.file.blob.container, prefix))
    .filter((blob) => blob.includes(`/${name}/`))

/** Sends a change message of origin reconcile, as who looks for gaps sends it. */
async function reconcile(id: string): Promise<void> {
  const sender = journey.serviceBus.createSender(journey.cloud.file.serviceBus.queue)
  const { change } = changeMessageForm(eventFacts(id))
  await sender.sendMessages({ body: { change: { ...change, origin: "reconcile" } } })
  await sender.close()
  await journey.settled()
}

/** Makes a certificate as a person would; resolves with the id of its version. */
async function certificate(name: string, exportable = true): Promise<string> {
  const policy = { issuerName: "Self", subject: "CN=example.test", keyType: "EC", exportable }
  const client = createUserCertificateClient(journey.cloud)
  const poller = await client.beginCreateCertificate(name, policy, { intervalInMs: 10 })
  const { properties } = await poller.pollUntilDone()
  await journey.settled()
  return (properties.id ?? "").toLowerCase()
}

const secretOf = (id: string) => id.replace("/certificates/", "/secrets/")

describe("how events come", () => {
  it("C09 duplicates and events out of order: two versions, two blobs, no latest", async () => {
    await journey.control("POST /faults", {
      target: "eventgrid",
      match: { path: "/c09" },
      effect: "drop",
      count: 2,
    })
    const first = await journey.set("c09", "first")
    const second = await journey.set("c09", "second")
    await journey.settled()
    const sameId = eventFacts(first)
    for (const facts of [eventFacts(second), eventFacts(first), sameId, sameId]) {
      await journey.control("POST /events", eventGridForm(facts))
      await journey.settled()
    }
    expect(outcomesOf(second)).toEqual(["stored"])
    expect(outcomesOf(first)).toEqual(["stored", "alreadyStored", "alreadyStored"])
    expect(blobsOf("c09")).toHaveLength(2)
    expect([(await journey.open(first)).value, (await journey.open(second)).value]).toEqual([
      "first",
      "second",
    ])
  })

  it("C09 an event that comes three hours late: the time is lost before the queue, not with us", async () => {
    await journey.control("POST /faults", {
      target: "eventgrid",
      match: { path: "/c09-late" },
      effect: "drop",
      count: 1,
    })
    const id = await journey.set("c09-late", "x")
    const time = new Date(Date.now() - 3 * 3_600_000).toISOString()
    await journey.control("POST /events", eventGridForm(eventFacts(id, { time })))
    await journey.settled()
    const { eventat, enqueuedat, putat, attempt } = await journey.metadata(id)
    const at = (text: string | undefined) => Date.parse(text ?? "")
    expect(at(enqueuedat) - at(eventat)).toBeGreaterThan(3 * 3_600_000 - 60_000)
    expect(at(putat) - at(enqueuedat)).toBeLessThan(60_000)
    expect(attempt).toBe("1")
  })

  it("C14 an event that vanished without a trace: verify misses the version, and a change of origin reconcile stores it", async () => {
    const ids: string[] = []
    for (let n = 1; n <= 5; n++) {
      if (n === 3) {
        await journey.control("POST /faults", {
          target: "eventgrid",
          match: { path: "/c14" },
          effect: "drop",
          count: 1,
        })
      }
      ids.push(await journey.set("c14", `value ${n}`))
      await journey.settled()
    }
    const lost = ids[2] ?? ""
    const findingOf = async (id: string) => {
      const { versions } = await runVerification(journey.directory)
      return versions.find((version) => version.id === id)?.finding
    }
    // As young as it is, it may still be on its way.
    expect(await findingOf(lost)).toBe("inFlight")
    expect(blobsOf("c14")).toHaveLength(4)
    await reconcile(lost)
    expect((await journey.metadata(lost))["origin"]).toBe("reconcile")
    expect(await findingOf(lost)).toBe("protected")
  })
})

describe("what is backed up", () => {
  it("C18 line breaks lost in multi-line secrets: equal to the byte, and no line of it in any trace", async () => {
    const lines = Array.from({ length: 3 }, randomCanaryText)
    const value = `-----BEGIN X-----\n${lines[0]}\r\n\n  ${lines[1]} \n${lines[2]}\n-----END X-----\n`
    const id = await journey.set("c18", value)
    await journey.settled()
    expect((await journey.open(id)).value).toBe(value)
    const places = await collectTraces(journey)
    expect(findCanaries(places, lines.map(createCanary))).toEqual([])
  })

  it("C20 an empty value taken for a missing one: it is stored, with length 0", async () => {
    const id = await journey.set("c20", "")
    await journey.settled()
    expect(outcomesOf(id)).toEqual(["stored"])
    expect((await journey.open(id)).value).toBe("")
  })

  it("C20 an answer without a value: a gap record says so, and nothing is stored as if it were empty", async () => {
    await journey.control("POST /faults", {
      target: "keyvault",
      match: { method: "GET", path: "/secrets/c20-absent" },
      effect: "status",
      status: 200,
      count: 1,
    })
    const id = await journey.set("c20-absent", "x")
    await journey.settled()
    expect(outcomesOf(id)).toEqual(["unreadable"])
    expect(blobsOf("c20-absent")).toEqual([expect.stringMatching(/\.value-absent\.json$/)])
    await journey.control("DELETE /faults")
  })

  it.each([
    { name: "25,600 ASCII bytes", value: "a".repeat(25_600) },
    { name: "25,600 bytes of two-byte characters", value: "ü".repeat(12_800) },
    { name: "2,049 bytes", value: "a".repeat(2049) },
  ])("C21 large values cut or refused: $name are stored whole", async ({ value }) => {
    const id = await journey.set("c21", value)
    await journey.settled()
    expect(outcomesOf(id)).toEqual(["stored"])
    expect((await journey.open(id)).value).toBe(value)
  })

  it("C25 tags that no header can carry: they are in the record only, and metadata is ours and ASCII", async () => {
    const tags = { rødgrød: "æ", "a b": "x", "1x": "y", owner: "line1\nline2", k: "" }
    const id = await journey.set("c25", "x", { tags })
    await journey.settled()
    expect((await journey.open(id)).tags).toEqual(tags)
    const metadata = await journey.metadata(id)
    expect(JSON.stringify(metadata)).not.toMatch(/rødgrød|line1|owner/)
    for (const [name, value] of Object.entries(metadata)) expect(`${name}${value}`).toMatch(/^[\x21-\x7e]+$/)
  })

  it("C34 a backup that decrypts in one subscription and geography only: ours opens with its key alone, and fits any vault", async () => {
    const value = `moved ${randomCanaryText()}`
    const id = await journey.set("c34", value, { contentType: "text/plain", tags: { a: "ü" } })
    await journey.settled()
    const record = await journey.open(id)
    const elsewhere = await startJourney()
    try {
      const set: KeyVaultSecret = await elsewhere.secrets.setSecret("c34", record.value, {
        tags: record.tags,
        ...(record.contentType === undefined ? {} : { contentType: record.contentType }),
      })
      const read = await elsewhere.secrets.getSecret("c34", { version: set.properties.version ?? "" })
      expect([read.value, read.properties.contentType, read.properties.tags]).toEqual([
        value,
        "text/plain",
        { a: "ü" },
      ])
    } finally {
      await elsewhere.stop()
    }
  })
})

describe("what cannot be read", () => {
  it("C28 a version made disabled: recorded once without its value, others unaffected, and stored once it is enabled", async () => {
    const [off, on] = await Promise.all([
      journey.set("c28", "x", { enabled: false, tags: { note: "hunter2-tag" } }),
      journey.set("c28-other", "y"),
    ])
    await journey.settled()
    expect([outcomesOf(off), outcomesOf(on)]).toEqual([["unreadable"], ["stored"]])
    expect(blobsOf("c28")).toEqual([expect.stringMatching(/^gaps\/.*\.disabled\.json$/)])
    const version = off.split("/").at(-1) ?? ""
    await journey.secrets.updateSecretProperties("c28", version, { enabled: true })
    await journey.settled()
    // Enabling raises no event: only who lists the vault finds out.
    expect(outcomesOf(off)).toEqual(["unreadable"])
    await reconcile(off)
    expect(outcomesOf(off)).toEqual(["unreadable", "stored"])
    expect((await journey.open(off)).value).toBe("x")
  })

  it.each([
    { name: "deleted", isPurged: false },
    { name: "purged", isPurged: true },
  ])(
    "C30 gone between event and read: $name is recorded as gone after two reads, and nothing is recovered",
    async ({ name, isPurged }) => {
      const object = `c30-${name}`
      await journey.control("POST /faults", {
        target: "eventgrid",
        match: { path: `/${object}` },
        effect: "drop",
        count: 1,
      })
      const id = await journey.set(object, "x")
      const poller = await journey.secrets.beginDeleteSecret(object, { intervalInMs: 10 })
      await poller.pollUntilDone()
      if (isPurged) await journey.secrets.purgeDeletedSecret(object)
      await journey.control("POST /events", eventGridForm(eventFacts(id)))
      await journey.settled()
      expect(outcomesOf(id)).toEqual(["gone"])
      expect(blobsOf(object)).toEqual([expect.stringMatching(/\.gone\.json$/)])
      await expect(journey.secrets.getSecret(object)).rejects.toMatchObject({ statusCode: 404 })
    },
  )
})

describe("certificates", () => {
  it("C35 one certificate, three events, a managed secret: one record, in any order, each event twice", async () => {
    const id = await certificate("c35")
    journey.cloud.eventGrid.repeat(id)
    journey.cloud.eventGrid.repeat(secretOf(id))
    await journey.settled()
    const outcomes = [...outcomesOf(id), ...outcomesOf(secretOf(id))]
    expect(outcomes.toSorted()).toEqual(["alreadyStored", "alreadyStored", "alreadyStored", "stored"])
    expect(blobsOf("c35")).toEqual([recordNameOf(id)])
    const { certificate: stored, managed } = await journey.open(id)
    expect([stored?.sid, managed]).toEqual([secretOf(id), true])
  })

  it("C36 a PFX that opens with no old password: the record keeps its text, which opens with an empty one", async () => {
    const id = await certificate("c36")
    const { value, contentType, certificate: stored } = await journey.open(id)
    expect(contentType).toBe("application/x-pkcs12")
    const pfx = Buffer.from(value, "base64")
    expect(pfx.toString("base64")).toBe(value)
    expect(() => tls.createSecureContext({ pfx, passphrase: "" })).not.toThrow()
    expect(() => tls.createSecureContext({ pfx, passphrase: "old" })).toThrow()
    const cer = Buffer.from(stored?.cer ?? "", "base64")
    expect(materialIdentity(openMaterial(value, contentType), cer)).toMatchObject({
      thumbprint: thumbprintOf(cer),
    })
  })

  it("C37 a certificate whose key stays in the vault, taken for a whole backup: never counted as protected", async () => {
    const id = await certificate("c37", false)
    const record = await journey.open(id)
    expect(record.certificate?.privateKey).toBe("absentByPolicy")
    expect(openMaterial(record.value, record.contentType).privateKeys).toEqual([])
    expect((await journey.metadata(id))["privatekey"]).toBe("absentByPolicy")
    expect(
      journey.lines.filter((line) => line.includes('"level":"warn"') && line.includes("c37")),
    ).not.toEqual([])
    const { versions, exitCode } = await runVerification(journey.directory)
    expect(versions.find((version) => version.id === id)?.finding).toBe("publicOnly")
    expect(exitCode).not.toBe(0)
  })

  it("C40 a PFX whose bytes change at every export: no second record, and verify --deep finds no difference", async () => {
    const id = await certificate("c40")
    const version = id.split("/").at(-1) ?? ""
    const [one, other] = await Promise.all([1, 2].map(() => journey.secrets.getSecret("c40", { version })))
    expect(one?.value).not.toBe(other?.value)
    journey.cloud.eventGrid.repeat(id)
    await journey.settled()
    expect(outcomesOf(id).at(-1)).toBe("alreadyStored")
    const { versions } = await runVerification(journey.directory)
    expect(versions.find((each) => each.id === id)).toMatchObject({ finding: "protected" })
    const { certificate: stored } = await journey.open(id)
    expect(new X509Certificate(Buffer.from(stored?.cer ?? "", "base64")).subject).toBe("CN=example.test")
  })

  it("C41 restores that back themselves up for ever: what a restore writes is stored once, and told as restored", async () => {
    const from = "https://kv-old.vault.azure.net/secrets/c41/0123456789abcdef0123456789abcdef"
    const id = await journey.set("c41", "x", { tags: { "kvb-restored-from": from } })
    await journey.settled()
    expect(outcomesOf(id)).toEqual(["stored"])
    expect((await journey.metadata(id))["origin"]).toBe("restore")
    expect(blobsOf("c41")).toHaveLength(1)
    expect(journey.lines.filter((line) => line.includes("kv-old"))).toEqual([])
    expect((await journey.open(id)).tags).toEqual({ "kvb-restored-from": from })
  })
})
