import { randomUUID } from "node:crypto"
import { compose } from "../../functions/compose.ts"
import { toServiceError } from "../../shared/errors.ts"
import { sendChanges } from "./deadLetters.ts"
import { eventually, partsOf, type PlannedCloud } from "./plannedCloud.ts"
import { ok, type RoleStep } from "./roleStep.ts"

/** What a step ends with when the worker is refused the messages themselves. */
export const notReceived = "not received"

/** What the worker does with messages, and how it sees that its store is immutable. */
export const backupSteps: readonly RoleStep[] = [
  {
    name: "back up a secret",
    run: async (cloud) => endOf(cloud, await cloud.journey.set(cloud.newName("secret"), "value")),
  },
  {
    name: "back up a certificate",
    run: async (cloud) => endOf(cloud, await cloud.makeCertificate(cloud.newName("certificate"))),
  },
  {
    name: "defer a change",
    run: async (cloud) => {
      const name = cloud.newName("deferred")
      const match = { method: "GET", path: `/secrets/${name}/`, job: "backup" }
      const rule = { target: "keyvault", match, effect: "status", status: 503, count: 1 }
      await cloud.journey.control("POST /faults", rule)
      const end = await endOf(cloud, await cloud.journey.set(name, "value"))
      await cloud.journey.control("DELETE /faults")
      return end
    },
  },
  {
    name: "quarantine a message",
    run: async ({ journey }) => {
      const messageId = randomUUID()
      await sendChanges(journey, [{ body: Buffer.from("no event"), messageId }])
      return eventually(() => {
        if (linesAbout(journey, messageId, "message.quarantined").length > 0) return ok
        return codeOf(linesAbout(journey, messageId, "message.copyNotSent")[0]) ?? refusalOf(journey)
      })
    },
  },
  {
    name: "see the policy of the store",
    run: async ({ env }) => {
      const production = { ...env, BACKUP_MODE: "production", BACKUP_VAULT_CHALLENGE_CHECK: "on" }
      const worker = compose(production, () => {})
      try {
        await worker.checkHealth()
        return ok
      } catch (thrown) {
        return toServiceError(thrown).code
      } finally {
        await worker.close()
      }
    },
  },
]

/** Waits until the broker has refused the worker its link: it looks at roles five times a second. */
export async function untilRefused({ journey }: PlannedCloud): Promise<void> {
  await eventually(() => refusalOf(journey))
}

/** `ok` when the version is stored in the end; else the first code, but that of the deferral which was asked for. */
async function endOf({ journey }: PlannedCloud, id: string): Promise<string> {
  const { version } = partsOf(id)
  return eventually(() => {
    for (const said of linesAbout(journey, version, "backup.outcome")) {
      if (/"outcome":"(?:stored|alreadyStored)"/.test(said)) return ok
      const code = codeOf(said)
      if (code !== "ERR_VAULT_UNAVAILABLE") return code
      const messageId = /"messageId":"([^"]+)"/.exec(said)?.[1] ?? ""
      const notSent = codeOf(linesAbout(journey, messageId, "message.copyNotSent")[0])
      if (notSent !== undefined) return notSent
    }
    return refusalOf(journey)
  })
}

function linesAbout({ lines }: PlannedCloud["journey"], word: string, event: string): readonly string[] {
  return lines.filter((line) => line.includes(`"event":"${event}"`) && line.includes(word))
}

function codeOf(line: string | undefined): string | undefined {
  return /"code":"(\w+)"/.exec(line ?? "")?.[1]
}

/** The worker's own host says that it may not receive, and it may not. */
function refusalOf({ cloud, lines }: PlannedCloud["journey"]): string | undefined {
  const { queue } = cloud.file.serviceBus
  const grants = cloud.access.roles()["backup"] ?? []
  if (grants.some((grant) => grant.endsWith(`receive/action on ${queue}`))) return undefined
  return lines.some((line) => /Message processing error .*Unauthorized/.test(line)) ? notReceived : undefined
}
