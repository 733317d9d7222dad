import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, expect, it } from "vitest"
import { launchBrowser, missingBrowser, type PageWatch, watchPage } from "../support/browser.ts"
import { describeWith } from "../support/requiredSuite.ts"
import { type Journey, startJourney } from "../support/startJourney.ts"
import { startNode } from "../support/startNode.ts"

const kvbackup = fileURLToPath(new URL("../../cli/kvbackup.ts", import.meta.url))

describeWith("chromium", missingBrowser, "the latency page of a running cloud, in a browser", () => {
  let browser: Browser
  let journey: Journey
  let page: Page
  let watch: PageWatch
  let first: string

  const rowOf = (id: string) => page.locator(`#versions tr[data-key="${id}"]`)
  const markOf = (id: string) => page.locator(`#timeline .chart [data-key="${id}"]`)

  beforeAll(async () => {
    const starting = startJourney({ runsTimers: false })
    browser = await launchBrowser()
    journey = await starting
    first = await journey.set("first-secret", "one")
    await journey.settled()
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    watch = watchPage(page)
    await page.goto(journey.cloud.file.latencyPage.url)
  })
  afterAll(async () => {
    await browser?.close()
    await journey?.stop()
  })

  it("shows what is stored, and how old that knowledge is", async () => {
    await rowOf(first).waitFor()
    expect(await page.locator(".up-to .age").textContent()).toMatch(/^ · \d+ s ago$/)
    expect(await page.locator(".live-words").textContent()).toMatch(/^Live, as of \d+ s ago$/)
    expect(await page.locator(".periods [aria-current]").textContent()).toBe("24h")
  })

  it("shows a secret that changes while it is open, and keeps filter, focus and the open fold", async () => {
    await page.locator("#filter-kind").selectOption("secret")
    await page.locator("#filter-text").fill("secret")
    await page.locator("#timeline summary").click()
    await markOf(first).focus()
    const second = await journey.set("second-secret", "two")
    await rowOf(second).waitFor({ timeout: 15_000 })
    await markOf(second).waitFor()
    expect(await page.locator("#filter-text").inputValue()).toBe("secret")
    expect(await page.locator("#filter-kind").inputValue()).toBe("secret")
    expect(await page.locator("#timeline details").getAttribute("open")).not.toBeNull()
    expect(await page.evaluate("document.activeElement.getAttribute('data-key')")).toBe(first)
    expect(await page.locator("[aria-live=polite]").textContent()).toContain("1 version stored")
  })

  it("keeps a story open while the report goes on, and tells what the record's metadata tells", async () => {
    await rowOf(first).getByRole("button").click()
    const metadata = await journey.metadata(first)
    const story = page.getByRole("dialog")
    const told = (await story.textContent())!
    for (const name of ["eventat", "enqueuedat", "receivedat", "readat", "putat"]) {
      expect(told).toContain(metadata[name]!.replace("T", " ").replace("Z", ""))
    }
    expect(told).toContain(metadata["sha256"])
    expect(told).toContain(metadata["kid"])
    const third = await journey.set("third-secret", "three")
    await rowOf(third).waitFor({ state: "attached", timeout: 15_000 })
    expect(await story.locator("h2").textContent()).toBe("first-secret")
    await page.keyboard.press("Escape")
    expect(await page.evaluate("document.activeElement.textContent")).toBe("first-secret")
  })

  it("shows a gap when a version cannot be read, and says that not everything is protected", async () => {
    const gap = await journey.set("no-secret", "four", { enabled: false })
    await page.locator(`#gaps [data-story="${gap}"]`).waitFor({ timeout: 15_000 })
    expect(await page.locator("#state-title").textContent()).toBe("Not everything is protected")
    expect(await page.locator("#state .icon.level-bad").count()).toBe(1)
  })

  it("stands still while it is paused", async () => {
    await page.locator("#pause").click()
    await page.locator(".live[data-state=paused]").waitFor()
    const asked = watch.requests.length
    const fourth = await journey.set("fourth-secret", "five")
    await journey.settled()
    // Longer than between two rounds.
    await page.locator(".live-words", { hasText: /as of [4-9] s ago/ }).waitFor()
    expect(watch.requests).toHaveLength(asked)
    expect(await rowOf(fourth).count()).toBe(0)
    await page.locator("#pause").click()
    await rowOf(fourth).waitFor({ timeout: 15_000 })
  })

  it("is written as a file by kvbackup audit --format html, which then tells no ages and asks nobody", async () => {
    const file = join(journey.directory, "report.html")
    const argv = [kvbackup, "audit", "--local", "--format", "html", "--out", file]
    const { code, stdout } = await startNode(argv, { cwd: journey.directory }).end
    expect({ code, stdout }).toEqual({ code: 30, stdout: `The audit is in ${file}\n` })
    const written = await browser.newPage()
    const asked = watchPage(written)
    await written.goto(pathToFileURL(file).href)
    expect(await written.locator(`#versions tr[data-key="${first}"]`).count()).toBe(1)
    expect(await written.locator(".age, .live, .periods").count()).toBe(0)
    expect(asked).toEqual({ requests: [], complaints: [] })
    await written.close()
  })

  it("asked nobody but the address it came from, and had nothing to complain of", () => {
    const { url } = journey.cloud.file.latencyPage
    expect(new Set(watch.requests)).toEqual(new Set([`${url}?format=json&since=24h`]))
    expect(watch.complaints).toEqual([])
  })

  it("says that it is not up to date when nobody answers, and goes on when somebody does", async () => {
    await journey.cloud.host.kill()
    await page.locator(".live[data-state=old]").waitFor({ timeout: 20_000 })
    expect(await page.locator(".live-words").textContent()).toMatch(
      /^Not updated: the server answers 502, as of \d+ s ago$/,
    )
    await journey.cloud.host.restart()
    await page.locator(".live[data-state=live]").waitFor({ timeout: 20_000 })
  })
})
