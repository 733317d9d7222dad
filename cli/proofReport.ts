import { quoteInput } from "../shared/change/quoteInput.ts"
import { addDays, type Day, endOfDay } from "../shared/digest/digestDay.ts"
import type { ChainBreak, DayProof, Proof, ProofFinding } from "../shared/digest/proof.ts"

const chainBreaks: Readonly<Record<ChainBreak, string>> = {
  previousDiffers: "it was chained to another digest of the day before than the one that is there",
  beginsAnew: "it names no digest before it, and is not the first",
  skipsDays: "it names a digest that is not of the day before",
}

/** What was proved for people: what is wrong a line each, then the counts. */
export function formatProof(proof: Proof): string {
  const { store, lastClosedDay, days, findings, more, incomplete } = proof
  const lines = [`Store ${store}`]
  lines.push(
    proof.from === undefined || proof.to === undefined
      ? `No closed day to prove: the last closed day is ${lastClosedDay}`
      : `Days  ${range(proof.from, proof.to)} UTC; the last closed day is ${lastClosedDay}`,
  )
  if (proof.chainBegins !== undefined) lines.push(`The chain begins with ${proof.chainBegins}.`)
  const wording = collapse(findings).map(formatFinding)
  if (wording.length > 0) lines.push("", ...wording)
  if (more > 0) lines.push(`and ${more} more; prove a single day to have its entries named`)
  for (const { day, code } of days) {
    if (code !== undefined && code !== incomplete) lines.push(`${day}  COULD NOT BE TOLD  ${code}`)
  }
  if (incomplete !== undefined) lines.push("", `COULD NOT BE TOLD: ${incomplete}, so nothing is proved`)
  lines.push("", ...formatCounts(days), ...formatLate(days))
  return `${lines.join("\n")}\n`
}

function formatCounts(days: readonly DayProof[]): string[] {
  const of = (status: DayProof["status"]) => days.filter((proof) => proof.status === status)
  const proved = of("proved")
  const entries = proved.reduce((sum, each) => sum + (each.entries ?? 0), 0)
  const kids = new Set(proved.flatMap(({ kid }) => kid ?? []))
  return [
    `${days.length} ${days.length === 1 ? "day" : "days"} looked at: ${proved.length} proved with ${entries} entries, ` +
      `${of("wrong").length} wrong, ${of("unknown").length} could not be told` +
      (of("pending").length > 0 ? `, ${of("pending").length} not signed yet` : ""),
    ...[...kids].map((kid) => `signed with ${quote(kid)}`),
  ]
}

/** A digest that came late proves less: what was changed before it is not told by it. */
function formatLate(days: readonly DayProof[]): string[] {
  const late = days.filter(({ day, storedAt }) => storedAt && storedAt >= endOfDay(addDays(day, 1)))
  const [first] = late
  if (!first?.storedAt) return []
  return [
    `${late.length} of the digests were stored more than a day after their day, such as that of ${first.day} at ${first.storedAt.toISOString()}; they prove nothing about the time before.`,
  ]
}

type Shown =
  | Exclude<ProofFinding, { readonly kind: "digestMissing" }>
  | { readonly kind: "digestsMissing"; readonly day: Day; readonly to: Day }

/** Days in a row without digests are one line. */
function collapse(findings: readonly ProofFinding[]): Shown[] {
  const shown: Shown[] = []
  for (const finding of findings) {
    const last = shown.at(-1)
    if (
      finding.kind === "digestMissing" &&
      last?.kind === "digestsMissing" &&
      finding.day === addDays(last.to, 1)
    ) {
      shown[shown.length - 1] = { ...last, to: finding.day }
    } else if (finding.kind === "digestMissing") {
      shown.push({ kind: "digestsMissing", day: finding.day, to: finding.day })
    } else {
      shown.push(finding)
    }
  }
  return shown
}

function formatFinding(finding: Shown): string {
  const { day } = finding
  const line = (what: string, rest: string) => `${day}  ${what}  ${rest}`
  switch (finding.kind) {
    case "digestsMissing":
      return `${range(day, finding.to)}  DIGEST MISSING  no digest is there that a trusted key has signed`
    case "entryChanged": {
      const fields = finding.changes.map(
        ({ field, was, is }) => `${quote(field)} ${shown(was)} -> ${shown(is)}`,
      )
      return line("CHANGED", `${quote(finding.blob)}: ${fields.join(", ")}`)
    }
    case "entryRemoved":
      return line("REMOVED", quote(finding.blob))
    case "entryAdded":
      return line("ADDED LATER", `${quote(finding.blob)}: dated into this day, and its digest has it not`)
    case "dayDiffers":
      return line("DIFFERS", `${finding.found} entries in the listing, ${finding.expected} in the digest`)
    case "digestMalformed":
      return line("NO DIGEST", quote(finding.blob))
    case "digestUntrusted":
      return line(
        "OTHER KEY",
        `${finding.blob} is signed with ${quote(finding.kid)}, which is not trusted here`,
      )
    case "digestForged":
      return line("FORGED", `${finding.blob} was changed, or never signed with ${quote(finding.kid)}`)
    case "digestMisplaced":
      return line("MISPLACED", `${finding.blob} is the digest of ${quote(finding.of)}`)
    case "digestForked":
      return line("TWO DIGESTS", `${finding.blob} is signed, too`)
    case "digestEarly":
      return line("TOO EARLY", `${finding.blob} was stored at ${finding.storedAt.toISOString()}`)
    case "listUnnamed":
      return line(
        "DIGEST REPLACED",
        `${finding.blob} is a list of an earlier digest of this day, which is gone`,
      )
    case "chainBroken":
      return line("CHAIN BROKEN", `${finding.blob}: ${chainBreaks[finding.why]}`)
    case "listBroken":
      return line(
        "LIST BROKEN",
        `${finding.blob} is not the list that the digest names; entries cannot be named`,
      )
  }
}

/** Names and metadata of a store that was tampered with may hold anything. */
function quote(text: string): string {
  return /^[\w./:+=~-]{1,400}$/.test(text) ? text : quoteInput(text, 400)
}

function shown(value: string | undefined): string {
  return value === undefined ? "(none)" : quote(value)
}

function range(from: Day, to: Day): string {
  return from === to ? from : `${from} to ${to}`
}
