import type { CredentialKind } from "../azureCredential.ts"
import type { TokenEvidence } from "./evidence.ts"
import { clientIdSettings, type DoctorJob } from "./job.ts"
import type { Fix, Verdict } from "./verdict.ts"

/** An identity, as far as it was seen. */
export interface IdentityEvidence {
  readonly job: DoctorJob
  readonly kind: CredentialKind
  /** As the settings name it; absent, the system-assigned identity is asked for. */
  readonly clientId?: string
  /** Name of the function app, where this runs in one. */
  readonly app?: string
  readonly token: TokenEvidence
  readonly now: Date
}

/** Tokens of the future or the past: five minutes are tolerated, as the services do. */
const clockToleranceMs = 300_000

/** Is there an identity, and is it the one that was asked for? Pure. */
export function diagnoseIdentity(evidence: IdentityEvidence): Verdict {
  const { token, clientId, now } = evidence
  const { claims, problem, says = "" } = token
  if (problem !== undefined) return failing(problems[problem], says, fixOf(evidence))
  const ahead = (claims?.issuedAt?.getTime() ?? 0) - now.getTime()
  const expired = now.getTime() - (claims?.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY)
  if (ahead > clockToleranceMs || expired > clockToleranceMs) {
    return failing("clock", "a fresh token is not valid at this machine's time", {
      what: "Set the clock of this machine, and keep it set by NTP.",
    })
  }
  if (clientId !== undefined && claims?.clientId !== undefined && !isSame(claims.clientId, clientId)) {
    const setting = clientIdSettings[evidence.job]
    if (evidence.kind === "managedIdentity") {
      return failing("other", `${setting} names ${clientId}, and the token is of ${claims.clientId}`, {
        what: `Name the identity that is assigned here in ${setting}, or assign the one it names.`,
        setting: `${setting}=${claims.clientId}`,
      })
    }
  }
  return {
    status: "ok",
    verdict: "ok",
    says: claims
      ? `application ${claims.clientId ?? "unknown"}, object ${claims.objectId ?? "unknown"}, tenant ${claims.tenantId ?? "unknown"}`
      : "a token came, whose claims nobody but the service can read",
  }
}

const problems = {
  noIdentity: "idMissing",
  unknownIdentity: "unknown",
  unreachable: "unreachable",
  refused: "refused",
} as const

function failing(verdict: string, says: string, fix: Fix): Verdict {
  return { status: "failing", verdict: `identity.${verdict}`, says, fix }
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function fixOf({ job, kind, clientId = "CLIENT_ID", app = "APP", token }: IdentityEvidence): Fix {
  const setting = clientIdSettings[job]
  const find = `az identity list --query "[?ends_with(name, '-${job}')].{name: name, clientId: clientId}" --output table`
  switch (token.problem) {
    case "noIdentity":
      return {
        what: `Name the user-assigned identity of ${job} in ${setting}: without it the system-assigned one is asked for, and there is none.`,
        setting: `${setting}=CLIENT_ID`,
        az: [
          find,
          `az functionapp config appsettings set --resource-group RESOURCE_GROUP --name ${app} --settings ${setting}=CLIENT_ID`,
        ],
      }
    case "unknownIdentity":
      return {
        what: `Assign the identity ${clientId} to this app, or correct ${setting}.`,
        az: [
          find,
          `az functionapp identity assign --resource-group RESOURCE_GROUP --name ${app} --identities "$(az identity list --query "[?clientId=='${clientId}'].id | [0]" --output tsv)"`,
        ],
      }
    default:
      return kind === "managedIdentity"
        ? {
            what: "Run this where the identity is: in the app, or on a machine that has it. As a person, choose --credential azureCli.",
            az: ["az login"],
          }
        : { what: "Log in with the Azure CLI, in the tenant of the resources.", az: ["az login"] }
  }
}
