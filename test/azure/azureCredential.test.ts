import { type AddressInfo, createServer } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { createCredential, withTimeout } from "../../shared/azureCredential.ts"
import { fromVaultError } from "../../shared/azureErrors.ts"

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** The environment of an app whose identity endpoint accepts connections and never answers. */
async function aSilentEndpoint() {
  const server = createServer((socket) => void ends.push(() => socket.destroy()))
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  process.env["IDENTITY_ENDPOINT"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`
  process.env["IDENTITY_HEADER"] = "h"
  ends.push(
    () => server.close(),
    () => delete process.env["IDENTITY_ENDPOINT"],
    () => delete process.env["IDENTITY_HEADER"],
  )
}

describe("withTimeout", () => {
  it("gives up on an identity endpoint that never answers, as on one that refuses", async () => {
    await aSilentEndpoint()
    const credential = withTimeout(createCredential("managedIdentity", undefined), 300)
    const error: unknown = await credential
      .getToken("https://vault.azure.net/.default")
      .catch((e: unknown) => e)
    expect(fromVaultError(error, {})).toMatchObject({ code: "ERR_IDENTITY_UNAVAILABLE" })
  })

  it("hands token and refusal over, and leaves no timer behind", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length
    const before = timers()
    const token = { token: "t", expiresOnTimestamp: 1 }
    const good = withTimeout({ getToken: async () => token }, 60_000)
    await expect(good.getToken("s")).resolves.toBe(token)
    const bad = withTimeout({ getToken: async () => Promise.reject(new TypeError("refused")) }, 60_000)
    await expect(bad.getToken("s")).rejects.toThrow("refused")
    expect(timers()).toBe(before)
  })
})
