import { eventually, type PlannedCloud } from "./plannedCloud.ts"
import { endOfTimer, ok, type RoleStep } from "./roleStep.ts"

/** The proof that backups work. */
export const canarySteps: readonly RoleStep[] = [
  { name: "send a canary", run: (cloud) => endOfTimer(cloud, "sendCanary", "canary.failed") },
]

/** What Event Grid does as the identity of the system topic. */
export const topicSteps: readonly RoleStep[] = [
  {
    name: "deliver an event",
    run: deliver,
    // A link that was refused is opened anew by the next event, which may be lost to it.
    cleanUp: async (cloud) => {
      await eventually(async () => ((await deliver(cloud)) === ok ? true : undefined))
    },
  },
]

/** `ok`, or what the dead letter says of the last attempt. */
async function deliver(cloud: PlannedCloud): Promise<string> {
  const { journey } = cloud
  const before = new Set(deadLettersIn(cloud))
  await journey.control("PUT /clock", { target: "eventgrid", speed: 100_000 })
  const id = await journey.set(cloud.newName("delivered"), "value")
  const end = await eventually(async () => {
    if (journey.outcomes(id).some(({ outcome }) => outcome === "stored")) return ok
    const letter = deadLettersIn(cloud).find((name) => !before.has(name))
    return letter === undefined ? undefined : outcomeIn(cloud, letter)
  })
  await journey.control("PUT /clock", { target: "eventgrid", speed: 1 })
  return end
}

function deadLettersIn({ journey: { cloud } }: PlannedCloud): readonly string[] {
  return cloud.blob.backdoor.names(cloud.file.blob.deadLetterContainer, "")
}

async function outcomeIn({ journey: { cloud } }: PlannedCloud, name: string): Promise<string> {
  const blob = await cloud.blob.backdoor.read({ container: cloud.file.blob.deadLetterContainer, name })
  const [entry] = JSON.parse(String(blob?.body)) as { readonly lastDeliveryOutcome: string }[]
  return entry?.lastDeliveryOutcome ?? "no entry"
}
