import { z } from "zod"
import { parseVersionUrl } from "./change/objectVersion.ts"
import { quoteInput } from "./change/quoteInput.ts"

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Reads `500ms`, `15s`, `15m`, `24h` or `7d` as milliseconds; `undefined` for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim())
  const unit = match?.[2] as keyof typeof unitMs | undefined
  return match && unit ? Number(match[1]) * unitMs[unit] : undefined
}

/** A duration setting between two bounds, each written as a duration itself. */
export function durationSetting(least: string, most: string) {
  const range = `a duration from ${least} to ${most}, such as 15s, 15m or 24h`
  return z.string().transform((text, context) => {
    const ms = parseDurationMs(text)
    if (ms !== undefined && ms >= (parseDurationMs(least) ?? 0) && ms <= (parseDurationMs(most) ?? 0))
      return ms
    context.addIssue({ code: "custom", message: `must be ${range}` })
    return z.NEVER
  })
}

/** `true` or `false`, as the portal writes them. */
export const booleanSetting = z
  .string()
  .regex(/^(true|false)$/i, "must be true or false")
  .transform((text) => text.toLowerCase() === "true")

/** A whole number between two bounds. */
export function integerSetting(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((number) => number >= least && number <= most, message)
}

/** An https URL without query, user info or fragment; the trailing slash is dropped, the host folded. */
export const httpsUrlSetting = z.string().transform((text, context) => {
  const url = URL.parse(text.trim())
  if (url?.protocol === "https:" && !url.username && !url.password && !url.search && !url.hash) {
    return `${url.origin}${url.pathname.replace(/\/+$/, "")}`
  }
  context.addIssue({ code: "custom", message: "must be an https URL without user, query or fragment" })
  return z.NEVER
})

/** The URL of a secret without a version, `https://host[:port]/secrets/NAME`, folded as version URLs are. */
export const secretUrlSetting = z.string().transform((text, context) => {
  const parsed = parseVersionUrl(`${text.trim().replace(/\/$/, "")}/${"0".repeat(32)}`)
  if ("object" in parsed && parsed.object.kind === "secret") {
    return `${parsed.object.vault}/secrets/${parsed.object.name}`
  }
  context.addIssue({ code: "custom", message: "must be the URL of a secret: https://VAULT/secrets/NAME" })
  return z.NEVER
})

/** A comma list of vault URLs, each `https://host[:port]`, folded and without repetition. */
export const vaultListSetting = z.string().transform((text, context) => {
  const vaults: string[] = []
  const parts = splitList(text)
  for (const part of parts) {
    const url = URL.parse(part)
    const isBare = url?.pathname === "/" && !url.search && !url.hash && !url.username && !url.password
    if (url?.protocol === "https:" && isBare) {
      vaults.push(url.origin)
    } else {
      context.addIssue({
        code: "custom",
        message: `must be a comma list of vault URLs such as https://NAME.vault.azure.net; ${quoteInput(part, 80)} is none`,
      })
    }
  }
  if (parts.length === 0) context.addIssue({ code: "custom", message: "must name at least one vault URL" })
  return [...new Set(vaults)]
})

/** The parts of a comma list, without blanks. */
export function splitList(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
}

/** An objective such as `p99=60s`: which percentile of changes is to be stored within which time. */
export const objectiveSetting = z.string().transform((text, context) => {
  const match = /^p(\d{1,2}(?:\.\d{1,3})?)=(.+)$/.exec(text.trim())
  const limitMs = parseDurationMs(match?.[2] ?? "")
  const percentile = Number(match?.[1])
  if (limitMs !== undefined && limitMs > 0 && percentile > 0) return { percentile, limitMs }
  context.addIssue({
    code: "custom",
    message: "must be pNN=DURATION with NN above 0 and below 100, such as p99=60s",
  })
  return z.NEVER
})

/** Names of Azure containers: 3 to 63 lower-case letters, digits and single hyphens. */
export const containerSetting = z
  .string()
  .regex(
    /^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$/,
    "must be 3 to 63 lower-case letters, digits and single hyphens",
  )

/** Names of Service Bus queues. */
export const queueSetting = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,258}[A-Za-z0-9])?$/,
    "must be a queue name of 1 to 260 letters, digits, . _ - /",
  )
