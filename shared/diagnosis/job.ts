import type { SettingName } from "../config.ts"

/** The jobs that have an identity of their own; `docs/architecture.md` says what each may do. */
export const doctorJobs = ["backup", "reconcile", "audit", "replay", "canary", "verify", "restore"] as const

export type DoctorJob = (typeof doctorJobs)[number]

/** The setting that names the identity of a job. */
export const clientIdSettings = {
  backup: "BACKUP_BACKUP_CLIENT_ID",
  reconcile: "BACKUP_RECONCILE_CLIENT_ID",
  audit: "BACKUP_AUDIT_CLIENT_ID",
  replay: "BACKUP_REPLAY_CLIENT_ID",
  canary: "BACKUP_CANARY_CLIENT_ID",
  verify: "BACKUP_VERIFY_CLIENT_ID",
  restore: "BACKUP_RESTORE_CLIENT_ID",
} as const satisfies Readonly<Record<DoctorJob, SettingName>>

/** Jobs that belong to people, who log in with the Azure CLI. */
export const jobsOfPeople: readonly DoctorJob[] = ["verify", "restore"]
