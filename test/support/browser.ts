import { existsSync } from "node:fs"
import axe from "axe-core"
import { type Browser, chromium, type Page } from "playwright-core"

const executable = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
)

/** Why no browser can be driven here; `undefined` when one can. For `describeWith("chromium", …)`. */
export const missingBrowser = executable === undefined ? "no Chromium is installed" : undefined

/** Starts the browser of this machine, without a window. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(executable === undefined ? {} : { executablePath: executable }),
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  })
}

/** What a page did besides showing itself. */
export interface PageWatch {
  /** Every request but the one for the document itself. */
  readonly requests: string[]
  /** Warnings and errors of the console, errors that nobody caught. */
  readonly complaints: string[]
}

/** Listens to a page from before its first load. */
export function watchPage(page: Page): PageWatch {
  const requests: string[] = []
  const complaints: string[] = []
  page.on("request", (request) => {
    if (!request.isNavigationRequest()) requests.push(request.url())
  })
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
  })
  page.on("pageerror", (error) => complaints.push(error.message))
  return { requests, complaints }
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly impact: string
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
  }[]
}

/** What axe-core finds, but for what is minor: a line each, with the first place. Runs beside the page's own policy. */
export async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(`${axe.source}; 0`)
  const result = await page.evaluate<AxeResult>(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
  )
  return result.violations
    .filter(({ impact }) => impact !== "minor")
    .map(
      ({ id, impact, nodes }) =>
        `${impact} ${id} (${nodes.length}): ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary ?? ""}`,
    )
}

/** By how many pixels the page is wider than its window. */
export async function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - window.innerWidth")
}
