import { eventually, partsOf, type PlannedCloud } from "./plannedCloud.ts"
import { endOfCommand, type RoleStep } from "./roleStep.ts"

/** What people verify and restore: backed up once. */
const names = { secret: "kept-secret", certificate: "kept-certificate", disabled: "kept-disabled" } as const

/** Backs up what the steps below need; safe to repeat. */
async function prepareObjects({ journey, makeCertificate }: PlannedCloud): Promise<void> {
  if (journey.outcomes().some(({ id }) => id?.includes(`/${names.disabled}/`))) return
  const ids = [
    await journey.set(names.secret, "value"),
    await makeCertificate(names.certificate),
    await journey.set(names.disabled, "value"),
  ]
  for (const id of ids) {
    await eventually(() =>
      journey.outcomes(id).find(({ outcome }) => /^(stored|alreadyStored)$/.test(outcome)),
    )
  }
  const { name, version } = partsOf(ids.at(-1) ?? "")
  await journey.secrets.updateSecretProperties(name, version, { enabled: false })
}

const urlOf = ({ vault }: PlannedCloud, kind: "secret" | "certificate") => `${vault}/${kind}s/${names[kind]}`

const verify = (name: string, kind: "secret" | "certificate", ...argv: readonly string[]): RoleStep => ({
  name,
  prepare: prepareObjects,
  run: async (cloud) => {
    const keys = argv.includes("--deep") ? ["--unwrap-key", cloud.recoveryKey] : []
    return endOfCommand(await cloud.cli("verify", "--object", urlOf(cloud, kind), ...argv, ...keys))
  },
})

/** Comparing the store with the vault, by name and by content. */
export const verifySteps: readonly RoleStep[] = [
  verify("look for a record", "secret"),
  verify("open a secret's record", "secret", "--deep"),
  verify("open a certificate's record", "certificate", "--deep"),
]

async function restore(cloud: PlannedCloud, object: string, ...argv: readonly string[]): Promise<string> {
  const command = ["restore", "--object", object, ...argv, "--unwrap-key", cloud.recoveryKey]
  return endOfCommand(await cloud.cli(...command))
}

/** Putting versions back, into a vault and into files. */
export const restoreSteps: readonly RoleStep[] = [
  ...(["secret", "certificate"] as const).map((kind) => ({
    name: `put a ${kind} back`,
    prepare: prepareObjects,
    run: (cloud: PlannedCloud) => {
      const target = ["--to", cloud.vault, "--as", cloud.newName("restored")]
      return restore(cloud, urlOf(cloud, kind), ...target, "--execute")
    },
  })),
  {
    name: "find a disabled name taken",
    prepare: prepareObjects,
    run: async (cloud) => {
      const end = await restore(cloud, urlOf(cloud, "secret"), "--to", cloud.vault, "--as", names.disabled)
      return end === "ERR_RESTORE_TARGET_EXISTS" ? "ok" : end
    },
  },
  {
    name: "put a secret into a file",
    prepare: prepareObjects,
    run: (cloud) => restore(cloud, urlOf(cloud, "secret"), "--to-dir", cloud.newName("files"), "--execute"),
  },
]
