import { readdirSync } from "node:fs"
import { join } from "node:path"
import { infraFolder } from "./bicepCli.ts"
import type { BicepServer } from "./bicepServer.ts"

/** One set of parameters: the file with them, and the file with the resources they lead to. */
export interface PlanFile {
  readonly name: string
  readonly parameters: string
  readonly snapshot: string
}

const folder = join(infraFolder, "plans")
const parametersEnding = ".bicepparam"

/** Where every plan is imagined to be deployed. Without these, ids stay unevaluated. */
const deployedTo = {
  tenantId: "00000000-0000-4000-8000-0000000000aa",
  subscriptionId: "11111111-1111-4111-8111-111111111111",
  location: "westeurope",
}

/** Every plan, by name. */
export function listPlans(): readonly PlanFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(parametersEnding))
    .toSorted()
    .map((file) => {
      const name = file.slice(0, -parametersEnding.length)
      return { name, parameters: join(folder, file), snapshot: join(folder, `${name}.snapshot.json`) }
    })
}

/**
 * The resources that a parameter file leads to, worked out without Azure.
 *
 * @throws Error with the message of `fail()` where a guard of main.bicep refuses the parameters.
 */
export async function takeSnapshot(server: BicepServer, parametersPath: string): Promise<string> {
  const result = await server.request("bicep/getSnapshot", { path: parametersPath, metadata: deployedTo })
  const snapshot: unknown = Reflect.get(Object(result), "snapshot")
  if (typeof snapshot !== "string") throw new Error(`The Bicep CLI gave no snapshot of ${parametersPath}`)
  const plan = JSON.parse(snapshot) as { readonly outputs?: Readonly<Record<string, unknown>> }
  // The CLI gives outputs in another order each time.
  const outputs = Object.entries(plan.outputs ?? {}).toSorted(([a], [b]) => a.localeCompare(b))
  return `${JSON.stringify({ ...plan, outputs: Object.fromEntries(outputs) }, null, 2)}\n`
}
