import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { main } from "../../cli/main.ts"
import { addDays, type Day, dayOf, lastClosedDay } from "../../shared/digest/digestDay.ts"
import type { Proof } from "../../shared/digest/proof.ts"
import { aDigestJwk, keyFile, publicJwk } from "../support/aDigestStore.ts"
import { runCli } from "../support/runCli.ts"
import { type Journey, recordNameOf, startJourney } from "../support/startJourney.ts"

let journey: Journey
/** The newest closed day, and the one before it: these the records below are dated into. */
const newest = lastClosedDay(new Date())
const older = addDays(newest, -2)
const between = addDays(newest, -1)
let names: readonly string[]

const container = () => journey.cloud.file.blob.container
const backdoor = (action: "alter" | "remove", name: string, rest: object = {}) =>
  journey.control("POST /backdoor/blobs", { action, container: container(), name, ...rest })
const redate = (name: string, day: Day) => backdoor("alter", name, { createdAt: `${day}T10:00:00Z` })
const writeDigest = () => journey.control("POST /functions/writeDigest")
const prove = (range = "all", ...more: string[]) =>
  runCli(journey.directory, "audit", "--prove", range, ...more)
const proofOf = async (range = "all", ...more: string[]) => {
  const { exitCode, json } = await prove(range, "--json", ...more)
  return { exitCode, ...json<{ proof: Proof }>().proof }
}
beforeAll(async () => {
  journey = await startJourney({ runsTimers: false })
  const ids = await Promise.all(["a", "b", "c", "d"].map((name) => journey.set(name, `value of ${name}`)))
  await journey.settled()
  names = ids.map(recordNameOf).sort()
  for (const name of names.slice(0, 2)) await redate(name, older)
  await redate(names[2]!, newest)
  await writeDigest()
})
afterAll(() => journey.stop())

describe("digests of the local cloud", () => {
  it("are written for closed days alone, and once", async () => {
    await writeDigest()
    const digests = journey.cloud.blob.backdoor.names(container(), "digest/v1/")
    expect(digests).toEqual([older, between, newest].map((day) => `digest/v1/${day}.json`))
    expect(journey.lines.filter((line) => line.includes("digest.written"))).toHaveLength(3)
    expect(journey.lines.filter((line) => line.includes("digest.upToDate"))).toHaveLength(1)
  })

  it("prove every closed day, and tell of today that it is not closed", async () => {
    const { exitCode, out, err } = await prove()
    expect(out).toBe(`Store ${journey.cloud.file.blob.url}/keyvault-backups
Days  ${older} to ${newest} UTC; the last closed day is ${newest}
The chain begins with ${older}.

3 days looked at: 3 proved with 3 entries, 0 wrong, 0 could not be told
signed with local-digest
2 of the digests were stored more than a day after their day, such as that of ${older} at ${
      (await proofOf()).days[0]?.storedAt as unknown as string
    }; they prove nothing about the time before.
`)
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" })
    const today = await prove(dayOf(new Date()))
    expect(today.exitCode).toBe(31)
    expect(today.out).toContain(`No closed day to prove: the last closed day is ${newest}\n`)
  })

  it("name the blob and the field of one metadata byte that was changed", async () => {
    const name = names[0]!
    const { metadata = {} } = await journey.store("user").getBlobClient(name).getProperties()
    const putat = metadata["putat"]!.replace(/\d(?=Z$)/, (digit) => String((Number(digit) + 1) % 10))
    await backdoor("alter", name, { metadata: { ...metadata, putat } })
    const { exitCode, out } = await prove()
    expect(out).toContain(
      `${older}  CHANGED  ${name}: metadata.putat ${metadata["putat"]} -> ${putat}\n\n3 days looked at: 2 proved`,
    )
    expect(exitCode).toBe(30)
    await backdoor("alter", name, { metadata })
    expect((await prove()).exitCode).toBe(0)
  })

  it("name an entry that was removed", async () => {
    const name = names[2]!
    const before = await journey.cloud.blob.backdoor.read({ container: container(), name })
    await backdoor("remove", name)
    const { exitCode, findings } = await proofOf(newest)
    expect({ exitCode, findings }).toEqual({
      exitCode: 30,
      findings: [{ kind: "entryRemoved", day: newest, blob: name }],
    })
    // Whoever puts it back cannot put back when the service got it.
    const { body, metadata } = before!
    await journey
      .store("backup")
      .getBlockBlobClient(name)
      .upload(body, body.length, {
        conditions: { ifNoneMatch: "*" },
        metadata,
      })
    expect((await proofOf(newest)).findings).toMatchObject([
      { kind: "entryChanged", blob: name, changes: [{ field: "createdAt" }] },
    ])
    await redate(name, newest)
    expect((await prove()).exitCode).toBe(0)
  })

  it("name an entry that was added later with an old time", async () => {
    const name = names[3]!
    await redate(name, between)
    expect(await proofOf()).toMatchObject({
      exitCode: 30,
      findings: [{ kind: "entryAdded", day: between, blob: name }],
    })
    await redate(name, dayOf(new Date()))
    expect((await prove()).exitCode).toBe(0)
  })

  it("name the missing day when a digest was removed, which the timer does not write anew", async () => {
    const digest = `digest/v1/${between}.json`
    const before = await journey.cloud.blob.backdoor.read({ container: container(), name: digest })
    await backdoor("remove", digest)
    await writeDigest()
    const { exitCode, out } = await prove()
    expect(out).toContain(`${between}  DIGEST MISSING  no digest is there that a trusted key has signed\n`)
    expect(exitCode).toBe(30)
    await journey
      .store("audit")
      .getBlockBlobClient(digest)
      .upload(before!.body, before!.body.length, {
        conditions: { ifNoneMatch: "*" },
      })
    expect((await prove()).exitCode).toBe(0)
  })

  it("name a digest that another key has signed, and trust no key but the one that is named", async () => {
    const stranger = await aDigestJwk("ES384", "stranger")
    const { exitCode, findings } = await proofOf("all", "--digest-key", keyFile(publicJwk(stranger)))
    expect(exitCode).toBe(30)
    expect(findings).toEqual(
      [older, between, newest].map((day) => ({
        kind: "digestUntrusted",
        day,
        blob: `digest/v1/${day}.json`,
        kid: "local-digest",
      })),
    )
    const jwk = JSON.parse(await readFile(journey.cloud.file.digestKeyFile, "utf8"))
    expect((await prove("all", "--digest-key", keyFile({ keys: [publicJwk(jwk)] }))).exitCode).toBe(0)
  })

  it("prove from a copy, without access to anything, that a copy was changed", async () => {
    const folder = join(await mkdtemp(join(tmpdir(), "digest-copy-")), "copy")
    const { exitCode, err } = await prove("all", "--save-copy", folder)
    expect({ exitCode, err }).toEqual({
      exitCode: 0,
      err: `${folder} holds 4 entries and 5 files of digests\n`,
    })
    const key = keyFile(publicJwk(JSON.parse(await readFile(journey.cloud.file.digestKeyFile, "utf8"))))
    const offline = async () => {
      let out = ""
      const argv = ["audit", "--prove", "all", "--copy", folder, "--digest-key", key]
      const streams = { out: (text: string) => (out += text), err: () => {}, env: {}, cwd: folder }
      return { exitCode: await main(argv, streams), out }
    }
    await expect(offline()).resolves.toMatchObject({ exitCode: 0 })
    const listing = join(folder, "listing.jsonl")
    const text = await readFile(listing, "utf8")
    await writeFile(listing, text.replace(/("origin":")live/, "$1love"))
    expect((await offline()).out).toContain(`CHANGED  ${names[0]}: metadata.origin live -> love\n`)
    await writeFile(listing, `${text}not json\n`)
    await expect(offline()).resolves.toMatchObject({ exitCode: 31 })
    await rm(folder, { recursive: true })
  })

  it("could not tell when the digests may not be read, or the store not be listed", async () => {
    await journey.control("POST /faults", {
      target: "blob",
      effect: "status",
      status: 403,
      code: "AuthorizationFailure",
      match: { path: `digest/v1/${between}` },
    })
    expect(await proofOf()).toMatchObject({ exitCode: 31, days: [{}, { code: "ERR_STORE_FIREWALL" }, {}] })
    await journey.control("DELETE /faults")
    await journey.control("POST /faults", {
      target: "blob",
      effect: "status",
      status: 503,
      code: "ServerBusy",
      match: { method: "GET", path: "/keyvault-backups" },
    })
    const { exitCode, out } = await prove()
    await journey.control("DELETE /faults")
    expect({ exitCode, out }).toMatchObject({
      exitCode: 31,
      out: expect.stringContaining("COULD NOT BE TOLD"),
    })
  })

  it.each([
    [["--prove", "yesterday"], "Days are written"],
    [["--prove", "all", "--since", "24h"], "leave --since out"],
    [["--prove", "all", "--format", "csv"], "table or json"],
    [["--digest-key", "x"], "go with --prove"],
    [["--prove", "all", "--digest-key", "https://vault.example/secrets/x"], "--digest-key is a comma list"],
    [["--prove", "all", "--digest-key", "/nowhere.json"], "cannot be read"],
  ])("refuse %j", async (argv, message) => {
    const { exitCode, err } = await runCli(journey.directory, "audit", ...argv)
    expect(err).toContain(message)
    expect(exitCode).toBe(message === "cannot be read" ? 31 : 2)
  })
})
