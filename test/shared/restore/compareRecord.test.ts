import { describe, expect, it } from "vitest"
import type { VersionReading } from "../../../shared/backup/readVersion.ts"
import { pemContentType, pkcs12ContentType } from "../../../shared/certificate/certificateMaterial.ts"
import { type BackupRecord, buildRecord } from "../../../shared/record/record.ts"
import { chainOf, isSame } from "../../../shared/restore/compareRecord.ts"
import { SecretValue } from "../../../shared/secretValue.ts"
import { aChain, type Chain, certificateReadings, materialOf, newKey } from "../../support/aChain.ts"
import { anObject, aReading, vault } from "../../support/builders.ts"

const chain = aChain({ length: 3 })
const [leaf, issuer, root] = chain.certificates as unknown as [Buffer, Buffer, Buffer]
const certificate = anObject({ kind: "certificate", name: "tls" })

/** What a vault answers of a certificate; a PFX is exported afresh. */
function held(given: Parameters<typeof certificateReadings>[1] = {}, of: Chain = chain): VersionReading {
  const { certificate: answer, secret } = certificateReadings(of, given)
  const id = {
    id: "x",
    secretId: `${vault}/secrets/tls/${certificate.version}`,
    tags: {},
    attributes: { enabled: true },
  }
  return {
    object: certificate,
    secret: { ...id, managed: true, ...secret },
    certificate: { ...id, ...answer },
    privateKey: given.exportable === false ? "absentByPolicy" : "present",
  }
}

const recordOf = (reading: VersionReading): BackupRecord =>
  buildRecord(reading, undefined, reading.secret.value?.reveal() ?? "", new Date(0))

function heldSecret(value: string | undefined): VersionReading {
  const reading = aReading(value === undefined ? {} : { value })
  return {
    object: anObject(),
    secret: { id: "x", tags: {}, attributes: { enabled: true }, managed: false, ...reading },
  }
}

describe("isSame of a secret", () => {
  it.each([
    { name: "the value is equal", value: "a\r\n", is: true },
    { name: "a line break differs", value: "a\n", is: false },
    { name: "there is no value", value: undefined, is: false },
  ])("is $is when $name", ({ value, is }) => {
    expect(isSame(recordOf(heldSecret("a\r\n")), heldSecret(value))).toBe(is)
  })

  it("takes an empty value for a value", () => {
    expect(isSame(recordOf(heldSecret("")), heldSecret(""))).toBe(true)
    expect(isSame(recordOf(heldSecret("")), heldSecret(undefined))).toBe(false)
  })
})

describe("isSame of a certificate", () => {
  it.each([
    { name: "exported again, in other bytes", now: held() },
    { name: "exported as PEM", now: held({ contentType: pemContentType }) },
    { name: "exported in another order", now: held({ value: materialOf(chain.key, [root, leaf, issuer]) }) },
    { name: "exported with fewer certificates", now: held({ value: materialOf(chain.key, [leaf]) }) },
  ])("is true of the same one $name", ({ now }) => {
    expect(isSame(recordOf(held()), now)).toBe(true)
  })

  const renewed = aChain({ key: chain.key, length: 3 })
  it.each([
    { name: "another certificate for the same key", now: held({}, renewed) },
    {
      name: "the same certificate with another key",
      now: held({ value: materialOf(newKey(), chain.certificates) }),
    },
    { name: "the same certificate without its key", now: held({ exportable: false }) },
    {
      name: "no value",
      now: { ...held(), secret: { ...held().secret, value: undefined } } as unknown as VersionReading,
    },
    { name: "a value that cannot be opened", now: held({ value: "hunter2" }) },
    { name: "a secret of that name", now: heldSecret(materialOf(chain.key, chain.certificates)) },
  ])("is false when the vault has $name", ({ now }) => {
    expect(isSame(recordOf(held()), now)).toBe(false)
  })

  it("is false when the record lacks a certificate of the chain", () => {
    const record = recordOf(held({ value: materialOf(chain.key, [leaf, root]) }))
    expect(isSame(record, held())).toBe(false)
  })

  it("is false when the record says that the key is there and it is not, or the other way round", () => {
    const record = recordOf(held({ exportable: false }))
    expect(isSame(record, held({ exportable: false }))).toBe(true)
    const boasting = { ...record, certificate: { ...record.certificate!, privateKey: "present" as const } }
    expect(isSame(boasting, held({ exportable: false }))).toBe(false)
  })

  it("is false of the record of a secret", () => {
    expect(isSame(recordOf(heldSecret("x")), held())).toBe(false)
    expect(isSame(recordOf(held()), heldSecret("x"))).toBe(false)
  })

  it("is decided to the byte when nobody can open the value", () => {
    const unknown = (value: string) => {
      const reading = held()
      return {
        ...reading,
        secret: { ...reading.secret, contentType: "application/x-new", value: new SecretValue(value) },
      }
    }
    expect(isSame(recordOf(unknown("abc")), unknown("abc"))).toBe(true)
    expect(isSame(recordOf(unknown("abc")), unknown("abd"))).toBe(false)
  })
})

describe("chainOf", () => {
  it.each([
    { name: "leaf to root", ders: [leaf, issuer, root], is: "complete" },
    { name: "root to leaf", ders: [root, issuer, leaf], is: "complete" },
    { name: "no root", ders: [leaf, issuer], is: "incomplete" },
    { name: "the leaf alone", ders: [leaf], is: "incomplete" },
  ])("is $is for $name", ({ ders, is }) => {
    for (const contentType of [pkcs12ContentType, pemContentType] as const) {
      const value = materialOf(chain.key, ders, contentType)
      expect(chainOf(recordOf(held({ value, contentType })))).toBe(is)
    }
  })

  it("says nothing of a secret, nor of what cannot be opened", () => {
    expect(chainOf(recordOf(heldSecret("x")))).toBeUndefined()
    expect(chainOf(recordOf(held({ value: "hunter2" })))).toBeUndefined()
  })
})
