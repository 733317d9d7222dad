import type { IncomingMessage, ServerResponse } from "node:http"
import type { AccessControl, FirewallTarget } from "../access/accessControl.ts"
import type { Job } from "../access/job.ts"
import type { Caller, TokenAuthority } from "../access/tokenAuthority.ts"
import type { FaultBook, FaultRule } from "../faults/faultBook.ts"
import { playTransportFault } from "../faults/transportFault.ts"
import { authenticate } from "./authenticate.ts"
import type { AzuriteAccount } from "./azurite.ts"
import { type BlobRequest, parseBlobRequest } from "./blobRequest.ts"
import type { ImmutabilityGate } from "./immutabilityGate.ts"
import { requiredRights, writeAction } from "./requiredRights.ts"
import { sendStorageError, type StorageErrorAnswer } from "./storageErrors.ts"
import { unplayedFeature } from "./unplayedFeatures.ts"

/** A PUT of a blob (Put Blob, Put Block List or Copy Blob) whose success the caller was told. */
export interface AcknowledgedPut {
  readonly container: string
  readonly name: string
  /** When the answer was handed to the operating system. */
  readonly at: Date
  readonly job: Job
}

export interface BlobGateOptions {
  readonly azurite: AzuriteAccount
  readonly immutability: ImmutabilityGate
  readonly authority: TokenAuthority
  readonly access: AccessControl
  readonly faults: FaultBook
  readonly firewallTarget: FirewallTarget
  readonly onPut: (put: AcknowledgedPut) => void
}

/** What a fault rule with a status but no code answers. */
const codeByStatus: Readonly<Record<number, string>> = {
  401: "InvalidAuthenticationInfo",
  403: "AuthorizationFailure",
  404: "ResourceNotFound",
  408: "OperationTimedOut",
  409: "BlobAlreadyExists",
  412: "ConditionNotMet",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServerBusy",
}

/**
 * Serves one request: token, planned fault, firewall, role, then Azurite. The order is storage's own as far as
 * it can be seen: a blocked network path hides whether the role is right.
 */
export function createBlobGate(options: BlobGateOptions) {
  const { azurite, immutability, access, faults } = options

  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = parseBlobRequest(request)
    if (target === undefined) return sendStorageError(request, response, { code: "InvalidUri" })
    const identity = await authenticate(request, options.authority)
    const caller = "caller" in identity ? identity.caller : undefined
    const rule = faults.take("blob", {
      method: target.method,
      path: `/${[target.account, target.container, target.blob].filter(Boolean).join("/")}`,
      ...(caller === undefined ? {} : { job: caller.job }),
    })
    if (rule !== undefined) {
      if ((await playTransportFault(rule, response)) === "handled") return
      if (rule.effect === "status") return sendStorageError(request, response, plannedError(rule))
    }
    if (access.firewall(options.firewallTarget) !== "open") {
      return sendStorageError(request, response, { code: "AuthorizationFailure" })
    }
    if (!("caller" in identity)) return sendStorageError(request, response, identity.refusal)
    const refusal = refusalOf(target, identity.caller)
    if (refusal !== undefined) return sendStorageError(request, response, refusal)
    forward(request, response, target, identity.caller)
  }

  function refusalOf(target: BlobRequest, caller: Caller): StorageErrorAnswer | undefined {
    if (target.account !== azurite.account) return { code: "ResourceNotFound" }
    const needed = requiredRights(target)
    if (needed === undefined) return { code: "NotImplemented" }
    const isAllowed = needed.every((rights) =>
      rights.some(({ action, scope }) => access.may(caller, action, scope)),
    )
    if (!isAllowed) return { code: "AuthorizationPermissionMismatch" }
    const unplayed = unplayedFeature(target)
    return unplayed === undefined ? undefined : { code: unplayed }
  }

  function forward(
    request: IncomingMessage,
    response: ServerResponse,
    { method, container, blob, query }: BlobRequest,
    caller: Caller,
  ): void {
    const comp = query.get("comp")
    if (
      method === "PUT" &&
      container !== undefined &&
      blob !== undefined &&
      (!comp || comp === "blocklist")
    ) {
      response.once("finish", () => {
        if (response.statusCode < 200 || response.statusCode > 299) return
        options.onPut({ container, name: blob, at: new Date(), job: caller.job })
      })
    }
    // Azurite would take the method from this header, and so run another operation than the one allowed here.
    delete request.headers["x-http-method"]
    const mayOverwrite = access.may(caller, writeAction, `${container}/${blob}`)
    immutability.withRights({ mayOverwrite }, () => azurite.listener(request, response))
  }
}

function plannedError({ status = 500, code, retryAfter }: FaultRule): StorageErrorAnswer {
  return {
    status,
    code: code ?? codeByStatus[status] ?? "InternalError",
    headers: retryAfter === undefined ? {} : { "retry-after": String(retryAfter) },
  }
}
