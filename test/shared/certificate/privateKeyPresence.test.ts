import { describe, expect, it } from "vitest"
import { privateKeyPresence } from "../../../shared/certificate/privateKeyPresence.ts"
import { aChain, contentTypes, materialOf, newKey } from "../../support/aChain.ts"

const { key, certificates } = aChain({ length: 2 })
const [cer, issuer] = certificates as unknown as [Buffer, Buffer]
const policy = (exportable: boolean) => ({ key_props: { exportable } })

describe("privateKeyPresence", () => {
  it.each(contentTypes)(
    "tells what the value holds, whatever the policy has become since: %s",
    (contentType) => {
      for (const exportable of [true, false]) {
        const certificate = { cer, policy: policy(exportable) }
        const withKey = materialOf(key, [issuer, cer], contentType)
        const withoutKey = materialOf(undefined, [cer, issuer], contentType)
        expect(privateKeyPresence(withKey, contentType, certificate)).toBe("present")
        expect(privateKeyPresence(withoutKey, contentType, certificate)).toBe("absentByPolicy")
      }
    },
  )

  it.each([
    { name: "the key of another certificate", value: materialOf(newKey(), [cer]) },
    { name: "certificates without the leaf", value: materialOf(undefined, [issuer]) },
    {
      name: "another leaf with its key",
      value: materialOf(...(Object.values(aChain()) as [typeof key, Buffer[]])),
    },
  ])("says that value and certificate contradict each other: $name", ({ value }) => {
    expect(privateKeyPresence(value, "application/x-pkcs12", { cer })).toBeUndefined()
  })

  it.each([
    { name: "exportable", given: policy(true), is: "present" },
    { name: "not exportable", given: policy(false), is: "absentByPolicy" },
    { name: "a policy that says nothing of the key", given: { key_props: null }, is: "present" },
  ])("asks the policy about a value that nobody can open: $name", ({ given, is }) => {
    expect(privateKeyPresence("!", "application/x-new", { cer, policy: given })).toBe(is)
  })

  const locked = aPfxOfTomorrow()
  it.each([
    { name: "text", value: "hunter2", contentType: "application/x-pkcs12", is: undefined },
    { name: "nothing", value: "", contentType: "application/x-pkcs12", is: undefined },
    {
      name: "a PFX cut short",
      value: materialOf(key, [cer]).slice(0, 400),
      contentType: "application/x-pkcs12",
      is: undefined,
    },
    { name: "text called PEM", value: "hunter2", contentType: "application/x-pem-file", is: undefined },
    {
      name: "a PFX in a scheme of tomorrow",
      value: locked,
      contentType: "application/x-pkcs12",
      is: "present",
    },
  ])("says $is of $name", ({ value, contentType, is }) => {
    expect(privateKeyPresence(value, contentType, { cer, policy: policy(true) })).toBe(is)
  })
})

/** A PFX whose MAC has an identifier that nobody knows. */
function aPfxOfTomorrow(): string {
  const bytes = Buffer.from(materialOf(key, [cer]), "base64")
  const sha256 = Buffer.from("0609608648016503040201", "hex")
  const at = bytes.lastIndexOf(sha256)
  bytes[at + sha256.length - 1] = 0x7f
  return bytes.toString("base64")
}
