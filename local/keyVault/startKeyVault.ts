import https from "node:https"
import type { AccessControl } from "../access/accessControl.ts"
import type { TokenAuthority } from "../access/tokenAuthority.ts"
import type { FaultBook } from "../faults/faultBook.ts"
import { listen } from "../tls/listen.ts"
import type { PermissionModel } from "./admission.ts"
import { createRequestListener } from "./requestListener.ts"
import { createThrottle, type ThrottleLimit, vaultLimit } from "./throttle.ts"
import { type ChangeReason, type VaultChange, vaultChange } from "./vaultChange.ts"
import type { ObjectKind } from "./vaultObject.ts"
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
  /** Called after each new version is kept and before the request for it is answered. */
  readonly onChange?: (change: VaultChange) => void
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

const keepAliveMs = 60_000
const headersTimeoutMs = 20_000
const requestTimeoutMs = 60_000
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
    commit: (entry) => applyEntry(state, entry),
    raise: (kind, reason, objectName) => raise(kind, reason, objectName),
  }

  function raise(kind: ObjectKind, reason: ChangeReason, objectName: string): void {
    const object = collectionOf(state, kind).find(objectName) ?? state.certificates.find(objectName)
    if (!object) throw new TypeError(`No ${kind} of this name in ${name}`)
    try {
      options.onChange?.(vaultChange(vault, kind, reason, object.name, object.current))
    } catch (error) {
      log(`keyvault ${name}: a listener failed: ${error instanceof Error ? error.name : "unknown"}`)
    }
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
  const server = https.createServer(
    {
      ...options.tls,
      keepAliveTimeout: keepAliveMs,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
    },
    listener,
  )
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== "ECONNRESET") log(`keyvault ${name}: unreadable request: ${error.code ?? error.name}`)
    if (socket.writable)
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    else socket.destroy()
  })
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    log(`keyvault ${name}: no TLS with a client: ${error.code ?? error.name}`)
    socket.destroy()
  })
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
    stop,
  }
}
