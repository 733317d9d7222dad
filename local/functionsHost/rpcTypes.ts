/**
 * The part of `@azure/functions-core` that the host serves and calls. The package exists inside the Functions
 * Node worker only and is on no registry, so its shapes are written down here as far as the host needs them.
 *
 * Source: https://github.com/Azure/azure-functions-nodejs-worker (types-core/index.d.ts)
 */

/** A value on its way from the host to the library, as the worker's RPC messages carry it. */
export interface RpcTypedData {
  readonly string?: string
  readonly json?: string
  readonly bytes?: Uint8Array
  readonly int?: number
  readonly double?: number
  readonly http?: RpcHttp
  readonly collectionString?: { readonly string: readonly string[] }
  readonly collectionBytes?: { readonly bytes: readonly Uint8Array[] }
  readonly collectionSint64?: { readonly sint64: readonly number[] }
}

export interface RpcNullableString {
  readonly value: string
}

/** An HTTP request to the library, or a response from it. */
export interface RpcHttp {
  readonly url?: string
  readonly method?: string
  readonly nullableHeaders?: Readonly<Record<string, RpcNullableString>>
  readonly nullableQuery?: Readonly<Record<string, RpcNullableString>>
  readonly nullableParams?: Readonly<Record<string, RpcNullableString>>
  readonly headers?: Readonly<Record<string, string>>
  readonly statusCode?: string
  readonly cookies?: readonly RpcHttpCookie[]
  readonly body?: RpcTypedData | null
}

export interface RpcHttpCookie {
  readonly name: string
  readonly value: string
  readonly domain?: { readonly value: string } | null
  readonly path?: { readonly value: string } | null
  readonly expires?: { readonly value: { readonly seconds: number } } | null
  readonly secure?: { readonly value: boolean } | null
  readonly httpOnly?: { readonly value: boolean } | null
  readonly sameSite?: "none" | "lax" | "strict" | "explicitNone" | null
  readonly maxAge?: { readonly value: number } | null
}

/** A trigger, input or output of a function; what else it has depends on its type. */
export interface RpcBinding {
  readonly type?: string
  readonly direction?: string
  readonly dataType?: string | number
  readonly [property: string]: unknown
}

export interface FunctionMetadata {
  readonly name?: string
  readonly functionId?: string
  readonly bindings: Readonly<Record<string, RpcBinding>>
  readonly retryOptions?: unknown
}

export type FunctionCallback = (...inputs: unknown[]) => unknown

export type RpcLogLevel = "trace" | "debug" | "information" | "warning" | "error" | "critical" | "none"

export type RpcLogCategory = "user" | "system" | "customMetric"

interface InvocationRequest {
  readonly invocationId: string
  readonly functionId: string
  readonly inputData: readonly { readonly name: string; readonly data: RpcTypedData }[]
  readonly triggerMetadata: Readonly<Record<string, RpcTypedData>>
  readonly traceContext: { readonly traceParent: string; readonly traceState: string }
}

export interface InvocationResponse {
  readonly returnValue?: RpcTypedData | null
}

type InvocationState = "preInvocationHooks" | "invocation" | "postInvocationHooks"

export interface CoreInvocationContext {
  readonly invocationId: string
  readonly request: InvocationRequest
  readonly metadata: FunctionMetadata
  state: InvocationState | undefined
  log(level: RpcLogLevel, category: RpcLogCategory, message: string): void
}

/** The library's own conversions around one invocation. */
export interface InvocationModel {
  getArguments(): Promise<{ readonly context: object; readonly inputs: unknown[] }>
  invokeFunction(context: object, inputs: unknown[], callback: FunctionCallback): Promise<unknown>
  getResponse(context: object, result: unknown): Promise<InvocationResponse>
}

/** What `@azure/functions` registers when it is loaded. */
export interface ProgrammingModel {
  readonly name: string
  readonly version: string
  getInvocationModel(context: CoreInvocationContext): InvocationModel
  getCapabilities?(capabilities: Record<string, string>): Promise<Record<string, string>>
}
