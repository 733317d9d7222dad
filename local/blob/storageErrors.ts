import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"

interface StorageErrorText {
  readonly status: number
  readonly message: string
}

/**
 * Status and text of the storage error codes that the gate answers itself.
 *
 * Source: learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and /common-rest-api-error-codes
 */
export const storageErrors = {
  AuthenticationFailed: {
    status: 403,
    message:
      "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
  },
  AuthorizationFailure: {
    status: 403,
    message: "This request is not authorized to perform this operation.",
  },
  AuthorizationPermissionMismatch: {
    status: 403,
    message: "This request is not authorized to perform this operation using this permission.",
  },
  BlobAlreadyExists: { status: 409, message: "The specified blob already exists." },
  BlobImmutableDueToLegalHold: {
    status: 409,
    message: "This operation is not permitted as the blob is immutable due to one or more legal holds.",
  },
  BlobImmutableDueToPolicy: {
    status: 409,
    message: "This operation is not permitted as the blob is immutable due to a policy.",
  },
  CannotVerifyCopySource: { status: 404, message: "The specified resource does not exist." },
  ContainerHasLegalHold: {
    status: 409,
    message: "The operation is not permitted as the container has one or more legal holds.",
  },
  ContainerImmutabilityPolicyLocked: {
    status: 409,
    message: "The operation is not permitted as the container is protected by an immutability policy.",
  },
  InternalError: {
    status: 500,
    message: "The server encountered an internal error. Please retry the request.",
  },
  InvalidAuthenticationInfo: {
    status: 401,
    message:
      "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
  },
  InvalidUri: {
    status: 400,
    message: "The requested URI does not represent any resource on the server.",
  },
  KeyBasedAuthenticationNotPermitted: {
    status: 403,
    message: "Key based authentication is not permitted on this storage account.",
  },
  NoAuthenticationInformation: {
    status: 401,
    message:
      "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
  },
  NotImplemented: {
    status: 501,
    message: "The requested operation is not implemented on the specified resource.",
  },
  ResourceNotFound: { status: 404, message: "The specified resource does not exist." },
  UnauthorizedBlobOverwrite: {
    status: 403,
    message: "This request is not authorized to perform blob overwrites.",
  },
  UnsupportedHeader: {
    status: 400,
    message: "One of the HTTP headers specified in the request is not supported.",
  },
} as const satisfies Record<string, StorageErrorText>

export type StorageErrorCode = keyof typeof storageErrors

export interface StorageErrorAnswer {
  /** Any code; one that the table does not hold needs `status`. */
  readonly code: string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as the element `AuthenticationErrorDetail`. */
  readonly authenticationDetail?: string
}

/** Answers with storage's XML error and its `x-ms-error-code` header; a HEAD request gets the header only. */
export function sendStorageError(
  request: IncomingMessage,
  response: ServerResponse,
  answer: StorageErrorAnswer,
): void {
  const known: StorageErrorText | undefined = isStorageErrorCode(answer.code)
    ? storageErrors[answer.code]
    : undefined
  const requestId = randomUUID()
  const message = `${known?.message ?? "The request was refused."}\nRequestId:${requestId}\nTime:${new Date().toISOString()}`
  const detail =
    answer.authenticationDetail === undefined
      ? ""
      : `<AuthenticationErrorDetail>${escapeXml(answer.authenticationDetail)}</AuthenticationErrorDetail>`
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${escapeXml(answer.code)}</Code><Message>${escapeXml(message)}</Message>${detail}</Error>`
  response.writeHead(answer.status ?? known?.status ?? 400, {
    "content-type": "application/xml",
    "content-length": Buffer.byteLength(body),
    "x-ms-error-code": answer.code,
    "x-ms-request-id": requestId,
    ...(request.headers["x-ms-version"] ? { "x-ms-version": request.headers["x-ms-version"] } : {}),
    ...answer.headers,
  })
  response.end(request.method === "HEAD" ? undefined : body)
}

function isStorageErrorCode(code: string): code is StorageErrorCode {
  return Object.hasOwn(storageErrors, code)
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
}
