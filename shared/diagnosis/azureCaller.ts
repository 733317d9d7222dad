import { createHttpHeaders, createPipelineRequest, type HttpClient } from "@azure/core-rest-pipeline"
import { fromStoreError, fromVaultError } from "../azureErrors.ts"
import type { ErrorCode } from "../errors.ts"
import type { HttpCaller } from "./caller.ts"
import { type CallAnswer, type HarmlessCall, passes } from "./harmlessCall.ts"

const storeVersion = "2025-01-05"

/** Sends each call once, on the product's own connections. See HttpCaller for the promise. */
export function createAzureCaller(httpClient: HttpClient): HttpCaller {
  return {
    call: async (call, service, token, { signal } = {}) => {
      const request = createPipelineRequest({
        url: call.url,
        method: call.method,
        headers: createHttpHeaders({
          accept: "application/json, application/xml",
          ...(service === "store" ? { "x-ms-version": storeVersion } : {}),
          ...call.headers,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        }),
        ...(call.body === undefined ? {} : { body: call.body }),
        ...(signal ? { abortSignal: signal } : {}),
      })
      try {
        const { status, headers, bodyAsText } = await httpClient.sendRequest(request)
        return toAnswer(call, service, status, (name) => headers.get(name), bodyAsText ?? "")
      } catch (error) {
        return { code: codeOf(error), innerCode: "", flags: {}, error: unreachable[service] }
      }
    },
  }
}

type Service = Parameters<HttpCaller["call"]>[1]

const unreachable: Readonly<Record<Service, ErrorCode>> = {
  vault: "ERR_VAULT_UNAVAILABLE",
  store: "ERR_STORE_UNAVAILABLE",
  management: "ERR_UNKNOWN",
}

function toAnswer(
  call: HarmlessCall,
  service: Service,
  status: number,
  header: (name: string) => string | undefined,
  text: string,
): CallAnswer {
  const body = service === "store" ? {} : asObject(parse(text))
  const { code, innerCode, message } = readError(body, header("x-ms-error-code"), text)
  const isPassed = passes(call, status, code)
  const served = Date.parse(header("date") ?? "")
  const challenge = readChallenge(header("www-authenticate") ?? "")
  return {
    status,
    code,
    innerCode,
    flags: flagsOf(header),
    ...(Number.isNaN(served) ? {} : { serverTime: new Date(served) }),
    ...(challenge === undefined ? {} : { challenge }),
    ...(service === "management" ? { json: body } : {}),
    ...(isPassed ? {} : { error: classify(service, { status, code, innerCode, message }) }),
  }
}

/** `Bearer authorization="https://login…/TENANT", resource="…"` of a vault, `authorization_uri=… resource_id=…` of storage. */
function readChallenge(text: string): CallAnswer["challenge"] {
  const resource = /\bresource(?:_id)?="?(https:\/\/[\w.:-]+)/i.exec(text)?.[1]
  const tenantId = /\bauthorization(?:_uri)?="?https:\/\/[^/\s"]+\/([0-9a-f-]{36})/i.exec(text)?.[1]
  if (resource === undefined && tenantId === undefined) return undefined
  return { ...(resource ? { resource } : {}), ...(tenantId ? { tenantId } : {}) }
}

function readError(body: Readonly<Record<string, unknown>>, headerCode: string | undefined, text: string) {
  const error = asObject(body["error"])
  const inner = asObject(error["innererror"] ?? error["innerError"])
  const xmlCode = /<Code>(\w{1,80})<\/Code>/.exec(text)?.[1]
  return {
    code: word(headerCode ?? error["code"] ?? xmlCode),
    innerCode: word(inner["code"]),
    message: typeof error["message"] === "string" ? error["message"] : "",
  }
}

/** With the same rules as the errors of the clients. */
function classify(
  service: Service,
  answer: {
    readonly status: number
    readonly code: string
    readonly innerCode: string
    readonly message: string
  },
): ErrorCode {
  const { status, code, innerCode, message } = answer
  if (service === "management") return "ERR_UNKNOWN"
  const error = {
    name: "RestError",
    message,
    statusCode: status,
    code,
    details: { error: { code, innererror: { code: innerCode } } },
  }
  return (service === "vault" ? fromVaultError : fromStoreError)(error, {}).code
}

const flagNames = [
  "x-ms-has-immutability-policy",
  "x-ms-has-legal-hold",
  "x-ms-immutable-storage-with-versioning-enabled",
]

function flagsOf(header: (name: string) => string | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    flagNames.flatMap((name) => {
      const value = header(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === "AbortError") return "ETIMEDOUT"
  return word(typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined)
}

function word(value: unknown): string {
  return typeof value === "string" && /^[\w.:-]{1,80}$/.test(value) ? value : ""
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
}
