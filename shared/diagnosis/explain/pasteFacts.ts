import type { Paste } from "./readPaste.ts"

/** What a text names: whom, what and where. Each was matched by a strict pattern, so that no secret gets in. */
export interface PasteFacts {
  readonly appId?: string
  readonly objectId?: string
  /** Of an RBAC action, such as `Microsoft.Storage/storageAccounts/blobServices/write`. */
  readonly action?: string
  /** An Azure resource id. */
  readonly scope?: string
  /** Does it speak of the management plane? */
  readonly isManagement: boolean
  readonly speaksOf: ReadonlySet<"storage" | "vault" | "serviceBus" | "eventGrid">
}

const guid = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
const appId = new RegExp(
  `(?:\\bclient|appid|application id|client[_ ]?id|clientId)["']?(?: is)?[ =:]{0,3}["']?(${guid})`,
  "i",
)
const objectId = new RegExp(
  `(?:object id|objectid|\\boid|principal ?id)["']?(?: is)?[ =:]{0,3}["']?(${guid})`,
  "i",
)
const action = /\bMicrosoft\.[A-Za-z]{2,40}(?:\/[A-Za-z]{2,50}){1,8}\/(?:read|write|delete|action)\b/
const scope =
  /\/subscriptions\/[0-9a-fA-F-]{1,36}(?:\/resource[gG]roups\/[\w.()-]{1,90}(?:\/providers\/Microsoft\.[A-Za-z]{2,40}(?:\/[A-Za-z]{2,50}\/[\w.()$-]{1,90}){1,5})?)?/

/** Collects what the text names. What stands in the whole text wins over what white space may have broken. */
export function findFacts({ text, joined }: Paste): PasteFacts {
  const find = (pattern: RegExp, group = 0) => pattern.exec(text)?.[group] ?? pattern.exec(joined)?.[group]
  const found = {
    appId: find(appId, 1)?.toLowerCase(),
    objectId: find(objectId, 1)?.toLowerCase(),
    action: find(action),
    scope: find(scope),
  }
  const speaksOf = new Set<"storage" | "vault" | "serviceBus" | "eventGrid">()
  if (
    /\.(?:blob|queue|table|dfs)\.(?:core|storage)\.|x-ms-error-code|blob ?storage|StorageError|storageAccounts/i.test(
      text,
    )
  )
    speaksOf.add("storage")
  if (/\.vault\.(?:azure|usgov)|vaults\/|key ?vault/i.test(text)) speaksOf.add("vault")
  if (/\.servicebus\.|amqp:|service ?bus/i.test(text)) speaksOf.add("serviceBus")
  if (/event ?grid/i.test(text)) speaksOf.add("eventGrid")
  return {
    ...Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)),
    isManagement:
      /management\.(?:azure|usgovcloudapi|chinacloudapi)|over scope|AuthorizationFailed\b|resource manager/i.test(
        text,
      ),
    speaksOf,
  }
}
