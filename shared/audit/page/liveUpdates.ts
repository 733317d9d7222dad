import type { AuditReport } from "../auditReport.ts"
import { h } from "./element.ts"
import { formatAge } from "./formatDuration.ts"
import type { PageData } from "./pageData.ts"

/** Asks for newer reports, and shows how fresh the one on the page is. */
export interface LiveUpdates {
  readonly element: HTMLElement
  readonly start: () => void
}

/** Without an answer for so many rounds the page says that it is old. */
const patience = 3

/**
 * @param onReport - gets each newer report.
 * @param onTick - once a second, for what tells ages.
 */
export function createLiveUpdates(
  { url, everyMs, period, periods }: NonNullable<PageData["live"]>,
  onReport: (report: AuditReport) => void,
  onTick: () => void,
): LiveUpdates {
  const words = h("span", { class: "live-words" })
  const pause = h("button", { type: "button", id: "pause", "aria-pressed": "false" }, "Pause")
  const status = h(
    "div",
    { class: "live", "data-state": "live" },
    h("span", { class: "live-mark", "aria-hidden": "true" }),
    words,
    pause,
  )
  const element = h("div", { class: "corner" }, periodLinks(period, periods), status)
  let answeredAt = Date.now()
  let failure: string | undefined
  let isPaused = false

  const show = () => {
    const age = Date.now() - answeredAt
    const isOld = age > everyMs * patience + 2000
    status.setAttribute("data-state", isPaused ? "paused" : isOld ? "old" : "live")
    const state = isPaused
      ? "Paused"
      : isOld
        ? `Not updated${failure === undefined ? "" : `: ${failure}`}`
        : "Live"
    const text = `${state}, as of ${formatAge(age)} ago`
    if (words.textContent !== text) words.textContent = text
    onTick()
  }
  const ask = async () => {
    const headers = { accept: "application/json" }
    // Where the session has ended, App Service sends to the sign-in page, which no script may follow.
    const response = await fetch(url, { cache: "no-store", redirect: "manual", headers })
    if (!response.ok) throw new Error(await reasonOf(response))
    const report = (await response.json()) as AuditReport
    answeredAt = Date.now()
    failure = undefined
    onReport(report)
  }
  const round = async () => {
    if (!isPaused && document.visibilityState === "visible") {
      try {
        await ask()
      } catch (error) {
        failure =
          error instanceof TypeError
            ? "the server does not answer"
            : error instanceof Error
              ? error.message
              : ""
      }
      show()
    }
    setTimeout(() => void round(), everyMs)
  }
  pause.addEventListener("click", () => {
    isPaused = !isPaused
    pause.setAttribute("aria-pressed", String(isPaused))
    pause.textContent = isPaused ? "Resume" : "Pause"
    show()
  })
  return {
    element,
    start: () => {
      show()
      setInterval(show, 1000)
      setTimeout(() => void round(), everyMs)
    },
  }
}

function periodLinks(period: string, periods: readonly string[]): HTMLElement {
  return h(
    "nav",
    { class: "periods", "aria-label": "Period" },
    h(
      "ul",
      {},
      ...periods.map((one) =>
        h("li", {}, h("a", { href: `?since=${one}`, "aria-current": one === period && "page" }, one)),
      ),
    ),
  )
}

async function reasonOf(response: Response): Promise<string> {
  if (response.type === "opaqueredirect" || response.status === 401) return "load the page again to sign in"
  const body: unknown = await response.json().catch(() => undefined)
  const code = typeof body === "object" && body && "code" in body ? body.code : undefined
  return typeof code === "string" ? code : `the server answers ${response.status}`
}
