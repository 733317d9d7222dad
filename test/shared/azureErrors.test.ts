import { createHttpHeaders, createPipelineRequest, RestError } from "@azure/core-rest-pipeline"
import { AuthenticationError, CredentialUnavailableError } from "@azure/identity"
import { ServiceBusError } from "@azure/service-bus"
import { describe, expect, it } from "vitest"
import {
  fromQueueError,
  fromStoreError,
  fromVaultError,
  innerCodeHeader,
  isAlreadyThere,
} from "../../shared/azureErrors.ts"
import { ServiceError } from "../../shared/errors.ts"
import { errorFields } from "../../shared/log.ts"

interface Answer {
  readonly status?: number
  readonly code?: string
  readonly inner?: string
  readonly message?: string
  readonly retryAfter?: string
  readonly spelling?: "innererror" | "innerError"
}

const request = createPipelineRequest({ url: "https://kv-test.vault.azure.net/secrets/a/b" })

/** An error as the clients throw it: the real class, with the parsed body under `details`. */
function answer({ status, code, inner, message = "theirs", retryAfter, spelling = "innerError" }: Answer) {
  const headers = createHttpHeaders(retryAfter === undefined ? {} : { "Retry-After": retryAfter })
  const error = new RestError(message, {
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { statusCode: status, response: { request, headers, status } }),
    request,
  })
  const innerPart = inner === undefined ? {} : { [spelling]: { code: inner } }
  return Object.assign(error, { details: { error: { code, message, ...innerPart } } })
}

const network = ["REQUEST_SEND_ERROR", "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT"]
const more = ["EPIPE", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_SOCKET", "UND_ERR_HEADERS_TIMEOUT"]
const tls = ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "SELF_SIGNED_CERT_IN_CHAIN", "CERT_HAS_EXPIRED"]
const networkCodes = [...network, ...more, ...tls, "ERR_TLS_CERT_ALTNAME_INVALID"]
const identityErrors = [
  { name: "no identity", thrown: new CredentialUnavailableError("none"), code: "ERR_IDENTITY_UNAVAILABLE" },
  {
    name: "an identity endpoint that refuses",
    thrown: new AuthenticationError(400, { error: "invalid_request", error_description: "no such id" }),
    code: "ERR_IDENTITY_UNAVAILABLE",
  },
]

const trusted =
  "Client address is not authorized and caller is not a trusted service. Client address: 10.0.0.4"

describe("fromVaultError", () => {
  it.each([
    { name: "firewall", inner: "ForbiddenByFirewall", code: "ERR_VAULT_FIREWALL" },
    { name: "no private link", inner: "ForbiddenByConnection", code: "ERR_VAULT_FIREWALL" },
    { name: "no role", inner: "ForbiddenByRbac", code: "ERR_VAULT_FORBIDDEN" },
    { name: "no policy entry", inner: "AccessDenied", code: "ERR_VAULT_FORBIDDEN" },
    { name: "permission missing in the policy", inner: "ForbiddenByPolicy", code: "ERR_VAULT_FORBIDDEN" },
    { name: "disabled secret", inner: "SecretDisabled", code: "ERR_VAULT_VERSION_DISABLED" },
    { name: "disabled certificate", inner: "CertificateDisabled", code: "ERR_VAULT_VERSION_DISABLED" },
    { name: "an inner code nobody knows", inner: "SomethingNew", code: "ERR_VAULT_FORBIDDEN" },
  ])("tells 403 by inner code, in both spellings: $name", ({ inner, code }) => {
    for (const spelling of ["innererror", "innerError"] as const) {
      const error = fromVaultError(answer({ status: 403, code: "Forbidden", inner, spelling }), {
        object: "o",
      })
      expect(error).toMatchObject({ code, details: { object: "o" } })
      expect(error.message).toContain(inner)
    }
  })

  it.each([
    {
      name: "403 without inner code, said in words",
      status: 403,
      code: "Forbidden",
      message: trusted,
      is: "FIREWALL",
    },
    { name: "403 without inner code", status: 403, code: "Forbidden", message: "no", is: "FORBIDDEN" },
    {
      name: "a role refusal that mentions an address",
      status: 403,
      code: "Forbidden",
      inner: "ForbiddenByRbac",
      message: trusted,
      is: "FORBIDDEN",
    },
    { name: "401", status: 401, code: "Unauthorized", is: "FORBIDDEN" },
    { name: "404 of the secret", status: 404, code: "SecretNotFound", is: "VERSION_ABSENT" },
    { name: "404 of the certificate", status: 404, code: "CertificateNotFound", is: "VERSION_ABSENT" },
    {
      name: "an HTML 404 of a proxy",
      status: 404,
      message: "<html>not found</html>",
      is: "RESPONSE_INVALID",
    },
    { name: "a 404 with a bare code", status: 404, code: "NotFound", is: "RESPONSE_INVALID" },
    { name: "a 404 of something else", status: 404, code: "ResourceNotFound", is: "RESPONSE_INVALID" },
    { name: "429", status: 429, code: "Throttled", is: "THROTTLED" },
    { name: "408", status: 408, is: "UNAVAILABLE" },
    { name: "500", status: 500, is: "UNAVAILABLE" },
    { name: "503", status: 503, code: "ServiceUnavailable", is: "UNAVAILABLE" },
    { name: "an answer that is no JSON", status: 200, code: "PARSE_ERROR", is: "RESPONSE_INVALID" },
    { name: "an unreadable 2xx", status: 204, is: "RESPONSE_INVALID" },
    ...networkCodes.map((code) => ({ name: code, code, is: "UNAVAILABLE" })),
  ])("tells $name", ({ is, ...given }) => {
    expect(fromVaultError(answer(given), {}).code).toBe(`ERR_VAULT_${is}`)
  })

  it.each([
    ...identityErrors,
    { name: "400", thrown: answer({ status: 400, code: "BadParameter" }), code: "ERR_UNKNOWN" },
    { name: "a code of no network", thrown: answer({ code: "SOMETHING" }), code: "ERR_UNKNOWN" },
    { name: "an error without anything", thrown: new Error("x"), code: "ERR_UNKNOWN" },
    { name: "no error at all", thrown: undefined, code: "ERR_UNKNOWN" },
  ])("tells $name", ({ thrown, code }) => {
    const error = fromVaultError(thrown, {})
    expect(error.code).toBe(code)
    expect(error.cause === thrown).toBe(statusOf(thrown) === undefined)
  })

  it("gives our own error back as it is", () => {
    const error = new ServiceError("ERR_VAULT_RESPONSE_INVALID", "x")
    expect(fromVaultError(error, {})).toBe(error)
  })

  it.each([
    {
      name: "callers and addresses in the message",
      given: { status: 403, code: "Forbidden", message: "Caller: oid=hunter2" },
    },
    {
      name: "a body that could not be parsed",
      given: { status: 200, code: "PARSE_ERROR", message: '{"value":"hunter2"' },
    },
    { name: "a code that is a sentence", given: { status: 400, code: "the value hunter2" } },
    {
      name: "an inner code that is a sentence",
      given: { status: 403, code: "Forbidden", inner: "see hunter2" },
    },
  ])("quotes nothing of $name", ({ given }) => {
    const error = fromVaultError(answer(given), {})
    expect(error.message).not.toContain("hunter2")
    expect(JSON.stringify(errorFields(error))).not.toContain("hunter2")
  })

  it.each([
    { name: "200, which holds the value", status: 200 },
    { name: "502, which holds somebody's page", status: 502 },
  ])("does not keep an error that quotes an answer of $name", ({ status }) => {
    const error = fromVaultError(answer({ status, code: "PARSE_ERROR", message: '{"value":"hunter2"' }), {})
    expect(error.cause).toEqual({ name: "RestError", code: "PARSE_ERROR", statusCode: status })
  })
})

function statusOf(thrown: unknown): unknown {
  return (thrown as { statusCode?: unknown } | undefined)?.statusCode
}

describe("an error that has lost its body", () => {
  it.each([
    { name: "firewall", inner: "ForbiddenByFirewall", code: "ERR_VAULT_FIREWALL" },
    { name: "role", inner: "ForbiddenByRbac", code: "ERR_VAULT_FORBIDDEN" },
    { name: "a sentence", inner: "see hunter2", code: "ERR_VAULT_FORBIDDEN" },
  ])("is told by the inner code that its headers keep: $name", ({ inner, code }) => {
    const headers = createHttpHeaders({ [innerCodeHeader]: inner })
    const thrown = new RestError("Pagination failed", {
      code: "Forbidden",
      statusCode: 403,
      request,
      response: { request, headers, status: 403 },
    })
    const error = fromVaultError(thrown, {})
    expect(error.code).toBe(code)
    expect(error.message).not.toContain("hunter2")
  })
})

describe("Retry-After", () => {
  const read = (retryAfter: string | undefined) => {
    const given = answer({ status: 429, ...(retryAfter === undefined ? {} : { retryAfter }) })
    return [fromVaultError(given, {}).retryAfterMs, fromStoreError(given, {}).retryAfterMs]
  }

  it("is read as seconds", () => {
    expect(read("7")).toEqual([7000, 7000])
  })

  it("is read as a date", () => {
    for (const ms of read(new Date(Date.now() + 60_000).toUTCString())) {
      expect(ms).toBeGreaterThanOrEqual(50_000)
      expect(ms).toBeLessThanOrEqual(61_000)
    }
  })

  it.each([
    { name: "a date that is over", retryAfter: "Wed, 21 Oct 2015 07:28:00 GMT" },
    { name: "zero", retryAfter: "0" },
    { name: "a negative number", retryAfter: "-5" },
    { name: "nonsense", retryAfter: "soon" },
    { name: "longer than a day", retryAfter: "86401" },
    { name: "longer than any date", retryAfter: "99999999999999999" },
    { name: "a date far away", retryAfter: "Fri, 31 Dec 9999 23:59:59 GMT" },
    { name: "nothing", retryAfter: "" },
    { name: "no header", retryAfter: undefined },
  ])("is no wish when it is $name", ({ retryAfter }) => {
    expect(read(retryAfter)).toEqual([undefined, undefined])
  })
})

describe("fromStoreError", () => {
  it.each([
    { name: "a blocked path", status: 403, code: "AuthorizationFailure", is: "FIREWALL" },
    { name: "a missing role", status: 403, code: "AuthorizationPermissionMismatch", is: "FORBIDDEN" },
    { name: "a refused token", status: 403, code: "AuthenticationFailed", is: "FORBIDDEN" },
    { name: "a refused token as 401", status: 401, code: "InvalidAuthenticationInfo", is: "FORBIDDEN" },
    { name: "shared key refused", status: 403, code: "KeyBasedAuthenticationNotPermitted", is: "FORBIDDEN" },
    { name: "a disabled account", status: 403, code: "AccountIsDisabled", is: "FORBIDDEN" },
    { name: "a SAS field", status: 403, code: "AuthorizationSourceIPMismatch", is: "FORBIDDEN" },
    { name: "no container", status: 404, code: "ContainerNotFound", is: "NOT_FOUND" },
    { name: "no blob", status: 404, code: "BlobNotFound", is: "NOT_FOUND" },
    { name: "throttling", status: 429, is: "UNAVAILABLE" },
    { name: "busy", status: 503, code: "ServerBusy", is: "UNAVAILABLE" },
    { name: "an internal error", status: 500, code: "InternalError", is: "UNAVAILABLE" },
    { name: "a timeout", status: 408, is: "UNAVAILABLE" },
    ...networkCodes.map((code) => ({ name: code, code, is: "UNAVAILABLE" })),
  ])("tells $name", ({ is, ...given }) => {
    expect(fromStoreError(answer(given), { blob: "b" })).toMatchObject({
      code: `ERR_STORE_${is}`,
      details: { blob: "b" },
    })
  })

  it("reads the code of an answer to HEAD, which stands under details only", () => {
    const error = Object.assign(new RestError("x", { statusCode: 403, request }), {
      details: { errorCode: "AuthorizationFailure" },
    })
    expect(fromStoreError(error, {}).code).toBe("ERR_STORE_FIREWALL")
  })

  it.each([
    ...identityErrors,
    { name: "400", thrown: answer({ status: 400, code: "Md5Mismatch" }), code: "ERR_UNKNOWN" },
    { name: "409 of a lease", thrown: answer({ status: 409, code: "LeaseIdMissing" }), code: "ERR_UNKNOWN" },
  ])("tells $name", ({ thrown, code }) => {
    expect(fromStoreError(thrown, {}).code).toBe(code)
  })

  it("gives our own error back as it is", () => {
    const error = new ServiceError("ERR_STORE_NOT_IMMUTABLE", "x")
    expect(fromStoreError(error, {})).toBe(error)
  })
})

describe("isAlreadyThere", () => {
  it.each([
    { name: "409 BlobAlreadyExists", status: 409, code: "BlobAlreadyExists", is: true },
    { name: "409 BlobImmutableDueToPolicy", status: 409, code: "BlobImmutableDueToPolicy", is: true },
    { name: "409 BlobImmutableDueToLegalHold", status: 409, code: "BlobImmutableDueToLegalHold", is: true },
    { name: "412", status: 412, code: "ConditionNotMet", is: true },
    { name: "403 UnauthorizedBlobOverwrite", status: 403, code: "UnauthorizedBlobOverwrite", is: true },
    { name: "409 of a lease", status: 409, code: "LeaseIdMissing", is: false },
    { name: "409 of the account", status: 409, code: "AccountBeingCreated", is: false },
    { name: "409 without a code", status: 409, is: false },
    { name: "403 of the network", status: 403, code: "AuthorizationFailure", is: false },
    { name: "403 of a role", status: 403, code: "AuthorizationPermissionMismatch", is: false },
    { name: "200", status: 200, code: "BlobAlreadyExists", is: false },
    { name: "the network", code: "ECONNRESET", is: false },
  ])("$name: $is", ({ is, ...given }) => {
    expect(isAlreadyThere(answer(given))).toBe(is)
  })
})

describe("fromQueueError", () => {
  const ip = "Ip has been prevented to connect to the endpoint. For more information see the documentation."
  it.each([
    {
      name: "no claim",
      code: "UnauthorizedAccess",
      message: "Unauthorized access. 'Send' claim(s) are required",
      is: "FORBIDDEN",
    },
    { name: "the network, under the same code", code: "UnauthorizedAccess", message: ip, is: "FIREWALL" },
    { name: "no queue", code: "MessagingEntityNotFound", is: "NOT_FOUND" },
    { name: "a disabled queue", code: "MessagingEntityDisabled", is: "UNAVAILABLE" },
    { name: "busy", code: "ServiceBusy", is: "UNAVAILABLE" },
    { name: "a timeout", code: "ServiceTimeout", is: "UNAVAILABLE" },
    { name: "lost communication", code: "ServiceCommunicationProblem", is: "UNAVAILABLE" },
  ] as const)("tells $name", ({ code, is, ...rest }) => {
    const message = "message" in rest ? rest.message : "theirs"
    const error = fromQueueError(new ServiceBusError(message, code), { queue: "q" })
    expect(error).toMatchObject({ code: `ERR_QUEUE_${is}`, details: { queue: "q" } })
    expect(error.message).not.toContain("claim")
  })

  it.each([
    ...identityErrors,
    ...network.map((code) => ({
      name: code,
      thrown: Object.assign(new Error("x"), { code }),
      code: "ERR_QUEUE_UNAVAILABLE",
    })),
    ...network.slice(1).map((code) => ({
      name: `${code} as the AMQP library says it`,
      thrown: Object.assign(new Error(`${code}: connect ${code} 10.0.0.4:5671`), { code: "GeneralError" }),
      code: "ERR_QUEUE_UNAVAILABLE",
    })),
    {
      name: "several attempts by the last of them",
      thrown: new AggregateError([
        new ServiceBusError("x", "ServiceBusy"),
        new ServiceBusError("Unauthorized access. 'Send' claim(s) are required", "UnauthorizedAccess"),
      ]),
      code: "ERR_QUEUE_FORBIDDEN",
    },
    {
      name: "several addresses that refuse",
      thrown: Object.assign(new AggregateError([new Error("x")]), { code: "ECONNREFUSED" }),
      code: "ERR_QUEUE_UNAVAILABLE",
    },
    { name: "no attempt at all", thrown: new AggregateError([]), code: "ERR_UNKNOWN" },
    { name: "a general error", thrown: new ServiceBusError("Error: x", "GeneralError"), code: "ERR_UNKNOWN" },
    { name: "a full queue", thrown: new ServiceBusError("x", "QuotaExceeded"), code: "ERR_UNKNOWN" },
    {
      name: "a message too large",
      thrown: new ServiceBusError("x", "MessageSizeExceeded"),
      code: "ERR_UNKNOWN",
    },
  ])("tells $name", ({ thrown, code }) => {
    expect(fromQueueError(thrown, {}).code).toBe(code)
  })

  it("gives our own error back as it is", () => {
    const error = new ServiceError("ERR_QUEUE_FORBIDDEN", "x")
    expect(fromQueueError(error, {})).toBe(error)
  })
})
