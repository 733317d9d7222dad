import { describe, expect, it } from "vitest"
import { readTokenClaims } from "../../../shared/diagnosis/tokenClaims.ts"

const token = (claims: object | string) =>
  `h.${Buffer.from(typeof claims === "string" ? claims : JSON.stringify(claims)).toString("base64url")}.signature`

describe("readTokenClaims", () => {
  it("keeps the claims that are no secret, and forgets the rest", () => {
    const claims = {
      aud: "https://vault.azure.net",
      tid: "t",
      oid: "o",
      appid: "a",
      exp: 1_800_000_000,
      iat: 0,
    }
    expect(readTokenClaims(token({ ...claims, upn: "somebody@example.com", groups: ["g"] }))).toEqual({
      audience: "https://vault.azure.net",
      tenantId: "t",
      objectId: "o",
      clientId: "a",
      issuedAt: new Date(0),
      expiresAt: new Date(1_800_000_000_000),
    })
  })

  it.each([
    "",
    "text",
    "a.b.c",
    token("[1]x"),
    token("null"),
    `${token("{}")}`.split(".").slice(0, 2).join("."),
  ])("reads nothing from %j", (text) => {
    expect(readTokenClaims(text)).toBeUndefined()
  })

  it("does not repeat a claim that is no plain word", () => {
    expect(readTokenClaims(token({ aud: "a b\n", oid: 1, exp: "soon" }))).toEqual({})
  })
})
