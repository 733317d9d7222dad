import { type Plan, type PlannedResource, resourcesOf } from "./plan.ts"

/** The containers by which the accounts are told apart. */
export const containerOf = {
  backups: "keyvault-backups",
  state: "keyvault-backup-state",
  deadLetters: "eventgrid-dead-letters",
  runtime: "app-package",
} as const

/** The account that has a container. */
export function accountWith(plan: Plan, container: string): PlannedResource | undefined {
  const found = resourcesOf(plan, "Microsoft.Storage/storageAccounts/blobServices/containers").find(
    ({ name }) => name.endsWith(`/default/${container}`),
  )
  const account = found?.name.split("/")[0]
  return resourcesOf(plan, "Microsoft.Storage/storageAccounts").find(({ name }) => name === account)
}
