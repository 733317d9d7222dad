import https from "node:https"
import { join } from "node:path"
import type { AccessControl } from "../access/accessControl.ts"
import type { TokenAuthority } from "../access/tokenAuthority.ts"
import type { FaultBook } from "../faults/faultBook.ts"
import { listen } from "../tls/listen.ts"
import type { PermissionModel } from "./admission.ts"
import { answerUnreadable } from "./answerUnreadable.ts"
import { createRequestListener } from "./requestListener.ts"
import { createThrottle, type ThrottleLimit, vaultLimit } from "./throttle.ts"
import { type ChangeReason, type VaultChange, vaultChange } from "./vaultChange.ts"
import type { ObjectKind } from "./vaultObject.ts"
import { openVaultLog } from "./vaultLog.ts"
import type { VaultContext } from "./vaultRequest.ts"
import { applyEntry, collectionOf, createVaultState } from "./vaultState.ts"

export interface KeyVaultOptions {
  readonly authority: TokenAuthority
  readonly access: AccessControl
  readonly faults: FaultBook
  /** PEM. */
  readonly tls: { readonly cert: string; readonly key: string }
  /** The name of the vault, for events, roles and messages. */
  readonly name: string
  /** The ARM id of the vault; absent, one in a made-up subscription. */
  readonly resourceId?: string
  readonly port?: number
  /** Absent, the limit of the service; false, none. */
  readonly throttle?: ThrottleLimit | false
  /** Who decides about access, which shows in the wording of refusals only. Absent, `rbac`. */
  readonly permissionModel?: PermissionModel
  /**
   * Which events a new version of a certificate raises, in this order. Absent, all three: the service's
   * documentation leaves open whether the secret and the key behind a certificate raise theirs.
   */
  readonly certificateEvents?: readonly ObjectKind[]
  /**
   * Where the vault is kept, in a file named after it that holds secret values and is readable by the owner
   * only. A vault opened on it again has everything that was ever answered. Absent, nothing is written.
   */
  readonly directory?: string
  /**
   * Called after each new version is kept and before the request for it is answered, which does not wait for a
   * promise. What it throws is logged and harms nothing.
   */
  readonly onChange?: (change: VaultChange) => void | Promise<void>
  readonly log?: (line: string) => void
}

export interface RunningKeyVault {
  /** Without a slash at the end. */
  readonly url: string
  readonly name: string
  readonly resourceId: string
  readonly port: number
  /** Versions of objects that are not deleted. */
  counts(): { readonly secrets: number; readonly certificates: number; readonly keys: number }
  /**
   * Raises the event that the service raises around the expiry of the current version. Says nothing about
   * whether the version does expire.
   *
   * @throws TypeError when there is no such object.
   */
  raiseExpiry(kind: ObjectKind, name: string, reason: "NearExpiry" | "Expired"): void
  /** Closes every connection. Safe to call again. */
  stop(): Promise<void>
}

/** Milliseconds. A client that is slower is cut off, looked for every `connectionsCheckingInterval`. */
const timeouts = {
  keepAliveTimeout: 60_000,
  headersTimeout: 20_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5000,
}
const subscription = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local"

/**
 * Starts the data plane of one Key Vault on 127.0.0.1, over TLS. Every id begins with the URL returned, under
 * whatever host name it was asked.
 *
 * A fault of effect `status` and status 200 answers a secret without its value; any other status answers the
 * service's error body with the fault's codes.
 */
export async function startKeyVault(options: KeyVaultOptions): Promise<RunningKeyVault> {
  const { name, authority, access, faults, log = () => {} } = options
  const resourceId = options.resourceId ?? `${subscription}/providers/Microsoft.KeyVault/vaults/${name}`
  const state = createVaultState()
  const kept =
    options.directory === undefined ? undefined : openVaultLog(join(options.directory, `${name}.jsonl`))
  for (const entry of kept?.entries ?? []) applyEntry(state, entry)
  const limit = options.throttle ?? vaultLimit
  let url = ""
  const vault: VaultContext = {
    name,
    get url() {
      return url
    },
    resourceId,
    state,
    operations: new Map(),
    certificateEvents: options.certificateEvents ?? ["certificate", "secret", "key"],
    commit: (entry) => {
      kept?.append(entry)
      applyEntry(state, entry)
    },
    raise: (kind, reason, objectName) => raise(kind, reason, objectName),
  }

  function raise(kind: ObjectKind, reason: ChangeReason, objectName: string): void {
    const object = collectionOf(state, kind).find(objectName) ?? state.certificates.find(objectName)
    if (!object) throw new TypeError(`No ${kind} of this name in ${name}`)
    const change = vaultChange(vault, kind, reason, object.name, object.current)
    const tell = async () => options.onChange?.(change)
    tell().catch((error: unknown) => {
      log(`keyvault ${name}: a listener failed: ${error instanceof Error ? error.name : typeof error}`)
    })
  }

  const listener = createRequestListener({
    vault,
    authority,
    access,
    faults,
    log,
    permissionModel: options.permissionModel ?? "rbac",
    throttle: limit === false ? undefined : createThrottle(limit),
  })
  const server = https.createServer({ ...options.tls, ...timeouts }, listener)
  answerUnreadable(server, (what) => log(`keyvault ${name}: ${what}`))
  const { port, stop } = await listen(server, options.port)
  url = `https://127.0.0.1:${port}`
  return {
    url,
    name,
    resourceId,
    port,
    counts: () => ({
      secrets: state.secrets.countVersions(),
      certificates: state.certificates.countVersions(),
      keys: state.keys.countVersions(),
    }),
    raiseExpiry: (kind, objectName, reason) => raise(kind, reason, objectName),
    stop: async () => {
      await stop()
      kept?.close()
    },
  }
}
