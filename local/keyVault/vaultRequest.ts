import type { z } from "zod"
import type { ChangeReason } from "./vaultChange.ts"
import { badParameter } from "./vaultError.ts"
import type { ObjectKind } from "./vaultObject.ts"
import type { VaultEntry, VaultState } from "./vaultState.ts"

/** The vault as request handlers see it. */
export interface VaultContext {
  readonly name: string
  /** Without a slash at the end; every id begins with it. */
  readonly url: string
  readonly resourceId: string
  readonly state: VaultState
  /** The last operation of each certificate, by folded name. Lost on a restart, as nothing waits for one. */
  readonly operations: Map<string, Readonly<Record<string, unknown>>>
  /** Which events a new version of a certificate raises. */
  readonly certificateEvents: readonly ObjectKind[]
  /** Makes `entry` durable, then applies it. */
  commit(entry: VaultEntry): void
  /** Tells Event Grid about the current version of an object, or of the certificate that it stands behind. */
  raise(kind: ObjectKind, reason: ChangeReason, name: string): void
}

/** One request that was let in. */
export interface VaultRequest {
  readonly vault: VaultContext
  /** Empty where the route has none. */
  readonly name: string
  /** Lower case; empty where the route has none, or where the current version is meant. */
  readonly version: string
  readonly query: URLSearchParams
  readonly body: Buffer
}

export interface VaultAnswer {
  readonly status: number
  /** Sent as JSON; undefined sends no body. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true })

/**
 * The body of a request, as `schema` describes it. Text is kept to the code unit: byte order marks, NUL and
 * lone surrogates in escapes come through.
 *
 * @throws VaultError 400 BadParameter; the message names the member, never its value.
 */
export function parseBody<T>({ body }: VaultRequest, schema: z.ZodType<T>): T {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.length === 0 ? "{}" : strictUtf8.decode(body))
  } catch {
    throw badParameter("The request body is not valid JSON in UTF-8")
  }
  const result = schema.safeParse(parsed)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw badParameter(`The member '${issue?.path.join(".") || "body"}' is missing or not valid`)
}
