import type { ErrorCode } from "../errors.ts"

/**
 * A request that needs exactly one right, and changes nothing whatever is answered. Where the right is there, the
 * service gets far enough to say that the request makes no sense.
 */
export interface HarmlessCall {
  /** What it asks, to follow "may": `get a secret version`. */
  readonly name: string
  /** The Azure action it needs. */
  readonly right: string
  readonly method: "GET" | "PUT" | "POST"
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** What below the service it is about, such as `secrets/canary`, where a role can be given for that alone. */
  readonly object?: string
  /** Answers that only a caller with the right gets, as `status` or `status code`. */
  readonly passes: readonly string[]
}

/** What a call was answered. */
export interface CallAnswer {
  /** Absent: there was no answer; `code` then tells why. */
  readonly status?: number
  readonly code: string
  readonly innerCode: string
  /** Our code of the refusal; absent when the call passed. */
  readonly error?: ErrorCode
  /** The `Date` header. */
  readonly serverTime?: Date
  /** The resource and the tenant that a challenge names. */
  readonly challenge?: { readonly resource?: string; readonly tenantId?: string }
  /** Headers that begin with `x-ms-has-` or `x-ms-immutable-`, lower case. */
  readonly flags: Readonly<Record<string, string>>
  /** Body of an answer that a management plane gave; never of a vault's. */
  readonly json?: unknown
}

/** Does the answer prove the right? */
export function passes({ passes }: HarmlessCall, status: number, code: string): boolean {
  return passes.includes(String(status)) || passes.includes(`${status} ${code}`)
}

/** What is asked of one queue. `sessions` asks for a session that does not exist, and passes where there are none. */
export interface QueueCall {
  readonly name: string
  readonly right: string
  readonly queue: string
  readonly ask: "send" | "peek" | "peekDeadLetters" | "sessions"
}
