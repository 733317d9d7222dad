import { type Job, jobs } from "../access/job.ts"
import type { TokenAuthority } from "../access/tokenAuthority.ts"
import type { RunningArm } from "../arm/startArm.ts"
import type { RunningBlob } from "../blob/startBlob.ts"
import type { RunningFunctionsHost } from "../functionsHost/startFunctionsHost.ts"
import type { RunningIdentityEndpoint } from "../identity/startIdentityEndpoint.ts"
import type { RunningKeyVault } from "../keyVault/startKeyVault.ts"
import type { RunningServiceBus } from "../serviceBus/startServiceBus.ts"
import type { CloudFile } from "./cloudFile.ts"
import type { CloudPorts } from "./cloudIdentity.ts"
import type { RunningControlEndpoint } from "./controlEndpoint.ts"
import type { RoleScopes } from "./defaultRoles.ts"
import type { LocalKeys } from "./localKeys.ts"
import type { RunningLatencyPage } from "./startLatencyPage.ts"

/** The running parts that `.local/cloud.json` tells of. */
export interface DescribedParts {
  readonly authority: TokenAuthority
  readonly vaults: readonly RunningKeyVault[]
  readonly blob: RunningBlob
  readonly serviceBus: RunningServiceBus
  readonly host: RunningFunctionsHost
  readonly arm: RunningArm
  readonly control: RunningControlEndpoint
  readonly identity: RunningIdentityEndpoint
  readonly keys: LocalKeys
  readonly latencyPage: RunningLatencyPage
  readonly scopes: RoleScopes
  readonly caFile: string
  readonly functionKey: string
}

/** What `.local/cloud.json` says of these parts, with fresh tokens of every job. */
export async function describeCloud(parts: DescribedParts): Promise<CloudFile> {
  const { scopes, control, blob, serviceBus, identity, keys } = parts
  return {
    format: "kvbackup-local/1",
    pid: process.pid,
    caFile: parts.caFile,
    control: { url: control.url, token: control.token },
    vaults: parts.vaults.map(({ url, name }) => ({ url, name })),
    blob: {
      url: blob.url,
      container: scopes.container,
      stateContainer: scopes.stateContainer,
      deadLetterContainer: scopes.deadLetterContainer,
    },
    serviceBus: {
      fullyQualifiedNamespace: serviceBus.fullyQualifiedNamespace,
      connectionString: serviceBus.connectionString,
      queue: scopes.queue,
      quarantineQueue: scopes.quarantineQueue,
    },
    identities: await identitiesOf(parts.authority),
    identityEndpoint: { url: identity.url, header: identity.header },
    arm: { url: parts.arm.url },
    functions: { url: parts.host.url, key: parts.functionKey },
    latencyPage: { url: parts.latencyPage.url },
    recoveryKeyFile: keys.recoveryKeyFile,
    digestKeyFile: keys.digestKeyFile,
  }
}

/** The ports of a described cloud, for one that is to come back on them. */
export function portsOf(file: CloudFile, serviceBusPlain: number): CloudPorts {
  const port = (url: string) => Number(new URL(url).port)
  const [vault, secondVault] = file.vaults
  return {
    identity: port(file.identityEndpoint.url),
    blob: port(file.blob.url),
    serviceBus: port(`amqps://${file.serviceBus.fullyQualifiedNamespace}`),
    serviceBusPlain,
    ...(vault ? { vault: port(vault.url) } : {}),
    ...(secondVault ? { secondVault: port(secondVault.url) } : {}),
    functions: port(file.functions.url),
    control: port(file.control.url),
    arm: port(file.arm.url),
  }
}

async function identitiesOf(authority: TokenAuthority): Promise<CloudFile["identities"]> {
  const entry = async (job: Job) => ({
    clientId: authority.callers.get(job)?.clientId ?? "",
    tokens: {
      vault: await authority.issue(job, "vault"),
      blob: await authority.issue(job, "blob"),
      serviceBus: await authority.issue(job, "serviceBus"),
    },
  })
  const names = jobs.filter((job) => job !== "eventgrid")
  return Object.fromEntries(await Promise.all(names.map(async (job) => [job, await entry(job)] as const)))
}
