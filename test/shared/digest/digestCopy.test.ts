import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { openDigestCopy, saveDigestCopy } from "../../../shared/digest/digestCopy.ts"
import { formatDigestEntry } from "../../../shared/digest/digestEntry.ts"
import { openDigestKeyFile } from "../../../shared/digest/localDigestKey.ts"
import { judgeProof } from "../../../shared/digest/proof.ts"
import { proveDigests } from "../../../shared/digest/proveDigests.ts"
import { aDigestStore, recordName } from "../../support/aDigestStore.ts"
import { collect } from "../../support/collect.ts"
import { vectorCopy, vectorKeys } from "../../support/digestVectors.ts"
import { fakeClock } from "../../support/fakeClock.ts"
import { describeWith } from "../../support/requiredSuite.ts"

const prover = fileURLToPath(new URL("../../../docs/examples/proveDigests.py", import.meta.url))
const aFolder = () => mkdtempSync(join(tmpdir(), "digest-copy-"))
/** The golden files, in a place where they can be tampered with. */
const aCopy = () => {
  const folder = aFolder()
  cpSync(vectorCopy, folder, { recursive: true })
  return folder
}
const prove = async (folder: string) => {
  const copy = openDigestCopy(folder)
  const { trusted: keys } = await openDigestKeyFile(vectorKeys)
  return proveDigests({ ...copy, keys, clock: fakeClock(copy.madeAt.toISOString()) }, "all")
}
const edit = (folder: string, file: string, change: (text: string) => string) => {
  const path = join(folder, file)
  const before = readFileSync(path, "utf8")
  const after = change(before)
  expect(after).not.toBe(before)
  writeFileSync(path, after)
}
const line = (text: string, part: string) => text.split(/(?<=\n)/).find((each) => each.includes(part))!

/** What is done to a copy, and what the proof must say of it. */
const tampering: readonly {
  readonly what: string
  readonly tamper: (folder: string) => void
  readonly kinds: readonly string[]
}[] = [
  {
    what: "one metadata byte changed",
    tamper: (folder) => edit(folder, "listing.jsonl", (text) => text.replace('"event-111"', '"event-112"')),
    kinds: ["entryChanged"],
  },
  {
    what: "an entry removed",
    tamper: (folder) => edit(folder, "listing.jsonl", (text) => text.replace(line(text, '"event-185"'), "")),
    kinds: ["entryRemoved"],
  },
  {
    what: "an entry added later with an old time",
    tamper: (folder) =>
      edit(folder, "listing.jsonl", (text) => {
        const entry = line(text, '"event-185"')
        return text.replace(entry, entry + entry.replace(".jwe.json", ".jwe.json2"))
      }),
    kinds: ["entryAdded"],
  },
  {
    what: "a digest removed",
    tamper: (folder) => {
      rmSync(join(folder, "digest/v1/2026-11-22.json"))
      edit(folder, "listing.jsonl", (text) => text.replace(line(text, "digest/v1/2026-11-22.json"), ""))
    },
    kinds: ["digestMissing"],
  },
  {
    what: "the newest digest removed",
    tamper: (folder) => {
      edit(folder, "listing.jsonl", (text) => text.replace(line(text, "digest/v1/2026-11-24.json"), ""))
      edit(folder, "copy.json", (text) => text.replace("T00:30", "T09:30"))
    },
    kinds: ["digestMissing"],
  },
  {
    what: "a signature changed",
    tamper: (folder) =>
      edit(folder, "digest/v1/2026-11-21.json", (text) => text.replace('"signature":"', '"signature":"AAAA')),
    kinds: ["digestForged"],
  },
]

describe("the golden digests", () => {
  it("are proved by every release", async () => {
    const proof = await prove(vectorCopy)
    expect(proof.days.map(({ day, status, entries, kid }) => [day, status, entries, kid])).toEqual([
      ["2026-11-20", "proved", 3, "test-only-es384"],
      ["2026-11-21", "proved", 3, "test-only-es384"],
      [
        "2026-11-22",
        "proved",
        2,
        "https://kv-demo.vault.azure.net/keys/ledger/0123456789abcdef0123456789abcdef",
      ],
      ["2026-11-23", "proved", 2, expect.stringMatching(/^[\w-]{43}$/)],
      ["2026-11-24", "proved", 0, expect.stringMatching(/^[\w-]{43}$/)],
    ])
    expect(judgeProof(proof)).toBe("proved")
  })

  it("are of entries whose every byte this release writes the same", async () => {
    const text = readFileSync(join(vectorCopy, "listing.jsonl"), "utf8")
    const blobs = await collect(openDigestCopy(vectorCopy).catalog.list(""))
    expect(blobs.length).toBeGreaterThan(15)
    expect(blobs.map(formatDigestEntry).join("")).toBe(text)
  })

  it.each(tampering)("tell of $what", async ({ tamper, kinds }) => {
    const folder = aCopy()
    tamper(folder)
    const proof = await prove(folder)
    expect(proof.findings.map(({ kind }) => kind)).toEqual(kinds)
    expect(judgeProof(proof)).toBe("wrong")
  })
})

const missing = ["python3", "openssl"].filter((tool) => spawnSync(tool, ["--version"]).error)

describeWith(
  "python",
  missing.length === 0 ? undefined : `${missing.join(" and ")} cannot be run`,
  "the golden digests, proved by Python and openssl with docs/formats.md alone",
  () => {
    const run = (folder: string) => spawnSync("python3", [prover, folder, vectorKeys], { encoding: "utf8" })

    it("are proved", () => {
      const { status, stdout, stderr } = run(vectorCopy)
      expect({ stderr, status }).toEqual({ stderr: "", status: 0 })
      expect(stdout).toMatch(/^2026-11-20 proved, 3 entries\n(.* proved, \d entries\n){4}$/)
    })

    it.each(tampering)("tell of $what", ({ tamper }) => {
      const folder = aCopy()
      tamper(folder)
      const { status, stdout, stderr } = run(folder)
      expect({ stderr, status }).toEqual({ stderr: "", status: 1 })
      expect(stdout).toContain("WRONG")
    })
  },
)

describe("saveDigestCopy", () => {
  it("makes no file of a name that is none of ours, and reads none", async () => {
    const world = await aDigestStore()
    world.put(recordName(1), "2026-11-24T10:00:00.000Z")
    world.put("digest/v1/../../../escape", "2026-11-24T10:00:00.000Z")
    await world.write()
    const folder = join(aFolder(), "copy")
    const from = { ...world.parts, madeAt: world.clock.now() }
    await expect(saveDigestCopy(folder, from)).resolves.toEqual({ entries: 1, digests: 2 })
    const { reader } = openDigestCopy(folder)
    for (const name of ["digest/v1/../../copy.json", "copy.json", "/etc/hostname"]) {
      await expect(reader.read(name)).rejects.toMatchObject({ code: "ERR_STORE_NOT_FOUND" })
    }
    await expect(saveDigestCopy(folder, from)).rejects.toMatchObject({ code: "ERR_CONFIG_INVALID" })
  })

  it("leaves nothing that proves anything when it is cut off", async () => {
    const world = await aDigestStore()
    await world.write()
    const folder = join(aFolder(), "copy")
    const reader = { read: () => Promise.reject(new Error("cut off")) }
    await saveDigestCopy(folder, { ...world.parts, reader, madeAt: world.clock.now() }).catch(() => {})
    expect(() => openDigestCopy(folder)).toThrow("no whole copy")
  })
})
