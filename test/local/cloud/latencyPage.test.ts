import http from "node:http"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Journey, startJourney } from "../../support/startJourney.ts"

describe("the address of the latency page", () => {
  let journey: Journey
  let url: URL

  const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    new Promise<{ readonly status: number | undefined; readonly type: string | undefined }>(
      (resolve, reject) => {
        const request = http.request(
          { host: "127.0.0.1", port: url.port, path, method, headers },
          (response) => {
            response.resume().on("end", () => {
              resolve({ status: response.statusCode, type: response.headers["content-type"] })
            })
          },
        )
        request.on("error", reject).end()
      },
    )

  beforeAll(async () => {
    journey = await startJourney({ runsTimers: false })
    url = new URL(journey.cloud.file.latencyPage.url)
  })
  afterAll(() => journey.stop())

  it("serves the page and the report to whoever knows it", async () => {
    expect(await get(url.pathname)).toEqual({ status: 200, type: "text/html; charset=utf-8" })
    expect(await get(`${url.pathname}?format=json`)).toEqual({
      status: 200,
      type: "application/json; charset=utf-8",
    })
  })

  it.each([
    { name: "without the random part", path: () => "/" },
    { name: "with a part that is not quite it", path: () => `${url.pathname.slice(0, -3)}x/` },
    { name: "by another method", path: () => url.pathname, method: "POST" },
    { name: "by a name of somebody else's that leads here", path: () => url.pathname, host: "evil.example" },
  ])("is nothing $name", async ({ path, method = "GET", host }) => {
    const headers = host === undefined ? {} : { host: `${host}:${url.port}` }
    expect(await get(path(), headers, method)).toEqual({ status: 404, type: undefined })
  })

  it("is the only way: a principal that somebody claims to be is taken off, as App Service does", async () => {
    const claimed = { "x-ms-client-principal": "e30=", "x-ms-client-principal-idp": "aad" }
    const { functions } = journey.cloud.file
    const asked = async (headers: Record<string, string>) =>
      (await fetch(`${functions.url}/api/latencyReport?format=json`, { headers })).status
    expect(await asked(claimed)).toBe(401)
    expect(await asked({ ...claimed, "x-functions-key": "wrong" })).toBe(401)
    expect(await asked({ ...claimed, "x-functions-key": functions.key })).toBe(200)
  })
})
