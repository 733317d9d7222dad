import { type Command, Option } from "commander"
import { doctorJobs } from "../shared/diagnosis/job.ts"

/** Adds the options of `kvbackup doctor`. */
export function addDoctorOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--as <job>", "probe as this job only; else as every job that is set").choices(doctorJobs),
    )
    .option("--live", "put one probe blob twice, as backup; its name is told first")
    .option("--object <url>", "also ask for this version: https://VAULT/secrets/NAME/VERSION")
    .option("--store-id <id>", "resource id of the storage account: is its policy locked, for how long?")
    .option("--event-subscription <id>", "resource id: are its settings right?")
    .option("--service-endpoints", "public addresses are right here: an admitted subnet leads to them")
    .option(
      "--app-settings <file>",
      "settings of an app, as `az functionapp config appsettings list` prints them",
    )
    .option("--plan <file>", "check a set-up that is described in a file, and ask nobody")
}
