import type { Explanation } from "./explanation.ts"
import type { KnownCode } from "./knownCode.ts"
import { knownCodes } from "./knownCodes.ts"
import { knownPhrases } from "./knownPhrases.ts"
import { findFacts, type PasteFacts } from "./pasteFacts.ts"
import { type Paste, readPaste } from "./readPaste.ts"
import { decisive } from "./decisive.ts"
import { notThis, remedyOf } from "./remedies.ts"

/**
 * Says what a pasted Azure error means: which kind of refusal, of which service, whom it names, what it is not, and the
 * narrowest remedy. Any bytes will do. What it does not know is `unknown`, with what to collect; it never guesses. Nothing
 * of the text is repeated but known codes, RBAC actions, resource ids and ids of identities. Safe to repeat.
 */
export function explainError(bytes: Uint8Array): Explanation {
  const paste = readPaste(bytes)
  const facts = findFacts(paste)
  const found = judgeAction(findCodes(paste), facts)
  const [first] = found
  if (!first) return { ...unknown(facts), isCut: paste.isCut }
  const also = new Map<string, string>()
  for (const { kind, code, weight } of found.slice(1)) {
    if (kind !== first.kind && weight >= 5 && !also.has(kind)) also.set(kind, code)
  }
  return {
    kind: first.kind,
    service: first.service,
    code: first.code,
    says: first.says,
    isNot: notThis(first),
    ...named(facts, first.code),
    remedy: remedyOf(first, facts),
    also: [...also].map(([kind, code]) => ({ kind: kind as Explanation["kind"], code })),
    isCut: paste.isCut,
  }
}

const escaped = (code: string) => code.replaceAll(/[.:]/g, String.raw`\$&`)

/** Longer codes first: `AuthorizationFailed` is no `AuthorizationFailure`, and one AADSTS number begins with another. */
const anyCode = new RegExp(
  `(?<![A-Za-z0-9_])(?:${knownCodes
    .map(({ code }) => code)
    .toSorted((a, b) => b.length - a.length)
    .map(escaped)
    .join("|")})(?![A-Za-z0-9])`,
  "g",
)
const anyCodeJoined = new RegExp(
  anyCode.source.replace("(?<![A-Za-z0-9_])", "").replace("(?![A-Za-z0-9])", ""),
  "g",
)
const byCode = new Map(knownCodes.map((known) => [known.code, known]))
const byCodeJoined = new Map(knownCodes.map((known) => [known.code.replaceAll(" ", ""), known]))

/** What the text has, the one that says most first; among equals the one that stands first. */
function findCodes({ text, joined }: Paste): readonly KnownCode[] {
  const found = new Set<KnownCode>()
  for (const known of knownPhrases) if (known.pattern.test(text)) found.add(known)
  for (const [code] of text.matchAll(anyCode)) add(byCode.get(code))
  if (found.size === 0)
    for (const [code] of joined.matchAll(anyCodeJoined)) {
      // A word that stands there whole was looked at already: it is part of a longer one.
      if (!text.includes(code)) add(byCodeJoined.get(code))
    }
  return [...found].sort((a, b) => b.weight - a.weight)

  function add(known: KnownCode | undefined): void {
    if (known) found.add(known)
  }
}

const dataAction =
  /\/containers\/blobs\/|\/messages\/|\/vaults\/(?:secrets|certificates|keys)\/(?!read$|write$|delete$)|\/queues\/(?:send|receive)\/action$/i

/**
 * An action of the management plane decides whatever code a refusal has: Microsoft's table maps `blobServices/write` to Set
 * Blob Service Properties, which no data role allows and which the storage firewall does not see when it goes through
 * Resource Manager. An action that is merely named, with no refusal beside it, decides nothing.
 */
function judgeAction(found: readonly KnownCode[], { actions }: PasteFacts): readonly KnownCode[] {
  const [first] = found
  const [action] = actions
  if (!first || action === undefined || dataAction.test(action) || first.service === "vault") return found
  const isStorage = /^Microsoft\.Storage\//i.test(action)
  const isOfAction = ({ service, kind }: KnownCode) =>
    (service === "resourceManager" && kind === "managementRole") ||
    (service === "storage" && isStorage && (kind === "network" || kind === "dataRole"))
  if (!isOfAction(first)) return found
  // What the answer itself calls it, and not what the sentence around it is known by.
  const { code } = found.find((known) => isOfAction(known) && !("pattern" in known)) ?? first
  const isSpecial = first.service === "resourceManager" && first.weight > 6
  const management: KnownCode = {
    code,
    kind: "managementRole",
    service: "resourceManager",
    says: isSpecial
      ? first.says
      : `${action} is an action of the management plane: it changes how the resource is set up, and reads or writes no data. It needs a management role for the identity that called.`,
    weight: 10,
  }
  return [management, ...found.filter((known) => !isOfAction(known))]
}

function named({ appId, objectId, ...facts }: PasteFacts, code?: string): Partial<Explanation> {
  const identity = {
    ...(appId === undefined ? {} : { appId }),
    ...(objectId === undefined ? {} : { objectId }),
  }
  const { action, scope } = decisive(facts, code)
  return {
    ...(Object.keys(identity).length > 0 ? { identity } : {}),
    ...(action === undefined ? {} : { action }),
    ...(scope === undefined ? {} : { scope }),
  }
}

function unknown(facts: PasteFacts): Omit<Explanation, "isCut"> {
  return {
    kind: "unknown",
    says: "There is no code in this text that tells what refused and why.",
    isNot: [],
    ...named(facts),
    remedy: {
      says: "Collect the whole answer: its status, its error code (header x-ms-error-code, or `code` and `innererror` in the body), the host that answered, the time in UTC, and the request id (x-ms-request-id). Then run `kvbackup doctor` where the code runs: it asks each service itself.",
      command: "npx kvbackup doctor --json",
    },
    also: [],
  }
}
