import type { BlobRequest } from "./blobRequest.ts"
import { copySource } from "./unplayedFeatures.ts"

const service = "Microsoft.Storage/storageAccounts/blobServices"
const containers = `${service}/containers`
const blobs = `${containers}/blobs`
const read = `${blobs}/read`
const add = `${blobs}/add/action`

/** The action that allows to replace a blob; `blobs/add/action` alone allows to create one. */
export const writeAction = `${blobs}/write`

/** An action and what it is done to. */
interface Right {
  /** An Azure action name, or `list`: see names and metadata of every blob, as a role condition can allow it. */
  readonly action: string
  /** Empty for the account, `container/` for a container, `container/blob` or `container/prefix` otherwise. */
  readonly scope: string
}

/** A request is allowed when the caller has one right of each group. */
export type RequiredRights = readonly (readonly Right[])[]

/**
 * What a request needs; undefined when the local store does not play the operation.
 *
 * Source: learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
 */
export function requiredRights(request: BlobRequest): RequiredRights | undefined {
  if (request.container === undefined) return forAccount(request)
  if (request.blob === undefined) return forContainer(request, `${request.container}/`)
  return forBlob(request, `${request.container}/${request.blob}`)
}

const only = (action: string, scope: string): RequiredRights => [[{ action, scope }]]
const anyOf = (actions: readonly string[], scope: string): RequiredRights => [
  actions.map((action) => ({ action, scope })),
]

function operationOf({ method, query }: BlobRequest): string {
  const parts = [query.get("restype"), query.get("comp")].filter((part) => part !== undefined)
  return [method === "HEAD" ? "GET" : method, ...parts].join(" ")
}

function forAccount(request: BlobRequest): RequiredRights | undefined {
  switch (operationOf(request)) {
    case "GET list":
      return only(`${containers}/read`, "")
    case "GET service properties":
    case "GET service stats":
      return only(`${service}/read`, "")
    case "PUT service properties":
      return only(`${service}/write`, "")
    case "GET account properties":
      return only(`${service}/getInfo/action`, "")
    case "GET blobs":
      return only(`${blobs}/filter/action`, "")
    default:
      return undefined
  }
}

function forContainer(request: BlobRequest, scope: string): RequiredRights | undefined {
  switch (operationOf(request)) {
    case "GET container":
    case "GET container metadata":
      return only(`${containers}/read`, scope)
    case "GET container list": {
      const listed = `${scope}${request.query.get("prefix") ?? ""}`
      return [
        [
          { action: read, scope: listed },
          { action: "list", scope },
        ],
      ]
    }
    case "GET container blobs":
      return only(`${blobs}/filter/action`, scope)
    case "GET account properties":
      return only(`${service}/getInfo/action`, "")
    case "PUT container":
    case "PUT container metadata":
    case "PUT container lease":
      return only(`${containers}/write`, scope)
    case "DELETE container":
      return only(`${containers}/delete`, scope)
    default:
      return undefined
  }
}

function forBlob(request: BlobRequest, scope: string): RequiredRights | undefined {
  switch (operationOf(request)) {
    case "GET":
    case "GET metadata":
    case "GET blocklist":
    case "GET pagelist":
      return only(read, scope)
    case "GET tags":
      return only(`${blobs}/tags/read`, scope)
    case "PUT":
      return [...anyOf([add, writeAction], scope), ...tagsOf(request, scope), ...sourceOf(request)]
    case "PUT blocklist":
      return [...only(writeAction, scope), ...tagsOf(request, scope)]
    case "PUT snapshot":
    case "PUT appendblock":
      return anyOf([add, writeAction], scope)
    case "PUT block":
    case "PUT copy":
    case "PUT lease":
    case "PUT metadata":
    case "PUT page":
    case "PUT properties":
    case "PUT seal":
    case "PUT tier":
      return only(writeAction, scope)
    case "PUT tags":
      return only(`${blobs}/tags/write`, scope)
    case "DELETE":
      return only(`${blobs}/delete`, scope)
    default:
      return undefined
  }
}

const tagsOf = (request: BlobRequest, scope: string): RequiredRights =>
  request.header("x-ms-tags") === undefined ? [] : only(`${blobs}/tags/write`, scope)

function sourceOf(request: BlobRequest): RequiredRights {
  const source = copySource(request)
  return typeof source === "object" ? only(read, source.scope) : []
}
