import type { GetTokenOptions } from "@azure/core-auth"
import {
  createHttpHeaders,
  type PipelineRequest,
  type PipelineResponse,
  RestError,
} from "@azure/core-rest-pipeline"
import { describe, expect, it } from "vitest"
import { createPutBlob } from "../../shared/store/azurePutBlob.ts"

const tenant = "8d7f5b0e-4a3c-4b57-9a55-2f6d1c0e9b11"
const blob = {
  name: "v1/kv.vault.azure.net/secrets/a/1.jwe.json",
  body: Buffer.from("sealed"),
  contentType: "application/jose+json",
  contentMd5: Buffer.alloc(16, 7).toString("base64"),
  metadata: { origin: "live", sha256: "ab" },
}

interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly bodyAsText?: string
}

/** A store that gives these answers in turn, and what it was asked. */
function aStore(answers: readonly Answer[], url = "https://backups.blob.core.windows.net") {
  const asked: { method: string; url: string; headers: Record<string, string>; body: unknown }[] = []
  const tokens: GetTokenOptions[] = []
  const put = createPutBlob({
    url,
    container: "keyvault-backups",
    credential: {
      getToken: async (_scopes, options = {}) => {
        tokens.push(options)
        return { token: options.tenantId ?? "own", expiresOnTimestamp: Date.now() + 3_600_000 }
      },
    },
    httpClient: {
      sendRequest: async (request: PipelineRequest): Promise<PipelineResponse> => {
        const { status, headers, bodyAsText = "" } = answers[asked.length] ?? { status: 500 }
        asked.push({
          method: request.method,
          url: request.url,
          headers: request.headers.toJSON(),
          body: request.body,
        })
        return { request, status, headers: createHttpHeaders(headers), bodyAsText }
      },
    },
  })
  return { put, asked, tokens }
}

const challenge = (uri: string) => ({
  "WWW-Authenticate": `Bearer authorization_uri=${uri} resource_id=https://storage.azure.com`,
})

describe("createPutBlob", () => {
  it("sends everything at once, and nothing more than this", async () => {
    const { put, asked } = aStore([{ status: 201 }])
    await put(blob)
    expect(asked).toEqual([
      {
        method: "PUT",
        url: `https://backups.blob.core.windows.net/keyvault-backups/${blob.name}`,
        body: blob.body,
        headers: {
          authorization: "Bearer own",
          "content-length": "6",
          "content-type": "application/jose+json",
          "if-none-match": "*",
          "user-agent": expect.stringMatching(/^keyvault-change-backup /),
          "x-ms-blob-content-md5": "BwcHBwcHBwcHBwcHBwcHBw==",
          "x-ms-blob-content-type": "application/jose+json",
          "x-ms-blob-type": "BlockBlob",
          "x-ms-client-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
          "x-ms-meta-origin": "live",
          "x-ms-meta-sha256": "ab",
          "x-ms-version": "2025-01-05",
        },
      },
    ])
  })

  it.each([
    {
      name: "with a slash at its end",
      url: "https://a.blob.core.windows.net/",
      at: "https://a.blob.core.windows.net/",
    },
    { name: "with a path", url: "https://127.0.0.1:1/account", at: "https://127.0.0.1:1/account/" },
  ])("takes a URL $name", async ({ url, at }) => {
    const { put, asked } = aStore([{ status: 201 }], url)
    await put({ ...blob, name: "probe/2026-03-01T10:00:00Z #1?.json" })
    expect(asked[0]?.url).toBe(`${at}keyvault-backups/probe/2026-03-01T10%3A00%3A00Z%20%231%3F.json`)
  })

  it("asks for the token once", async () => {
    const { put, tokens } = aStore([{ status: 201 }, { status: 201 }])
    await put(blob)
    await put(blob)
    expect(tokens).toHaveLength(1)
  })

  it("asks again with a token of the tenant that a challenge names", async () => {
    const uri = `https://login.microsoftonline.com/${tenant}/oauth2/authorize`
    const { put, asked } = aStore([{ status: 401, headers: challenge(uri) }, { status: 201 }])
    await put(blob)
    expect(asked.map(({ headers }) => headers["authorization"])).toEqual(["Bearer own", `Bearer ${tenant}`])
    expect(asked[1]?.body).toBe(blob.body)
  })

  it.each([
    { name: "no challenge", headers: {} },
    { name: "no tenant", headers: challenge("https://login.microsoftonline.com/common/oauth2/authorize") },
  ])("takes a 401 with $name for a refusal, after one try", async ({ headers }) => {
    const { put, asked } = aStore([{ status: 401, headers }, { status: 201 }])
    await expect(put(blob)).rejects.toMatchObject({ statusCode: 401 })
    expect(asked).toHaveLength(1)
  })

  it.each([
    { name: "the header", headers: { "x-ms-error-code": "BlobAlreadyExists" }, code: "BlobAlreadyExists" },
    { name: "the body", bodyAsText: "<Error><Code>ServerBusy</Code></Error>", code: "ServerBusy" },
    { name: "nothing", bodyAsText: "<html>", code: undefined },
  ])("rejects with the code that $name tells", async ({ headers = {}, bodyAsText = "", code }) => {
    const { put } = aStore([{ status: 409, headers, bodyAsText }])
    const error: unknown = await put(blob).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RestError)
    expect(error).toMatchObject({ statusCode: 409, response: { status: 409 } })
    expect((error as RestError).code).toBe(code)
  })

  it.each([200, 202, 204, 304, 307])("does not take %i for stored", async (status) => {
    const { put, asked } = aStore([{ status, headers: { location: "https://elsewhere.example/" } }])
    await expect(put(blob)).rejects.toMatchObject({ statusCode: status })
    expect(asked).toHaveLength(1)
  })

  it("sends no token without TLS", async () => {
    const { put, asked } = aStore([{ status: 201 }], "http://backups.blob.core.windows.net")
    await expect(put(blob)).rejects.toThrow("non-TLS")
    expect(asked).toEqual([])
  })
})
