import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { z } from "zod"

const verificationSchema = z.object({
  format: z.literal("kvbackup-verify/1"),
  exitCode: z.number(),
  versions: z.array(
    z.object({
      id: z.string(),
      finding: z.string(),
      reason: z.string().optional(),
      code: z.string().optional(),
    }),
  ),
})

/** What `kvbackup verify --deep` found, by version id. */
export type Verification = z.infer<typeof verificationSchema>

/**
 * Runs the product's own `verify --deep --local` as a person would, in a process of its own, and reads its answer.
 *
 * @param directory - where `.local/cloud.json` is.
 * @throws Error with what the command printed when it gave no answer.
 */
export async function runVerification(directory: string): Promise<Verification> {
  const command = fileURLToPath(new URL("../../cli/kvbackup.ts", import.meta.url))
  const child = spawn(process.execPath, [command, "verify", "--deep", "--local", "--json"], {
    cwd: directory,
    stdio: ["ignore", "pipe", "pipe"],
  })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  try {
    return verificationSchema.parse(JSON.parse(out))
  } catch {
    throw new Error(`kvbackup verify gave no answer: ${out}${err}`)
  }
}
