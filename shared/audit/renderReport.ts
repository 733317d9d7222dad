import { createHash } from "node:crypto"
import type { AuditReport } from "./auditReport.ts"
import { fitReport } from "./fitReport.ts"

/** Script and style sheet of the page as `npm run build` makes them. */
export interface PageAssets {
  readonly script: string
  readonly style: string
}

/** Makes a page that asks for newer reports by itself. */
export interface LivePage {
  /** Where the report comes from as JSON: on the origin that serves the page, for nothing else may be asked. */
  readonly url: string
  readonly everyMs: number
  /** What the report is about, and what it could be about: `?since=` of the page's own address. */
  readonly period: string
  readonly periods: readonly string[]
}

/** A whole HTML document, and the policy that it also carries itself, for a response header. */
export interface RenderedReport {
  readonly html: string
  /** Content-Security-Policy. A header may also say `frame-ancestors`, which a document cannot. */
  readonly policy: string
}

/**
 * The report as one HTML document that needs nothing else: no font, image, script or other request, which its policy
 * forbids too. The same report and assets give the same bytes. Names and codes in the report are foreign text: they
 * travel as data, never as markup.
 *
 * @throws TypeError for assets that would end their own element, which those of a build never do.
 */
export function renderReport(report: AuditReport, assets: PageAssets, live?: LivePage): RenderedReport {
  if (/<\/script|<!--/i.test(assets.script) || /<\/style/i.test(assets.style)) {
    throw new TypeError("The assets of the page cannot stand in it")
  }
  const policy = policyOf(assets, live !== undefined)
  const data = { report: fitReport(report), ...(live ? { live } : {}) }
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>Key Vault backup: when was it protected?</title>
<link rel="icon" href="data:,">
<style>${assets.style}</style>
</head>
<body>
<noscript>This page draws itself with a script it carries. Without scripts, run kvbackup audit --format csv.</noscript>
<script type="application/json" id="data">${formatIsland(data)}</script>
<script>${assets.script}</script>
</body>
</html>
`
  return { html, policy }
}

/** JSON in which nothing can end the element it stands in, or start another. */
function formatIsland(data: unknown): string {
  return JSON.stringify(data)
    .replaceAll("<", "\\u003c")
    .replaceAll(">", "\\u003e")
    .replaceAll("&", "\\u0026")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029")
}

/** Nothing but these two texts may run or style, and no text ever becomes markup (Trusted Types). */
function policyOf({ script, style }: PageAssets, isLive: boolean): string {
  return [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "img-src data:",
    ...(isLive ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ")
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`
}
