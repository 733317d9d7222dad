import type { ErrorCode } from "../errors.ts"
import type { CallAnswer, HarmlessCall, QueueCall } from "./harmlessCall.ts"

interface CallOptions {
  readonly signal?: AbortSignal
}

/** Port: sends harmless calls over HTTPS, each once. Never rejects: no answer is an answer too. */
export interface HttpCaller {
  call(
    call: HarmlessCall,
    service: "vault" | "store" | "management",
    token: string | undefined,
    options?: CallOptions,
  ): Promise<CallAnswer>
}

/** How a queue answered. `error` is absent when the call passed. */
export interface QueueAnswer {
  readonly error?: ErrorCode
  /** The queue demands sessions, which neither Event Grid nor the worker has. */
  readonly needsSessions?: boolean
}

/** Port: asks queues, takes and sends no message. Never rejects. */
export interface QueueCaller {
  call(call: QueueCall, options?: CallOptions): Promise<QueueAnswer>
  close(): Promise<void>
}

/** Why there is no token. `noIdentity`: none without a client id; `unknownIdentity`: none of this client id. */
export type TokenProblem = "noIdentity" | "unknownIdentity" | "unreachable" | "refused"

export type TokenAnswer =
  | { readonly token: string }
  | { readonly problem: TokenProblem; readonly says: string }

/** Port: gets tokens of one identity. Never rejects. */
export interface TokenGetter {
  get(audience: string, options?: CallOptions): Promise<TokenAnswer>
}
