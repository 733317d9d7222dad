import { loadSettings, type SettingName } from "../shared/config.ts"
import { ServiceError } from "../shared/errors.ts"
import { markdownTable } from "./markdownTable.ts"

interface SettingText {
  readonly what: string
  /** What is allowed, for a setting that takes any text. */
  readonly allowed?: string
}

/** What each setting is for. The compiler finds one that is missing here, or that the product does not have. */
const texts: Readonly<Record<SettingName, SettingText>> = {
  BACKUP_MODE: {
    what: "In `production` the worker demands an immutability policy on the container, a managed identity and the challenge check.",
  },
  BACKUP_VAULTS: { what: "Vaults that are backed up. No other host is ever asked, whatever an event says." },
  BACKUP_EXCLUDE: {
    what: "Names that are not backed up.",
    allowed: "comma list of patterns: `*` any text, `?` one character",
  },
  BACKUP_STORE_URL: { what: "Blob endpoint of the account with the backups." },
  BACKUP_STORE_CONTAINER: { what: "The immutable container." },
  BACKUP_STATE_CONTAINER: { what: "An ordinary container for what must change, such as a lease." },
  BACKUP_STORE_MIN_RETENTION_DAYS: { what: "Days that the locked policy must last." },
  BACKUP_RECIPIENTS: {
    what: "Public keys that records are sealed to, or a map of vault URL (or `default`) to JWK Set. A private key is refused.",
  },
  BACKUP_QUEUE: { what: "Queue of changes." },
  BACKUP_QUARANTINE_QUEUE: { what: "Queue of messages that only a person can decide about." },
  BACKUP_DEADLETTER_URL: {
    what: "Blob endpoint of the account where Event Grid leaves what it cannot deliver.",
  },
  BACKUP_DEADLETTER_CONTAINER: { what: "Its container." },
  BACKUP_OBJECTIVE: { what: "Which share of changes is to be stored within which time." },
  BACKUP_RETRY_FIRST_DELAY: { what: "Delay before the first retry; it doubles with each." },
  BACKUP_RETRY_MAX_DELAY: { what: "The longest delay between two retries." },
  BACKUP_RETRY_MAX_AGE: { what: "After so long in one deferral a change goes to quarantine." },
  BACKUP_BACKUP_CLIENT_ID: { what: clientId("backup") },
  BACKUP_RECONCILE_CLIENT_ID: { what: clientId("reconcile") },
  BACKUP_AUDIT_CLIENT_ID: { what: clientId("audit") },
  BACKUP_REPLAY_CLIENT_ID: { what: clientId("replay") },
  BACKUP_CANARY_CLIENT_ID: {
    what: "Client id of the identity of `canary`; absent, `sendCanary` is not there.",
  },
  BACKUP_VERIFY_CLIENT_ID: { what: clientId("verify") },
  BACKUP_RESTORE_CLIENT_ID: { what: clientId("restore") },
  BACKUP_VAULT_CHALLENGE_CHECK: {
    what: "Does the vault client check that the challenge fits the vault's host? `off` is refused in production.",
  },
  BACKUP_VAULT_AUDIENCE: {
    what: "The only audience whose tokens are sent to a vault, such as `https://vault.azure.cn`. Absent, the vault's challenge names it, and must fit its host.",
  },
  BACKUP_PAUSED: {
    what: "`true`: the worker takes no messages, which wait in the queue; replays nothing, and sets no canary, which grows old.",
  },
  BACKUP_CANARY_SECRET: {
    what: "Changes of this secret have the origin `canary` and are counted apart. With `BACKUP_CANARY_CLIENT_ID`, `sendCanary` sets it every half hour. In a vault of `BACKUP_VAULTS`, not excluded.",
  },
  BACKUP_HEARTBEAT_URL: {
    what: "Is called with GET by `sendCanary` after the backup of its canary was proved. Never logged.",
  },
  BACKUP_DIGEST_KEY: {
    what: "Keys of the [digests](formats.md#digest-keyvault-digest1): the first signs, all are trusted. Without a version every version of a Key Vault key is trusted, and the newest signs.",
    allowed: "comma list of URLs of Key Vault keys (EC or RSA) and of files with a private JWK or JWK Set",
  },
  BACKUP_AUTO_REPLAY: { what: "Replay passing failures by itself." },
  BACKUP_REPLAY_MAX: { what: "How often one message is replayed before it stays in quarantine." },
  BACKUP_CREDENTIAL: {
    what: "Where tokens come from. Absent: `managedIdentity`, for `verify` and `restore` `azureCli`. In production the worker takes only `managedIdentity`.",
  },
  BackupServiceBus__fullyQualifiedNamespace: {
    what: "Host of the namespace. The trigger and the product's own clients read it.",
  },
}

function clientId(job: string): string {
  return `Client id of the identity of \`${job}\`; absent, the system-assigned one.`
}

/** Who reads a setting, by the source text of each reader. */
export type ReaderSources = Readonly<Record<string, string>>

const unread = "nobody yet"

/**
 * The table of all settings. Defaults come from the schema with nothing set, what is allowed from what the schema
 * says to a wrong value, and the readers from the sources: nothing here can drift from the code unseen.
 *
 * @param sources - by the name of the reader that the table is to show.
 */
export function renderSettingsTable(sources: ReaderSources): string {
  const defaults = loadSettings({}, [])
  return markdownTable(
    ["setting", "default", "allowed", "read by", "what it does"],
    (Object.keys(texts) as SettingName[]).map((name) => [
      `\`${name}\``,
      formatDefault(defaults[name]),
      texts[name].allowed ?? allowedOf(name),
      readersOf(name, sources),
      texts[name].what,
    ]),
  )
}

function readersOf(name: SettingName, sources: ReaderSources): string {
  const readers = Object.entries(sources).filter(([, source]) => new RegExp(`\\b${name}\\b`).test(source))
  return readers.length === 0 ? unread : readers.map(([reader]) => reader).join(", ")
}

/** What the schema says to a value that nothing takes. */
function allowedOf(name: SettingName): string {
  try {
    loadSettings({ [name]: "\u0000" }, [])
  } catch (error) {
    const said = error instanceof ServiceError ? error.message : ""
    const line = said.split("\n").find((text) => text.startsWith(`  ${name} `))
    if (line) {
      return line
        .slice(name.length + 3)
        .replace(/^must (?:be|name) /, "")
        .replace(/; "[^"]*" is none$/, "")
    }
  }
  throw new Error(`${name} takes any text; say in docs/settingsPage.ts what is allowed`)
}

function formatDefault(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "none"
  if (typeof value === "number") return `\`${formatNumber(value)}\``
  if (typeof value === "object" && value !== null && "percentile" in value && "limitMs" in value) {
    return `\`p${String(value.percentile)}=${formatNumber(Number(value.limitMs))}\``
  }
  return `\`${String(value)}\``
}

/** Durations are the numbers of a thousand and more: the schema keeps them in milliseconds. */
function formatNumber(value: number): string {
  if (value < 1000) return String(value)
  const units = [
    { unit: "h", ms: 3_600_000 },
    { unit: "m", ms: 60_000 },
    { unit: "s", ms: 1000 },
  ]
  const fitting = units.find(({ ms }) => value % ms === 0 && (ms < 60_000 || value / ms > 1))
  return fitting ? `${value / fitting.ms}${fitting.unit}` : `${value}ms`
}
