import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import tls from "node:tls"
import { fileURLToPath } from "node:url"
import { type AccessControl, createAccessControl } from "../access/accessControl.ts"
import { openTokenAuthority, type TokenAuthority } from "../access/tokenAuthority.ts"
import { type RunningArm, startArm } from "../arm/startArm.ts"
import { type RunningBlob, startBlob } from "../blob/startBlob.ts"
import { createFaultBook, type FaultBook } from "../faults/faultBook.ts"
import { type RunningFunctionsHost, startFunctionsHost } from "../functionsHost/startFunctionsHost.ts"
import { startIdentityEndpoint } from "../identity/startIdentityEndpoint.ts"
import { type RunningKeyVault, startKeyVault } from "../keyVault/startKeyVault.ts"
import type { VaultChange } from "../keyVault/vaultChange.ts"
import { type RunningServiceBus, startServiceBus } from "../serviceBus/startServiceBus.ts"
import { type ActivityFeed, createActivityFeed, parseOutcomeLine } from "./activity.ts"
import { assertNoCloudHere, claimKeepDirectory } from "./claimDirectory.ts"
import { type CloudFile, removeCloudFile, writeCloudFile } from "./cloudFile.ts"
import { keepCloudIdentity, openCloudIdentity } from "./cloudIdentity.ts"
import { startControlEndpoint } from "./controlEndpoint.ts"
import { createControlRoutes } from "./controlRoutes.ts"
import { describeCloud, portsOf } from "./describeCloud.ts"
import { canarySecretName, defaultRoles } from "./defaultRoles.ts"
import { type EventGridLeg, openEventGridLeg } from "./eventGridLeg.ts"
import { openLocalKeys } from "./localKeys.ts"
import { startLatencyPage } from "./startLatencyPage.ts"
import { workerSettings } from "./workerSettings.ts"

export interface CloudOptions {
  /** `.local` is made below it. */
  readonly directory: string
  /** Folder of the app and its built bundle. Default: this project's own. */
  readonly appDirectory?: string
  /** Names of the vaults. Default: one, `local-vault`. */
  readonly vaultNames?: readonly string[]
  /** App settings that replace or join the usual ones; an empty value takes one away. */
  readonly settings?: Readonly<Record<string, string>>
  /** Keeps vault, queues, blobs, keys, tokens and ports here; a cloud started on it again goes on where it was. */
  readonly keep?: string
  /** False: timers run only when the control endpoint is asked to run them. Default true. */
  readonly runsTimers?: boolean
  readonly queueOptions?: {
    readonly lockDurationMs?: number
    readonly duplicateWindowMs?: number
    /** The local cloud plays no session but an empty one: this shows what becomes of such a queue. */
    readonly requiresSession?: boolean
  }
  /** Every line that a server or the worker prints. */
  readonly onLine?: (source: string, line: string) => void
}

/** A running local cloud: its servers, its functions host, and what happens in it. */
export interface Cloud {
  readonly file: CloudFile
  readonly authority: TokenAuthority
  readonly access: AccessControl
  readonly faults: FaultBook
  readonly vaults: readonly RunningKeyVault[]
  readonly blob: RunningBlob
  readonly serviceBus: RunningServiceBus
  readonly eventGrid: EventGridLeg
  readonly host: RunningFunctionsHost
  readonly arm: RunningArm
  readonly feed: ActivityFeed
  /** Everything that can be counted, for `GET /state`. */
  readonly state: () => Readonly<Record<string, unknown>>
  /** Stops everything, the functions host first. Safe to call again. */
  readonly stop: () => Promise<void>
}

const scopes = {
  container: "keyvault-backups",
  stateContainer: "keyvault-backup-state",
  deadLetterContainer: "eventgrid-dead-letters",
  queue: "keyvault-changes",
  quarantineQueue: "keyvault-changes-quarantine",
}

const retentionDays = 30

/**
 * Starts a whole cloud on 127.0.0.1 and the functions host on it. When something fails to start, what had started is
 * stopped again.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  assertNoCloudHere(options.directory)
  if (options.keep !== undefined) claimKeepDirectory(options.keep)
  const stops: (() => Promise<void>)[] = []
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= (async () => {
      for (const end of stops.toReversed()) await end()
    })()
    return stopping
  }
  try {
    return await start(options, stops, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  options: CloudOptions,
  stops: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Cloud> {
  const local = join(options.directory, ".local")
  const appDirectory = options.appDirectory ?? fileURLToPath(new URL("../..", import.meta.url))
  const line = options.onLine ?? (() => {})
  await mkdir(local, { recursive: true, mode: 0o700 })

  const known = await openCloudIdentity(options.keep)
  const caFile = join(local, "ca.pem")
  await writeFile(caFile, known.caPem)
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), known.caPem])
  const keys = await openLocalKeys(options.keep ?? local)
  const kept = (name: string) => (options.keep === undefined ? {} : { directory: join(options.keep, name) })
  const at = (port: number | undefined) => (port === undefined ? {} : { port })
  const { ports } = known

  const authority = openTokenAuthority(known.authority)
  const vaultNames = options.vaultNames ?? ["local-vault"]
  const canarySecret = `${vaultNames[0]}/secrets/${canarySecretName}`
  const access = createAccessControl(defaultRoles({ ...scopes, canarySecret }))
  const faults = createFaultBook()
  const feed = createActivityFeed()
  const shared = (source: string) => ({
    authority,
    access,
    faults,
    tls: known.leaf,
    log: (text: string) => line(source, text),
  })

  const identity = await startIdentityEndpoint({
    ...shared("identity"),
    ...at(ports.identity),
    header: known.identityHeader,
  })
  stops.push(identity.stop)
  const blob = await startBlob({
    ...shared("blob"),
    ...at(ports.blob),
    ...kept("blob"),
    containers: [
      { name: scopes.container, policy: { state: "locked", days: retentionDays } },
      { name: scopes.stateContainer },
      { name: scopes.deadLetterContainer },
    ],
  })
  stops.push(blob.stop)
  blob.onPut(({ container, name, at }) => feed.emit({ kind: "stored", at, container, blob: name }))
  const queueOptions = { lockDurationMs: 60_000, maxDeliveryCount: 10, ...options.queueOptions }
  const serviceBus = await startServiceBus({
    ...shared("servicebus"),
    ...at(ports.serviceBus),
    ...kept("servicebus"),
    ...(ports.serviceBusPlain === undefined ? {} : { plainPort: ports.serviceBusPlain }),
    sharedAccessKey: known.sharedAccessKey,
    queues: [
      { name: scopes.queue, ...queueOptions },
      { name: scopes.quarantineQueue, ...queueOptions },
    ],
  })
  stops.push(serviceBus.stop)
  const eventGrid = await openEventGridLeg({ ...shared("eventgrid"), serviceBus, scopes, blobUrl: blob.url })
  stops.push(eventGrid.stop)

  const onChange = (change: VaultChange) => {
    if (change.eventType.endsWith("NewVersionCreated") && change.objectType !== "Key") {
      feed.emit({ kind: "changed", at: change.changedAt, id: change.id.toLowerCase() })
    }
    eventGrid.publish(change)
  }
  const vaults: RunningKeyVault[] = []
  for (const [index, name] of vaultNames.entries()) {
    const vault = await startKeyVault({
      ...shared("keyvault"),
      ...at([ports.vault, ports.secondVault][index]),
      ...kept("keyvault"),
      name,
      onChange,
    })
    stops.push(vault.stop)
    vaults.push(vault)
  }

  const host = await startFunctionsHost({
    appDirectory,
    bundle: join(appDirectory, "dist", "functions", "index.cjs"),
    caFile,
    functionKey: known.functionKey,
    runsTimers: options.runsTimers ?? true,
    ...at(ports.functions),
    env: workerSettings({
      authority,
      identity,
      blobUrl: blob.url,
      vaultUrls: vaults.map(({ url }) => url),
      fullyQualifiedNamespace: serviceBus.fullyQualifiedNamespace,
      recipients: keys.recipients,
      digestKeyFile: keys.digestKeyFile,
      scopes,
      overrides: options.settings ?? {},
    }),
    onLog: ({ message }) => {
      line("functions", message)
      const outcome = parseOutcomeLine(message)
      if (outcome) feed.emit(outcome)
    },
  })
  stops.push(() => host.stop())
  const latencyPage = await startLatencyPage({
    functionsUrl: () => host.url,
    functionKey: known.functionKey,
  })
  stops.push(latencyPage.stop)

  const topic = authority.callers.get("eventgrid")
  const arm = await startArm({
    authority,
    tls: known.leaf,
    ...at(ports.arm),
    policyOf: (container) => blob.policy(container),
    eventSubscription: eventGrid.description,
    ...(topic
      ? { eventResources: { access, topic, requiresSession: queueOptions.requiresSession ?? false } }
      : {}),
  })
  stops.push(arm.stop)

  const parts = { authority, access, faults, vaults, blob, serviceBus, eventGrid, host, arm, feed }
  const state = () => ({
    vaults: Object.fromEntries(vaults.map((vault) => [vault.name, vault.counts()])),
    blobs: blob.counts(),
    queues: serviceBus.counts(),
    eventGrid: eventGrid.counts(),
    functions: { pid: host.pid, registered: host.functions },
    faults: faults.list(),
  })
  const control = await startControlEndpoint({
    tls: known.leaf,
    routes: createControlRoutes({ ...parts, state }),
    token: known.controlToken,
    ...at(ports.control),
  })
  stops.push(control.stop)

  const file = await describeCloud({
    ...parts,
    caFile,
    control,
    identity,
    keys,
    latencyPage,
    scopes,
    functionKey: known.functionKey,
  })
  if (options.keep !== undefined) {
    await keepCloudIdentity(options.keep, { ...known, ports: portsOf(file, serviceBus.plainPort) })
  }
  await writeCloudFile(local, file)
  stops.push(() => removeCloudFile(local))
  return { ...parts, file, state, stop }
}
