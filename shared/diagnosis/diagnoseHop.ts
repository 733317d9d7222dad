import { azureNamesOf } from "./azureNames.ts"
import { type Cause, type Expectation, findCause } from "./cause.ts"
import type { HopEvidence } from "./evidence.ts"
import { clientIdSettings } from "./job.ts"
import { fixCertificate, fixFirewall, fixNames, fixPort, fixPublicPath } from "./networkFixes.ts"
import { fixAccessPolicy, fixRole, missingRights } from "./roleFixes.ts"
import type { Fix, Verdict } from "./verdict.ts"

const openCauses: ReadonlySet<Cause> = new Set(["busy", "late", "unclear"])

/** One verdict on one hop: the first thing that is wrong, and the narrowest fix for it. Pure. */
export function diagnoseHop(evidence: HopEvidence, expected: Expectation): Verdict {
  const cause = findCause(evidence, expected)
  if (cause === undefined) return { status: "ok", verdict: "ok", says: saysOk(evidence) }
  if (cause === "blocked") {
    return {
      status: "notAsked",
      verdict: "notAsked",
      says: "there is no token to go on with; see the identity",
    }
  }
  const { hop } = evidence
  const fix = fixOf(cause, evidence, expected)
  return {
    status: openCauses.has(cause) ? "unknown" : "failing",
    verdict: `${hop.kind}.${cause}`,
    says: said(cause, evidence),
    ...(fix ? { fix } : {}),
  }
}

function saysOk({ calls, queueCalls }: HopEvidence): string {
  const names = [...calls, ...queueCalls].map(({ name }) => name)
  return `${names.join(", ")}: allowed`
}

function said(cause: Cause, evidence: HopEvidence): string {
  const { hop, names, connection, token, challenge } = evidence
  const { name, what } = azureNamesOf(hop.kind, hop.host)
  const addresses = (names?.addresses ?? []).join(", ")
  const problem = connection && "problem" in connection.tcp ? connection.tcp.problem : ""
  const { subject = "nobody", issuer = "nobody", code = "" } = connection?.tls ?? {}
  switch (cause) {
    case "dnsNone":
      return `the name ${hop.host} leads nowhere from here (${addresses || (names?.problem ?? "no address")})`
    case "dnsMixed":
      return `the name ${hop.host} leads to private and public addresses (${addresses}): some calls go the wrong way`
    case "dnsPublic":
      return `the name ${hop.host} leads to a public address (${addresses}), and the ${what} takes nobody there: the call comes in by the wrong door, whatever roles there are`
    case "publicPath":
      return `it works, over a public address (${addresses})`
    case "tcp":
      return `nothing answers at ${hop.host}:${hop.port} (${problem})`
    case "tlsName":
      return `the certificate shown is of "${subject}", not of ${hop.host} (${code})`
    case "tlsChain":
      return `the certificate shown for ${hop.host} comes from "${issuer}", which is not trusted here (${code})`
    case "tlsTime":
      return `the certificate shown for ${hop.host} is not valid at this machine's time (${code})`
    case "tlsHandshake":
      return `${hop.host}:${hop.port} answers, and makes no TLS session (${code})`
    case "audience":
      return `${name} takes tokens for ${challenge?.resource ?? "another audience"}, and not for ${token?.claims?.audience ?? token?.audience ?? "the one that was asked for"}`
    case "tenant":
      return `the token is of tenant ${token?.claims?.tenantId}, and ${name} belongs to ${challenge?.tenantId}`
    case "clock":
      return `this machine's clock and that of ${name} differ by ${Math.round(Math.abs(evidence.clockDifferenceMs ?? 0) / 60_000)} minutes`
    case "authentication":
      return `${name} refuses the token itself${codesOf(evidence)}`
    case "firewall":
      return `${name} is reached and refuses the way: its network rules do not admit this caller${codesOf(evidence)}. Roles were not looked at`
    case "role":
    case "accessPolicy":
      return `${name} is reached, knows the identity, and it may not: ${missingRights(evidence).join(", ")}${codesOf(evidence)}`
    case "notFound":
      return `${hop.target} does not exist${codesOf(evidence)}`
    case "sessions":
      return `a queue of ${name} demands sessions: neither Event Grid nor the worker has any (queue-sessions)`
    case "proxy":
      return `whoever answers at ${hop.host} is no vault${codesOf(evidence)}`
    case "busy":
    case "unclear":
      return `${name} gave no answer that tells anything${codesOf(evidence)}`
    case "late":
      return `${name} did not answer in time`
  }
}

/** ` (403 Forbidden ForbiddenByRbac)`: what was answered to the first refused call. */
function codesOf({ calls, queueCalls }: HopEvidence): string {
  const http = calls.find(({ answer }) => answer.error !== undefined)?.answer
  const code =
    http === undefined
      ? queueCalls.find(({ answer }) => answer.error !== undefined)?.answer.error
      : [http.status, http.code, http.innerCode].filter((part) => part !== undefined && part !== "").join(" ")
  return code === undefined || code === "" ? "" : ` (${code})`
}

function fixOf(cause: Cause, evidence: HopEvidence, expected: Expectation): Fix | undefined {
  const { hop, challenge } = evidence
  switch (cause) {
    case "dnsNone":
    case "dnsMixed":
    case "dnsPublic":
      return fixNames(evidence)
    case "publicPath":
      return fixPublicPath(evidence)
    case "tcp":
      return fixPort(evidence)
    case "tlsName":
    case "tlsChain":
    case "tlsHandshake":
    case "proxy":
      return fixCertificate(evidence)
    case "clock":
    case "tlsTime":
      return { what: "Set the clock of this machine, and keep it set by NTP." }
    case "firewall":
      return fixFirewall(evidence)
    case "role":
      return fixRole(evidence)
    case "accessPolicy":
      return fixAccessPolicy(evidence)
    case "audience":
      return fixAudience(challenge?.resource, expected)
    case "tenant":
      return {
        what: `Use an identity of tenant ${challenge?.tenantId}, to which ${hop.host} belongs; a managed identity gets tokens of its own tenant only.`,
      }
    case "authentication":
      return {
        what: `Look at the token's claims in the evidence: audience, tenant and times. Then at ${clientIdSettings[hop.job]}.`,
      }
    case "notFound":
      return fixNotFound(evidence)
    case "sessions":
      return fixSessions(evidence)
    default:
      return undefined
  }
}

function fixAudience(resource: string | undefined, { vaultAudience }: Expectation): Fix {
  if (vaultAudience === undefined) {
    return {
      what: "Check that BACKUP_VAULTS names the vault itself: it asks for tokens of a resource that does not fit its host, so none is sent to it.",
    }
  }
  return {
    what: `Set BACKUP_VAULT_AUDIENCE to what the vaults of this cloud ask for, or leave it out: it says ${vaultAudience}.`,
    ...(resource === undefined ? {} : { setting: `BACKUP_VAULT_AUDIENCE=${resource}` }),
  }
}

function fixNotFound({ hop, queueCalls }: HopEvidence): Fix {
  const { name, groupId } = azureNamesOf(hop.kind, hop.host)
  if (groupId === "namespace") {
    const queues = queueCalls
      .filter(({ answer }) => answer.error === "ERR_QUEUE_NOT_FOUND")
      .map(({ queue }) => queue)
    return {
      what: `Name the queues as they are deployed in BACKUP_QUEUE and BACKUP_QUARANTINE_QUEUE: ${name} has no ${[...new Set(queues)].join(" and no ")}.`,
      az: [
        `az servicebus queue list --resource-group RESOURCE_GROUP --namespace-name ${name} --query "[].name"`,
      ],
    }
  }
  return {
    what: `Name the container as it is deployed, in BACKUP_STORE_CONTAINER, BACKUP_STATE_CONTAINER or BACKUP_DEADLETTER_CONTAINER.`,
    az: [`az storage container-rm list --storage-account ${name} --query "[].name"`],
  }
}

function fixSessions({ hop, queueCalls }: HopEvidence): Fix {
  const { name } = azureNamesOf(hop.kind, hop.host)
  const queue = queueCalls.find(({ answer }) => answer.needsSessions === true)?.queue ?? "QUEUE"
  return {
    what: `Make a queue without sessions and let the event subscription deliver to it: sessions are fixed when a queue is made. Empty the old one first.`,
    az: [
      `az servicebus queue create --resource-group RESOURCE_GROUP --namespace-name ${name} --name ${queue}-plain --enable-session false --max-delivery-count 10 --lock-duration PT5M`,
    ],
    setting: `BACKUP_QUEUE=${queue}-plain`,
  }
}
