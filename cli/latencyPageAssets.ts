import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { PageAssets } from "../shared/audit/renderReport.ts"
import { ServiceError } from "../shared/errors.ts"

/**
 * Script and style sheet of the latency page, which a build leaves in `dist/`.
 *
 * @throws ServiceError ERR_CONFIG_INVALID when there was no build.
 */
export function readLatencyPageAssets(): PageAssets {
  return { script: readBuilt("latencyPage.js"), style: readBuilt("latencyPage.css") }
}

function readBuilt(name: string): string {
  try {
    return readFileSync(fileURLToPath(new URL(`../dist/${name}`, import.meta.url)), "utf8")
  } catch (cause) {
    throw new ServiceError("ERR_CONFIG_INVALID", `The page has not been built: dist/${name} cannot be read`, {
      cause,
      hint: "Run `npm run build` once, then ask again.",
    })
  }
}
