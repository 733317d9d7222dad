import { createHmac, timingSafeEqual } from "node:crypto"
import rhea from "rhea"
import type { EventContext } from "rhea"
import type { Caller, TokenProblem } from "../access/tokenAuthority.ts"
import { parseEntityPath } from "./entityPath.ts"
import type { Peer } from "./peer.ts"
import { serveWithFaults } from "./playFault.ts"
import { readRequest } from "./requestReply.ts"
import { addressBlocked, type ServiceBusError, tokenRefused } from "./serviceErrors.ts"

/** The node tokens are sent to (Claims-Based Security). */
export const claimsNode = "$cbs"

const problemText: Readonly<Record<TokenProblem, string>> = {
  missing: "Unauthorized: no token was sent.",
  malformed: "InvalidToken: The token is malformed.",
  signature: "InvalidSignature: The token has an invalid signature.",
  audience: "Invalid authorization token audience.",
  expired: "ExpiredToken: The token is expired.",
}

/**
 * Serves one put-token request: checks the token and remembers whose it is for the path in `name`. JSON Web Tokens
 * count on both ports, tokens signed with the shared key on the plain port only, as in a namespace without local
 * authentication. A later token for the same path replaces the earlier one.
 */
export async function putToken(peer: Peer, context: EventContext): Promise<void> {
  const request = readRequest(context, claimsNode)
  if (request === undefined) return
  const path = parseEntityPath(String(request.properties["name"] ?? "")).path
  const verdict = await checkToken(peer, String(request.properties["type"]), request.body)
  const answer = (status: number, description: string, condition?: string) =>
    request.reply({
      "status-code": rhea.types.wrap_int(status),
      "status-description": description,
      ...(condition === undefined ? {} : { "error-condition": rhea.types.wrap_symbol(condition) }),
    })
  const refuse = ({ status, description, condition }: ServiceBusError) =>
    answer(status, description, condition)
  const job = "caller" in verdict ? verdict.caller.job : undefined
  const fault = peer.broker.faults.take("servicebus", {
    method: "cbs",
    path,
    ...(job === undefined ? {} : { job }),
  })
  serveWithFaults(fault, peer, {
    refuse,
    perform: () => {
      if (peer.broker.access.firewall("servicebus") !== "open") return () => refuse(addressBlocked())
      if ("problem" in verdict) return () => refuse(tokenRefused(problemText[verdict.problem]))
      peer.putToken(path, verdict.caller)
      return () => answer(202, "Accepted")
    },
  })
}

type Verdict = { readonly caller: Caller } | { readonly problem: TokenProblem }

async function checkToken(peer: Peer, type: string, body: unknown): Promise<Verdict> {
  const token = typeof body === "string" ? body : undefined
  if (type !== "servicebus.windows.net:sastoken") return peer.broker.authority.check(token, "serviceBus")
  const caller = peer.broker.authority.callers.get("user")
  if (token === undefined || !peer.isPlain || caller === undefined) return { problem: "signature" }
  const problem = sharedKeyProblem(token, peer.broker.sharedAccessKey)
  return problem === undefined ? { caller } : { problem }
}

/** A token signed with the shared key: `SharedAccessSignature sr=…&sig=…&se=…&skn=…` (service-bus-sas.md). */
function sharedKeyProblem(token: string, key: string): TokenProblem | undefined {
  const [scheme, rest] = token.split(" ", 2)
  const fields = new Map((rest ?? "").split("&").map((pair) => splitPair(pair)))
  const resource = fields.get("sr")
  const signature = fields.get("sig")
  const expiry = fields.get("se")
  if (scheme !== "SharedAccessSignature" || !resource || !signature || !expiry) return "malformed"
  const expected = createHmac("sha256", key).update(`${resource}\n${expiry}`).digest()
  const given = Buffer.from(decodeURIComponent(signature), "base64")
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "signature"
  return Number(expiry) * 1000 > Date.now() ? undefined : "expired"
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf("=")
  return [pair.slice(0, at), pair.slice(at + 1)]
}
