import { readFileSync } from "node:fs"
import { closest } from "fastest-levenshtein"
import { z } from "zod"
import { parseDigestKeySources } from "./digest/digestKeySource.ts"
import { isExcluded } from "./change/allowList.ts"
import { ServiceError } from "./errors.ts"
import { parseRecipientKeys, type RecipientKeys } from "./record/recipients.ts"
import {
  booleanSetting,
  containerSetting,
  durationSetting,
  httpsUrlSetting,
  integerSetting,
  objectiveSetting,
  queueSetting,
  secretUrlSetting,
  splitList,
  vaultListSetting,
} from "./settingFormats.ts"

const guid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "must be a client id (a GUID)")

const recipientsSetting = z.string().transform((text, context): RecipientKeys => {
  let json = text
  if (!/^\s*[{[]/.test(text)) {
    try {
      json = readFileSync(text.trim(), "utf8")
    } catch {
      context.addIssue({
        code: "custom",
        message: "must be a JWK Set as JSON, or the path of a readable file with one",
      })
      return z.NEVER
    }
  }
  const parsed = parseRecipientKeys(json)
  if ("keys" in parsed) return parsed.keys
  for (const problem of parsed.problems) context.addIssue({ code: "custom", message: problem })
  return z.NEVER
})

const digestKeySetting = z.string().transform((text, context) => {
  const sources = parseDigestKeySources(text)
  if (sources) return sources
  context.addIssue({
    code: "custom",
    message:
      "must be a comma list of files and of Key Vault keys such as https://NAME.vault.azure.net/keys/KEY",
  })
  return z.NEVER
})

/** Every setting of the product. Durations are in milliseconds once read. `docs/settings.md` tells them for people. */
const settingsSchema = z.object({
  BACKUP_MODE: z
    .enum(["production", "development"], "must be production or development")
    .default("production"),
  BACKUP_VAULTS: vaultListSetting.optional(),
  BACKUP_EXCLUDE: z.string().transform(splitList).default([]),
  BACKUP_STORE_URL: httpsUrlSetting.optional(),
  BACKUP_STORE_CONTAINER: containerSetting.default("keyvault-backups"),
  BACKUP_STATE_CONTAINER: containerSetting.default("keyvault-backup-state"),
  BACKUP_STORE_MIN_RETENTION_DAYS: integerSetting(1, 146_000).optional(),
  BACKUP_RECIPIENTS: recipientsSetting.optional(),
  BACKUP_QUEUE: queueSetting.default("keyvault-changes"),
  BACKUP_QUARANTINE_QUEUE: queueSetting.default("keyvault-changes-quarantine"),
  BACKUP_DEADLETTER_URL: httpsUrlSetting.optional(),
  BACKUP_DEADLETTER_CONTAINER: containerSetting.default("eventgrid-dead-letters"),
  BACKUP_OBJECTIVE: objectiveSetting.default({ percentile: 99, limitMs: 60_000 }),
  BACKUP_RETRY_FIRST_DELAY: durationSetting("10ms", "1h").default(15_000),
  BACKUP_RETRY_MAX_DELAY: durationSetting("10ms", "12h").default(900_000),
  BACKUP_RETRY_MAX_AGE: durationSetting("1s", "14d").default(86_400_000),
  BACKUP_BACKUP_CLIENT_ID: guid.optional(),
  BACKUP_RECONCILE_CLIENT_ID: guid.optional(),
  BACKUP_AUDIT_CLIENT_ID: guid.optional(),
  BACKUP_REPLAY_CLIENT_ID: guid.optional(),
  BACKUP_CANARY_CLIENT_ID: guid.optional(),
  BACKUP_VERIFY_CLIENT_ID: guid.optional(),
  BACKUP_RESTORE_CLIENT_ID: guid.optional(),
  BACKUP_VAULT_CHALLENGE_CHECK: z.enum(["on", "off"], "must be on or off").default("on"),
  BACKUP_VAULT_AUDIENCE: httpsUrlSetting.optional(),
  BACKUP_PAUSED: booleanSetting.default(false),
  BACKUP_CANARY_SECRET: secretUrlSetting.optional(),
  BACKUP_HEARTBEAT_URL: httpsUrlSetting.optional(),
  BACKUP_DIGEST_KEY: digestKeySetting.optional(),
  BACKUP_AUTO_REPLAY: booleanSetting.default(false),
  BACKUP_REPLAY_MAX: integerSetting(1, 100).default(3),
  BACKUP_CREDENTIAL: z
    .enum(
      ["managedIdentity", "azureCli", "workloadIdentity"],
      "must be managedIdentity, azureCli or workloadIdentity",
    )
    .optional(),
  BackupServiceBus__fullyQualifiedNamespace: z
    .string()
    .regex(/^[A-Za-z0-9.-]+(:\d{1,5})?$/, "must be a host name such as NAME.servicebus.windows.net")
    .optional(),
})

/** The settings as read, by their names in the environment. */
export type Settings = z.infer<typeof settingsSchema>

export type SettingName = keyof Settings

/** Settings in which `Required` are known to be set. */
export type SettingsWith<Required extends SettingName> = Settings & {
  readonly [Name in Required]-?: NonNullable<Settings[Name]>
}

/** The name of every setting. */
export const settingNames = Object.keys(settingsSchema.shape) as SettingName[]

/**
 * Reads settings from `env`; empty values count as not set, and names that begin with `BACKUP_` must be known.
 *
 * @param required - names without which the caller cannot work.
 * @throws ServiceError ERR_CONFIG_INVALID with every problem at once, a line each, by name. Values are quoted only
 * where they are names or URLs.
 */
export function loadSettings<Required extends SettingName>(
  env: Readonly<Record<string, string | undefined>>,
  required: readonly Required[],
): SettingsWith<Required> {
  const given = Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) =>
        value !== undefined && value.trim() !== "" && settingNames.includes(name as SettingName),
    ),
  )
  const problems: string[] = unknownNames(env)
  for (const name of required) {
    if (given[name] === undefined && settingsSchema.shape[name].safeParse(undefined).data === undefined) {
      problems.push(`${name} is not set`)
    }
  }
  const read: Partial<Settings> = {}
  for (const name of settingNames) {
    const parsed = settingsSchema.shape[name].safeParse(given[name])
    if (parsed.success) Object.assign(read, { [name]: parsed.data })
    else problems.push(...parsed.error.issues.map(({ message }) => `${name} ${message}`))
  }
  problems.push(...contradictions(read))
  if (problems.length === 0) return read as SettingsWith<Required>
  const count = problems.length === 1 ? "1 setting is wrong" : `${problems.length} settings are wrong`
  throw new ServiceError("ERR_CONFIG_INVALID", `${count}:\n  ${problems.join("\n  ")}`, {
    details: { problems: problems.length },
  })
}

function unknownNames(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith("BACKUP_") && !settingNames.includes(name as SettingName))
    .map((name) => `${name} is no setting of this product; the nearest is ${closest(name, settingNames)}`)
}

/** What is wrong between settings that are each right; one that is wrong itself is not among them. */
function contradictions(settings: Partial<Settings>): string[] {
  const problems: string[] = []
  const { BACKUP_RETRY_FIRST_DELAY: firstMs = 0, BACKUP_RETRY_MAX_DELAY: mostMs = Infinity } = settings
  if (firstMs > mostMs) {
    problems.push("BACKUP_RETRY_FIRST_DELAY must not be longer than BACKUP_RETRY_MAX_DELAY")
  }
  if (
    settings.BACKUP_QUEUE !== undefined &&
    settings.BACKUP_QUEUE.toLowerCase() === settings.BACKUP_QUARANTINE_QUEUE?.toLowerCase()
  ) {
    problems.push("BACKUP_QUARANTINE_QUEUE must be another queue than BACKUP_QUEUE")
  }
  if (settings.BACKUP_MODE === "production" && settings.BACKUP_VAULT_CHALLENGE_CHECK === "off") {
    problems.push("BACKUP_VAULT_CHALLENGE_CHECK must be on in production")
  }
  const { BACKUP_RECIPIENTS: recipients, BACKUP_VAULTS: vaults, BACKUP_CANARY_SECRET: canary } = settings
  if (canary !== undefined && vaults && !vaults.some((vault) => canary.startsWith(`${vault}/`))) {
    problems.push("BACKUP_CANARY_SECRET must be in one of BACKUP_VAULTS")
  }
  if (canary !== undefined && isExcluded(canary.split("/").at(-1) ?? "", settings.BACKUP_EXCLUDE ?? [])) {
    problems.push("BACKUP_CANARY_SECRET must not be excluded by BACKUP_EXCLUDE")
  }
  if (recipients && vaults) {
    for (const vault of recipients.byVault.keys()) {
      if (!vaults.includes(vault))
        problems.push(`BACKUP_RECIPIENTS names ${vault}, which is not in BACKUP_VAULTS`)
    }
    for (const vault of recipients.default.length > 0 ? [] : vaults) {
      if (!recipients.byVault.has(vault))
        problems.push(`BACKUP_RECIPIENTS has no key for ${vault} and no default`)
    }
  }
  return problems
}
