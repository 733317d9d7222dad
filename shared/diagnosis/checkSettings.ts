import type { DoctorJob } from "./job.ts"
import type { Fix, Verdict } from "./verdict.ts"

type Environment = Readonly<Record<string, string | undefined>>

const connection = "BackupServiceBus"

/** Settings that only a function app has; a jump host that runs commands needs none for a trigger. */
const appSettings =
  /^(FUNCTIONS_WORKER_RUNTIME|WEBSITE_SITE_NAME|AzureWebJobsStorage|BackupServiceBus__(credential|clientId))/

/**
 * Do the settings of the trigger fit those of the worker? Looked at where they are an app's. With a user-assigned identity
 * and without these two settings the trigger asks for the system-assigned identity and messages wait for ever, while
 * everything else works (https://github.com/Azure/azure-functions-host/issues/8261). Pure.
 */
export function checkSettings(
  env: Environment,
  jobs: readonly DoctorJob[],
  isApp = Object.keys(env).some((name) => appSettings.test(name)),
): Verdict {
  if (!isApp || !jobs.includes("backup")) {
    return { status: "ok", verdict: "ok", says: "readable; those of the trigger are the app's, and not here" }
  }
  const read = (name: string) => env[name]?.trim() ?? ""
  const clientId = read("BACKUP_BACKUP_CLIENT_ID")
  const [triggerCredential, triggerId] = [read(`${connection}__credential`), read(`${connection}__clientId`)]
  if (/SharedAccessKey=/i.test(read(connection))) {
    return failing("sharedKey", `${connection} holds a shared key`, {
      what: `Remove ${connection}, and name the namespace in ${connection}__fullyQualifiedNamespace: the trigger then comes with its identity.`,
      az: [deleteSetting(env, connection)],
    })
  }
  if (clientId !== "" && triggerId === "") {
    return failing(
      "clientIdMissing",
      `BACKUP_BACKUP_CLIENT_ID names a user-assigned identity and ${connection}__clientId is not set: the trigger asks for another one, and messages wait`,
      setting(env, {
        [`${connection}__credential`]: "managedidentity",
        [`${connection}__clientId`]: clientId,
      }),
    )
  }
  if (clientId !== "" && triggerCredential.toLowerCase() !== "managedidentity") {
    return failing(
      "credentialMissing",
      `${connection}__clientId is set and ${connection}__credential is not managedidentity: the client id does not count`,
      setting(env, { [`${connection}__credential`]: "managedidentity" }),
    )
  }
  if (clientId !== triggerId) {
    return failing(
      "clientIdDiffers",
      `the trigger receives as ${triggerId || "the system-assigned identity"}, and the worker backs up as ${clientId || "the system-assigned identity"}`,
      setting(env, { [`${connection}__clientId`]: clientId }),
    )
  }
  return { status: "ok", verdict: "ok", says: "readable; trigger and worker are the same identity" }
}

function failing(verdict: string, says: string, fix: Fix): Verdict {
  return { status: "failing", verdict: `settings.${verdict}`, says, fix }
}

function setting(env: Environment, values: Readonly<Record<string, string>>): Fix {
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`)
  return {
    what: `Set ${pairs.join(" and ")} in the app, and let it restart.`,
    setting: pairs.join(" "),
    az: [
      `az functionapp config appsettings set --resource-group RESOURCE_GROUP --name ${appOf(env)} --settings ${pairs.join(" ")}`,
    ],
  }
}

function deleteSetting(env: Environment, name: string): string {
  return `az functionapp config appsettings delete --resource-group RESOURCE_GROUP --name ${appOf(env)} --setting-names ${name}`
}

function appOf(env: Environment): string {
  return env["WEBSITE_SITE_NAME"]?.trim() || "APP"
}
