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
  { url, everyMs }: NonNullable<PageData["live"]>,
  onReport: (report: AuditReport) => void,
  onTick: () => void,
): LiveUpdates {
  const words = h("span", { class: "live-words" })
  const pause = h("button", { type: "button", id: "pause", "aria-pressed": "false" }, "Pause")
  const element = h(
    "div",
    { class: "live", "data-state": "live" },
    h("span", { class: "live-mark", "aria-hidden": "true" }),
    words,
    pause,
  )
  let answeredAt = Date.now()
  let failure: string | undefined
  let isPaused = false

  const show = () => {
    const age = Date.now() - answeredAt
    const isOld = age > everyMs * patience + 2000
    element.setAttribute("data-state", isPaused ? "paused" : isOld ? "old" : "live")
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
    const response = await fetch(url, { cache: "no-store", headers: { accept: "application/json" } })
    if (!response.ok)
      throw new Error(response.status === 401 ? "sign in again" : `the server answers ${response.status}`)
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
