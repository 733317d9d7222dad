import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { auditSteps } from "../support/auditSteps.ts"
import { backupSteps, notReceived, untilRefused } from "../support/backupSteps.ts"
import { restoreSteps, verifySteps } from "../support/peopleSteps.ts"
import { type PlannedCloud, type PlannedJob, startPlannedCloud } from "../support/plannedCloud.ts"
import { reconcileSteps } from "../support/reconcileSteps.ts"
import { replaySteps } from "../support/replaySteps.ts"
import { ok, type RoleStep } from "../support/roleStep.ts"
import { canarySteps, topicSteps } from "../support/topicSteps.ts"

/** What breaks without one right: step to code. */
type Broken = Readonly<Record<string, string>>

interface JobTable {
  readonly steps: readonly RoleStep[]
  /** By the right that is taken away, without what every name of its kind begins with. */
  readonly without: Readonly<Record<string, Broken>>
  /** Rights that no step asks for, and why the job has them. */
  readonly unasked?: Readonly<Record<string, string>>
}

const vault = "ERR_VAULT_FORBIDDEN"
const store = "ERR_STORE_FORBIDDEN"
const queue = "ERR_QUEUE_FORBIDDEN"

const namesOf = (steps: readonly RoleStep[]) => steps.map(({ name }) => name)
const all = (steps: readonly RoleStep[], code: string): Broken =>
  Object.fromEntries(namesOf(steps).map((name) => [name, code]))

const tables: Readonly<Record<PlannedJob, JobTable>> = {
  verify: {
    steps: verifySteps,
    without: {
      "secrets/readMetadata/action": all(verifySteps, vault),
      "certificates/read": all(verifySteps, vault),
      "secrets/getSecret/action": { "open a secret's record": vault, "open a certificate's record": vault },
      "keys/unwrap/action": { "open a secret's record": vault, "open a certificate's record": vault },
      "blobs/read on keyvault-backups/": all(verifySteps, store),
    },
  },
  restore: {
    steps: restoreSteps,
    without: {
      "secrets/getSecret/action": {
        "put a secret back": vault,
        "put a certificate back": vault,
        "find a disabled name taken": vault,
      },
      "secrets/readMetadata/action": { "find a disabled name taken": vault },
      "secrets/setSecret/action": { "put a secret back": vault },
      "certificates/read": { "put a certificate back": vault, "find a disabled name taken": vault },
      "certificates/import/action": { "put a certificate back": vault },
      "keys/unwrap/action": all(restoreSteps, vault),
      "blobs/read on keyvault-backups/": all(restoreSteps, store),
    },
  },
  canary: {
    steps: canarySteps,
    without: {
      "secrets/setSecret/action on kv-new-payments/secrets/kvbackup-canary": { "send a canary": vault },
      "list on keyvault-backups/": { "send a canary": store },
    },
  },
  reconcile: {
    steps: reconcileSteps,
    without: {
      "secrets/readMetadata/action": all(reconcileSteps, vault),
      "certificates/read": all(reconcileSteps, vault),
      "list on keyvault-backups/": all(reconcileSteps, store),
      "blobs/read on keyvault-backups/reconcile/": { "go on with a run": store },
      "blobs/add/action on keyvault-backups/reconcile/": all(reconcileSteps, store),
      "messages/send/action on keyvault-changes": { "send a gap": queue },
    },
    unasked: {
      "blobs/add/action on keyvault-backups/gaps/": "a version that cannot be read leaves a gap record",
    },
  },
  audit: {
    steps: auditSteps,
    without: {
      "list on keyvault-backups/": all(auditSteps, store),
      "messages/receive/action on keyvault-changes": {
        audit: queue,
        "tell the status": queue,
        "watch the backlog": queue,
      },
      "messages/receive/action on keyvault-changes-quarantine": {
        audit: queue,
        "tell the status": queue,
        "watch the backlog": queue,
      },
      "blobs/read on keyvault-backups/digest/": { "write a digest": store, "prove the digests": store },
      "blobs/add/action on keyvault-backups/digest/": { "write a digest": store },
      "keys/read": { "write a digest": vault, "prove the digests": vault },
      "keys/sign/action": { "write a digest": vault },
    },
    unasked: {
      "blobs/read on keyvault-backups/reconcile/": "whoever audits may read what the runs have written",
      "blobs/read on keyvault-backups/journal/": "whoever audits may read what the runs have written",
      "blobs/read on keyvault-backups/drill/": "whoever audits may read what the runs have written",
    },
  },
  replay: {
    steps: replaySteps,
    without: {
      // The history lies where this identity may read, and what may be read may be listed.
      "list on keyvault-backups/": { "replay every source": store },
      "blobs/read on keyvault-backups/journal/": { "replay every source": store },
      "blobs/add/action on keyvault-backups/journal/": { "replay every source": store },
      "messages/receive/action on keyvault-changes": { "replay every source": queue },
      "messages/receive/action on keyvault-changes-quarantine": { "replay every source": queue },
      "messages/send/action on keyvault-changes": { "replay every source": queue },
      "messages/send/action on keyvault-changes-quarantine": { "replay every source": queue },
      "blobs/read on eventgrid-dead-letters/": { "replay every source": store },
      "blobs/read on keyvault-backup-state/replay.lease": { "find another run at work": store },
      "blobs/write on keyvault-backup-state/replay.lease": {
        "replay every source": store,
        "find another run at work": store,
      },
    },
  },
  eventgrid: {
    steps: topicSteps,
    without: { "messages/send/action on keyvault-changes": { "deliver an event": "Forbidden" } },
    unasked: Object.fromEntries(
      ["read", "write", "delete", "add/action", "move/action"].map((word) => [
        `blobs/${word} on eventgrid-dead-letters/`,
        "the role that Event Grid's documentation names; a narrower one is not known to work",
      ]),
    ),
  },
  backup: {
    steps: backupSteps,
    without: {
      "secrets/getSecret/action": {
        "back up a secret": vault,
        "back up a certificate": vault,
        "defer a change": vault,
      },
      "certificates/read": { "back up a certificate": vault },
      "blobs/add/action on keyvault-backups/v1/": {
        "back up a secret": store,
        "back up a certificate": store,
        "defer a change": store,
      },
      "containers/read on keyvault-backups/": { "see the policy of the store": store },
      "messages/send/action on keyvault-changes": { "defer a change": queue },
      "messages/send/action on keyvault-changes-quarantine": { "quarantine a message": queue },
      "messages/receive/action on keyvault-changes": {
        "back up a secret": notReceived,
        "back up a certificate": notReceived,
        "defer a change": notReceived,
        "quarantine a message": notReceived,
      },
    },
    unasked: {
      "blobs/add/action on keyvault-backups/gaps/": "a version that cannot be read leaves a gap record",
      "blobs/add/action on keyvault-backups/probe/": "doctor --live puts a probe as this identity",
    },
  },
}

const jobs = Object.keys(tables) as PlannedJob[]
let cloud: PlannedCloud

/** `Microsoft.KeyVault/vaults/secrets/getSecret/action` as `secrets/getSecret/action`. */
const short = (grant: string) =>
  grant.replace(/^Microsoft\.[^ ]*?\/(?=(?:secrets|certificates|keys|messages|blobs)\/|containers\/read)/, "")

/** How each step ends, each prepared with all rights and run with these. */
async function endsOf(
  job: PlannedJob,
  steps: readonly RoleStep[],
  grants: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const ends: Record<string, string> = {}
  for (const { name, prepare, run, cleanUp } of steps) {
    await cloud.give(job, cloud.roles[job])
    await prepare?.(cloud)
    await cloud.give(job, grants)
    ends[name] = await run(cloud)
    await cloud.give(job, cloud.roles[job])
    await cleanUp?.(cloud)
  }
  return ends
}

beforeAll(async () => {
  cloud = await startPlannedCloud()
})
afterEach(async () => {
  await cloud.journey.control("DELETE /faults")
  await cloud.journey.control("PUT /roles", cloud.roles)
})
afterAll(() => cloud.stop())

describe.each(jobs)("the rights of %s", (job) => {
  const { steps, without, unasked = {} } = tables[job]
  const usual = all(steps, ok)

  it("are all in the table, and no others", () => {
    expect(cloud.roles[job].map(short).toSorted()).toEqual(
      [...Object.keys(without), ...Object.keys(unasked)].toSorted(),
    )
  })

  it("suffice for everything it does", async () => {
    expect(await endsOf(job, steps, cloud.roles[job])).toEqual(usual)
  })

  it.each(Object.entries(without))("are too few without %s", async (right, broken) => {
    const grants = cloud.roles[job].filter((grant) => short(grant) !== right)
    if (Object.values(broken).includes(notReceived)) {
      await cloud.give(job, grants)
      await untilRefused(cloud)
    }
    expect(await endsOf(job, steps, grants)).toEqual({ ...usual, ...broken })
  })

  if (Object.keys(unasked).length === 0) return
  it("suffice without those that nothing asks for", async () => {
    const grants = cloud.roles[job].filter((grant) => !(short(grant) in unasked))
    expect(await endsOf(job, steps, grants)).toEqual(usual)
  })
})
