import { fromQueueError, fromStoreError, fromVaultError } from "../shared/azureErrors.ts"
import { catalogue, type Disposition } from "../shared/errorCatalogue.ts"
import { describeError, type ErrorCode } from "../shared/errors.ts"
import { markdownTable } from "./markdownTable.ts"

const dispositionText: Readonly<Record<Disposition, string>> = {
  retry:
    "The change is `deferred`: a scheduled copy comes back later; after `BACKUP_RETRY_MAX_AGE` it goes to quarantine. Nothing is lost.",
  poison: "The message goes to quarantine with this code. A person decides.",
  throw: "The message is abandoned until the broker dead-letters its true bytes.",
  gap: "A gap record is stored: the version exists, its value could not be had.",
  stop: "The worker does not start, or the command ends. Met while a change is handled, the change is `deferred`.",
}

const areas: readonly { readonly prefix: string; readonly title: string }[] = [
  { prefix: "ERR_CONFIG_", title: "Settings" },
  { prefix: "ERR_EVENT_", title: "Events and messages" },
  { prefix: "ERR_VAULT_", title: "Key Vault" },
  { prefix: "ERR_STORE_", title: "Blob storage" },
  { prefix: "ERR_QUEUE_", title: "Service Bus" },
  { prefix: "ERR_IDENTITY_", title: "Identity" },
  { prefix: "ERR_SEAL_", title: "Sealed records" },
  { prefix: "ERR_FORMAT_", title: "Formats" },
  { prefix: "ERR_REPLAY_", title: "Replay" },
  { prefix: "ERR_DIGEST_", title: "Digests" },
  { prefix: "ERR_RESTORE_", title: "Restore" },
  { prefix: "ERR_CANARY_", title: "Canary" },
  { prefix: "ERR_UNKNOWN", title: "Everything else" },
]

/** Answers as the services give them. The code beside each is what the product makes of it, not what we wrote down. */
const answers: readonly {
  readonly from: string
  readonly answer: string
  readonly code: ErrorCode
  readonly means: string
}[] = [
  {
    from: "Storage",
    answer: "403 `AuthorizationFailure`",
    code: fromStoreError({ statusCode: 403, code: "AuthorizationFailure" }, {}).code,
    means: "The network path: public access is off, or a firewall rule does not admit the caller.",
  },
  {
    from: "Storage",
    answer: "403 `AuthorizationPermissionMismatch`",
    code: fromStoreError({ statusCode: 403, code: "AuthorizationPermissionMismatch" }, {}).code,
    means: "The role: missing, at another scope, or assigned minutes ago.",
  },
  {
    from: "Storage",
    answer: "403 `AuthenticationFailed`",
    code: fromStoreError({ statusCode: 403, code: "AuthenticationFailed" }, {}).code,
    means: "The token: audience, tenant or clock.",
  },
  {
    from: "Key Vault",
    answer: "403, inner `ForbiddenByFirewall`",
    code: vault("ForbiddenByFirewall"),
    means: "The vault's firewall does not admit the caller's address.",
  },
  {
    from: "Key Vault",
    answer: "403, inner `ForbiddenByConnection`",
    code: vault("ForbiddenByConnection"),
    means: "Public access is off and the caller came by the public address: look at DNS.",
  },
  {
    from: "Key Vault",
    answer: "403, inner `ForbiddenByRbac` or `AccessDenied`",
    code: vault("ForbiddenByRbac"),
    means: "The role or access policy.",
  },
  {
    from: "Key Vault",
    answer: "403, inner `SecretDisabled`",
    code: vault("SecretDisabled"),
    means: "The version is disabled. No role helps.",
  },
  {
    from: "Service Bus",
    answer: "401 that says `prevented to connect`",
    code: queue("Ip has been prevented to connect to the endpoint"),
    means: "The network path.",
  },
  {
    from: "Service Bus",
    answer: "401 otherwise",
    code: queue("Unauthorized access. 'Listen' claim(s) are required"),
    means: "The role on the queue.",
  },
]

function vault(innerCode: string): ErrorCode {
  const details = { error: { code: "Forbidden", innererror: { code: innerCode } } }
  return fromVaultError({ statusCode: 403, code: "Forbidden", details }, {}).code
}

function queue(message: string): ErrorCode {
  return fromQueueError({ code: "UnauthorizedAccess", message }, {}).code
}

const introduction = `<!-- Written by \`node docs/generate.ts\` from shared/errorCatalogue.ts. Edit that, not this. -->

# Errors

Every failure has one code. Codes are stable: none is renamed or reused. Messages may change.
A log line has the code in \`code\`; a deferred or quarantined message has the last one in \`kvb-last-code\`.

Commands print three lines, \`Error:\`, \`Where:\`, \`Try:\`, and end with an exit code: 0 done, 1 unknown,
2 usage or settings, 30 something needs attention, 31 could not tell, 130 interrupted, or the code's own below.
\`status\` and \`verify\` end with 31 whenever their answer could not be completed; only wrong settings stay 2.
Treat a code you do not know as a failure.

## What each disposition does
`

const refusals = `## Refusals that look alike

The services answer 403 (Service Bus: 401) for a blocked network and for a missing role alike. The inner code tells.
`

/** The whole text of \`docs/errors.md\`. @throws Error when a code belongs to no area. */
export function renderErrorsPage(): string {
  const codes = Object.keys(catalogue) as ErrorCode[]
  const areaOf = (code: ErrorCode) => {
    const area = areas.find(({ prefix }) => code.startsWith(prefix))
    if (!area) throw new Error(`${code} belongs to no area of docs/errorsPage.ts; add one`)
    return area
  }
  const usedAreas = areas.filter((area) => codes.some((code) => areaOf(code) === area))
  const sections = usedAreas.map((area) =>
    [`## ${area.title}`, ...codes.filter((code) => areaOf(code) === area).map(renderCode)].join("\n\n"),
  )
  return [
    introduction,
    markdownTable(
      ["disposition", "what becomes of the work"],
      Object.entries(dispositionText).map(([name, text]) => [`\`${name}\``, text]),
    ),
    "",
    refusals,
    markdownTable(
      ["from", "answer", "code", "what it means"],
      answers.map(({ from, answer, code, means }) => [from, answer, `\`${code}\``, means]),
    ),
    "",
    sections.join("\n\n"),
    "",
  ].join("\n")
}

function renderCode(code: ErrorCode): string {
  const { disposition, exitCode, when, hint } = describeError(code)
  return [`### ${code}`, when, `\`${disposition}\`, exit code ${exitCode}. ${hint}`].join("\n\n")
}
