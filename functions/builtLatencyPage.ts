import type { PageAssets } from "../shared/audit/renderReport.ts"

declare const builtLatencyPage: PageAssets

/** Script and style sheet of the latency page, which `build.ts` puts into the bundle; sources alone have none. */
export const latencyPageAssets: PageAssets | undefined =
  typeof builtLatencyPage === "undefined" ? undefined : builtLatencyPage
