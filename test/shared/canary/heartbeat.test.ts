import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { callHeartbeat } from "../../../shared/canary/heartbeat.ts"

const calls: string[] = []
const server = createServer((request, response) => {
  calls.push(`${request.method} ${request.url}`)
  if (request.url === "/redirect") response.writeHead(302, { location: "/elsewhere" }).end()
  else if (request.url === "/cut") request.socket.destroy()
  else response.writeHead(request.url === "/wrong" ? 503 : 200).end("thanks")
})
let url = ""

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

describe("callHeartbeat", () => {
  it("calls the URL once, with GET", async () => {
    await expect(callHeartbeat(`${url}/token`)).resolves.toBeUndefined()
    expect(calls).toEqual(["GET /token"])
  })

  it.each([
    { path: "/wrong", problem: "503" },
    { path: "/redirect", problem: "302" },
    { path: "/cut", problem: "TypeError" },
  ])("says in one word what went wrong at $path, and follows nothing", async ({ path, problem }) => {
    await expect(callHeartbeat(`${url}${path}`)).resolves.toBe(problem)
    expect(calls).not.toContain("GET /elsewhere")
  })
})
