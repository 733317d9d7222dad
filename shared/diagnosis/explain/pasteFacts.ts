import type { Paste } from "./readPaste.ts"

/** What a text names: whom, what and where. Each was matched by a strict pattern, so that no secret gets in. */
export interface PasteFacts {
  readonly appId?: string
  readonly objectId?: string
  /** RBAC actions, such as `Microsoft.Storage/storageAccounts/blobServices/write`, in their order. */
  readonly actions: readonly string[]
  /** Azure resource ids, in their order. */
  readonly scopes: readonly string[]
  /** What an access policy lacks. */
  readonly permission?: { readonly on: "secret" | "certificate" | "key"; readonly name: string }
  /** Names of private DNS zones of the cloud that the text speaks of. */
  readonly zones: PrivateZones
}

/** Private DNS zones of one cloud: https://learn.microsoft.com/azure/private-link/private-endpoint-dns */
export interface PrivateZones {
  readonly storage: string
  readonly vault: string
  readonly serviceBus: string
}

const zonesOf = (vault: string, core: string, bus: string): PrivateZones => ({
  storage: `privatelink.blob.${core}`,
  vault: `privatelink.vaultcore.${vault}`,
  serviceBus: `privatelink.servicebus.${bus}`,
})
const publicZones = zonesOf("azure.net", "core.windows.net", "windows.net")
const governmentZones = zonesOf("usgovcloudapi.net", "core.usgovcloudapi.net", "usgovcloudapi.net")
const chinaZones = zonesOf("azure.cn", "core.chinacloudapi.cn", "chinacloudapi.cn")

const guid = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
const appId = new RegExp(
  `(?:\\bclient|appid|application id|client[_ ]?id)["']?(?: is)?[ =:]{0,3}["']?(${guid})`,
  "i",
)
const objectId = new RegExp(
  `(?:object id|objectid|\\boid|principal ?id)["']?(?: is)?[ =:]{0,3}["']?(${guid})`,
  "i",
)
const action = /\bMicrosoft\.[a-z]{2,40}(?:\/[a-z]{2,50}){1,8}\/(?:read|write|delete|action)\b/gi
// Services write ids in any case.
const scope =
  /\/subscriptions\/[0-9a-f-]{1,36}(?:\/resourcegroups\/[\w.()-]{1,90}(?:\/providers\/microsoft\.[a-z]{2,40}(?:\/[a-z]{2,50}\/[\w.()$-]{1,90}){1,5})?)?/gi
const permission =
  /does not have (secret|certificate|key)s? (get|list|set|delete|backup|restore|recover|purge|import|create|update|sign|verify|encrypt|decrypt|wrapkey|unwrapkey|getissuers|listissuers|managecontacts) permission/i

/** So many of a kind are looked at. */
const most = 20

/** Collects what the text names. What stands in the whole text wins over what white space may have broken. */
export function findFacts({ text, joined }: Paste): PasteFacts {
  const one = (pattern: RegExp) => (pattern.exec(text) ?? pattern.exec(joined))?.[1]?.toLowerCase()
  const all = (pattern: RegExp) => {
    const found = take(text.matchAll(pattern))
    return found.length > 0 ? found : take(joined.matchAll(pattern))
  }
  const app = one(appId)
  const object = one(objectId)
  const lacking = permission.exec(text)
  return {
    ...(app === undefined ? {} : { appId: app }),
    ...(object === undefined ? {} : { objectId: object }),
    actions: all(action),
    scopes: all(scope),
    ...(lacking
      ? {
          permission: {
            on: (lacking[1] ?? "").toLowerCase() as "secret" | "certificate" | "key",
            name: lacking[2] ?? "",
          },
        }
      : {}),
    zones: /\.azure\.cn\b|chinacloudapi\.cn/i.test(text)
      ? chinaZones
      : /usgovcloudapi\.net|\.azure\.us\b/i.test(text)
        ? governmentZones
        : publicZones,
  }
}

function take(matches: Iterable<RegExpMatchArray>): string[] {
  const found: string[] = []
  for (const [match] of matches) {
    found.push(match)
    if (found.length === most) break
  }
  return found
}
