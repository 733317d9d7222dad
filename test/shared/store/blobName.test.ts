import { describe, expect, it } from "vitest"
import {
  formatGapName,
  formatRecordName,
  gapPrefix,
  gapPrefixOfVault,
  gapReasons,
  parseStoreEntryName,
  recordPrefix,
  recordPrefixOfVault,
  sealNameOf,
} from "../../../shared/store/blobName.ts"
import { anObject, versionId } from "../../support/builders.ts"

const id = versionId(0xabc)
const objects = [
  {
    name: "a secret",
    object: anObject({ version: id }),
    path: `kv-test.vault.azure.net/secrets/db-password/${id}`,
  },
  {
    name: "a certificate",
    object: anObject({ kind: "certificate", name: "tls", version: id }),
    path: `kv-test.vault.azure.net/certificates/tls/${id}`,
  },
  {
    name: "a host with a port",
    object: anObject({ host: "127.0.0.1:8443", version: id }),
    path: `127.0.0.1_8443/secrets/db-password/${id}`,
  },
  {
    name: "a name of 127 characters",
    object: anObject({ name: "a".repeat(127), version: id }),
    path: `kv-test.vault.azure.net/secrets/${"a".repeat(127)}/${id}`,
  },
] as const

describe("formatRecordName", () => {
  it.each(objects)("names $name, and parses back", ({ object, path }) => {
    const name = formatRecordName(object)
    expect(name).toBe(`v1/${path}.jwe.json`)
    expect(parseStoreEntryName(name)).toEqual({ kind: "record", object })
    expect(sealNameOf(name)).toBe(`v1/${path}`)
    expect(name.startsWith(recordPrefix)).toBe(true)
    expect(name.startsWith(recordPrefixOfVault(object.host))).toBe(true)
  })
})

describe("formatGapName", () => {
  it.each(
    objects.flatMap((row) =>
      gapReasons.map((reason) => ({ ...row, name: `${row.name}, ${reason}`, reason })),
    ),
  )("names the gap of $name, and parses back", ({ object, path, reason }) => {
    const name = formatGapName(object, reason)
    expect(name).toBe(`gaps/v1/${path}.${reason}.json`)
    expect(parseStoreEntryName(name)).toEqual({ kind: "gap", object, reason })
    expect(name.startsWith(gapPrefix)).toBe(true)
    expect(name.startsWith(gapPrefixOfVault(object.host))).toBe(true)
  })

  it("knows three reasons", () => {
    expect(gapReasons).toEqual(["disabled", "value-absent", "gone"])
  })
})

describe("parseStoreEntryName", () => {
  const record = formatRecordName(anObject({ version: id }))
  const gap = formatGapName(anObject({ version: id }), "gone")
  it.each([
    { name: "nothing", text: "" },
    { name: "the journal", text: "journal/2026-03-01.json" },
    { name: "a probe", text: "probe/2026-03-01T10:00:00Z-1.json" },
    { name: "a record in upper case", text: record.toUpperCase() },
    { name: "a name in upper case", text: record.replace("db-password", "DB-Password") },
    { name: "a version in upper case", text: record.replace("abc", "ABC") },
    { name: "a version too short", text: record.replace(id, id.slice(1)) },
    { name: "a record of a key", text: record.replace("/secrets/", "/keys/") },
    { name: "a foreign collection", text: record.replace("/secrets/", "/passwords/") },
    { name: "another format's folder", text: record.replace("v1/", "v2/") },
    { name: "something before it", text: `x/${record}` },
    { name: "something behind it", text: `${record}.bak` },
    { name: "another suffix", text: record.replace(".jwe.json", ".json") },
    { name: "one folder more", text: record.replace("/secrets/", "/secrets/x/") },
    { name: "a default port", text: record.replace("azure.net", "azure.net_443") },
    { name: "a colon in the host", text: record.replace("azure.net", "azure.net:8443") },
    { name: "two ports", text: record.replace("azure.net", "azure.net_1_2") },
    { name: "a name with a dot", text: record.replace("db-password", "db.password") },
    { name: "a path that climbs", text: record.replace("db-password", "..") },
    { name: "a managed HSM", text: record.replace("kv-test.vault", "kv-test.managedhsm") },
    { name: "a gap of an unknown reason", text: gap.replace("gone", "lost") },
    { name: "a gap without a reason", text: gap.replace(".gone", "") },
    { name: "a gap named like every object's own", text: gap.replace("gone", "constructor") },
  ])("takes $name for foreign", ({ text }) => {
    expect(parseStoreEntryName(text)).toBeUndefined()
  })
})

describe("recordPrefixOfVault", () => {
  it("does not take in a vault whose host only begins alike", () => {
    expect(recordPrefixOfVault("kv")).toBe("v1/kv/")
    expect(gapPrefixOfVault("127.0.0.1:8443")).toBe("gaps/v1/127.0.0.1_8443/")
  })
})

describe("sealNameOf", () => {
  it("leaves a name without the suffix as it is", () => {
    expect(sealNameOf("v1/x")).toBe("v1/x")
  })
})
