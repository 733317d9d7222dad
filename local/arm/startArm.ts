import type { IncomingMessage, ServerResponse } from "node:http"
import https from "node:https"
import type { TokenAuthority } from "../access/tokenAuthority.ts"
import type { ContainerPolicy } from "../blob/containerPolicy.ts"
import { listen } from "../tls/listen.ts"
import { eventResource, type EventResourceAnswers, type EventResources } from "./eventResources.ts"

/** What the management plane is made to say; what is absent follows from the cloud itself. */
export interface ArmAnswers extends EventResourceAnswers {
  /** Of every container: replaces what its policy says. */
  readonly immutability?: { readonly state: "Locked" | "Unlocked"; readonly days: number } | "absent"
  /** The `properties` of every event subscription. */
  readonly eventSubscription?: Readonly<Record<string, unknown>> | "absent"
  /** Every call is answered with this error. */
  readonly error?: { readonly status: number; readonly code: string; readonly message?: string }
}

export interface ArmOptions {
  readonly authority: TokenAuthority
  readonly tls: { readonly cert: string; readonly key: string }
  readonly port?: number
  /** The policy of a container, by name. */
  readonly policyOf: (container: string) => ContainerPolicy
  /** The `properties` of the local event subscription. */
  readonly eventSubscription: Readonly<Record<string, unknown>>
  /** What else is on the way of an event; absent, it is not told. */
  readonly eventResources?: EventResources
}

export interface RunningArm {
  readonly url: string
  readonly port: number
  setAnswers(answers: ArmAnswers): void
  stop(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

/**
 * Starts the part of the management plane that tells what the data plane does not: whether a container's policy is
 * locked and for how many days, and how the event subscription and what is on the way of an event are set. Reads only.
 *
 * Source: https://learn.microsoft.com/rest/api/storagerp/blob-containers/get-immutability-policy
 */
export async function startArm(options: ArmOptions): Promise<RunningArm> {
  let answers: ArmAnswers = {}
  const server = https.createServer(options.tls, (request, response) => {
    void answer(request, options, answers).then(({ status, body }) => send(response, status, body))
  })
  const { port, stop } = await listen(server, options.port)
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    setAnswers: (next) => {
      answers = next
    },
    stop,
  }
}

async function answer(request: IncomingMessage, options: ArmOptions, answers: ArmAnswers): Promise<Answer> {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1]
  if ("problem" in (await options.authority.check(token, "arm"))) {
    return failure(
      401,
      "AuthenticationFailed",
      "Authentication failed. The 'Authorization' header is missing or invalid.",
    )
  }
  if (answers.error) return failure(answers.error.status, answers.error.code, answers.error.message ?? "")
  const url = new URL(request.url ?? "/", "https://management")
  if (!url.searchParams.has("api-version")) {
    return failure(
      400,
      "MissingApiVersionParameter",
      "The api-version query parameter (?api-version=) is required.",
    )
  }
  const container = /\/containers\/([^/]+)\/immutabilityPolicies\/default$/i.exec(url.pathname)?.[1]
  if (request.method === "GET" && container !== undefined)
    return immutability(url.pathname, container, options, answers)
  if (request.method === "GET" && /\/eventSubscriptions\/[^/]+$/i.test(url.pathname)) {
    const properties = answers.eventSubscription ?? options.eventSubscription
    return properties === "absent" ? notFound() : { status: 200, body: { id: url.pathname, properties } }
  }
  const resource =
    request.method === "GET" && options.eventResources
      ? eventResource(url.pathname, options.eventResources, answers)
      : undefined
  return resource ? { status: 200, body: resource } : notFound()
}

function immutability(id: string, container: string, { policyOf }: ArmOptions, answers: ArmAnswers): Answer {
  const policy = policyOf(decodeURIComponent(container))
  const actual =
    policy.state === "none"
      ? "absent"
      : ({ state: policy.state === "locked" ? "Locked" : "Unlocked", days: policy.days ?? 0 } as const)
  const told = answers.immutability ?? actual
  if (told === "absent") return notFound()
  const properties = { immutabilityPeriodSinceCreationInDays: told.days, state: told.state }
  return { status: 200, body: { id, name: "default", etag: '"local"', properties } }
}

function notFound(): Answer {
  return failure(404, "ResourceNotFound", "The resource was not found.")
}

function failure(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message } } }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" })
  response.end(JSON.stringify(body))
}
