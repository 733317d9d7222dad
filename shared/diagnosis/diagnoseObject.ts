import { collectionOf, formatVersionUrl, type ObjectVersion } from "../change/objectVersion.ts"
import type { CallAnswer, HarmlessCall } from "./harmlessCall.ts"
import { failingVerdict, okVerdict, type Verdict } from "./verdict.ts"

/** Reads one version as the worker does; what it holds is dropped. */
export function objectCall(object: ObjectVersion): HarmlessCall {
  return {
    name: `get this ${object.kind} version`,
    right:
      object.kind === "secret"
        ? "Microsoft.KeyVault/vaults/secrets/getSecret/action"
        : "Microsoft.KeyVault/vaults/certificates/read",
    method: "GET",
    url: `${formatVersionUrl(object)}?api-version=7.5`,
    passes: ["200"],
  }
}

/** Can exactly this version be read? A role is not the cause where the vault itself is asked without trouble. Pure. */
export function diagnoseObject(object: ObjectVersion, answer: CallAnswer | undefined): Verdict {
  const url = formatVersionUrl(object)
  const [vault = ""] = object.host.split(".")
  const noun = object.kind === "secret" ? "secret" : "certificate"
  if (answer === undefined) {
    return { status: "notAsked", verdict: "notAsked", says: "the vault comes first" }
  }
  switch (answer.error) {
    case undefined:
      return okVerdict("can be read")
    case "ERR_VAULT_VERSION_DISABLED":
      return failingVerdict(
        "object.disabled",
        "this version is disabled: nobody can read it, whatever roles there are",
        {
          what: "Enable the version, and run reconcile: it is recorded as a gap until then.",
          az: [`az keyvault ${noun} set-attributes --id ${url} --enabled true`],
        },
      )
    case "ERR_VAULT_VERSION_ABSENT":
      return failingVerdict("object.gone", "the vault has no such version", {
        what: "Recover the object while soft delete keeps it.",
        az: [
          `az keyvault ${noun} list-deleted --vault-name ${vault} --query "[?contains(id, '/${collectionOf(object.kind)}/${object.name}')]"`,
          `az keyvault ${noun} recover --vault-name ${vault} --name ${object.name}`,
        ],
      })
    default:
      return {
        status: "unknown",
        verdict: "object.unclear",
        says: `the vault answered ${[answer.status, answer.code, answer.innerCode].filter(Boolean).join(" ")}`,
      }
  }
}
