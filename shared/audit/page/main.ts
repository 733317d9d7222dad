import { createLatencyPage } from "./latencyPage.ts"
import { createLiveUpdates } from "./liveUpdates.ts"
import type { PageData } from "./pageData.ts"
import { refreshAges, showAges } from "./relativeTime.ts"

// The start of the page: reads its island of data and shows it.
const { report, live } = JSON.parse(document.getElementById("data")?.textContent ?? "") as PageData
if (live) showAges(Date.now)
const page = createLatencyPage(document.body, report)
if (live) {
  const updates = createLiveUpdates(live, page.update, () => refreshAges(document))
  page.corner.append(updates.element)
  updates.start()
}
