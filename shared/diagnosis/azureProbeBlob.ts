import { createHash, randomBytes } from "node:crypto"
import { fromStoreError, isAlreadyThere } from "../azureErrors.ts"
import type { Clock } from "../clock.ts"
import type { AzureStoreOptions } from "../store/azureContainerClient.ts"
import { createPutBlob } from "../store/azurePutBlob.ts"
import { failingVerdict, okVerdict, type Verdict } from "./verdict.ts"

/** Name of a probe blob, fresh at each call: `probe/2026-03-01T12-00-00-000Z-0123456789ab.json`. */
export function nameProbe(clock: Clock): string {
  return `probe/${clock.now().toISOString().replaceAll(/[:.]/g, "-")}-${randomBytes(6).toString("hex")}.json`
}

/** How the two puts of the probe ended. */
export interface ProbeEvidence {
  readonly blob: string
  readonly first: string
  readonly second?: string
}

/**
 * Puts one blob twice, as the worker puts a record, and tells what "it exists" looks like to an identity that may only
 * add. The policy keeps the blob for as long as any record.
 */
export async function putProbe(
  options: AzureStoreOptions,
  blob: string,
  clock: Clock,
): Promise<{ readonly verdict: Verdict; readonly evidence: ProbeEvidence }> {
  const put = createPutBlob(options)
  const body = Buffer.from(JSON.stringify({ format: "kvbackup-probe/1", at: clock.now().toISOString() }))
  const attempt = async () => {
    try {
      const contentMd5 = createHash("md5").update(body).digest("base64")
      await put({ name: blob, body, contentType: "application/json", contentMd5, metadata: {} })
      return { says: "201 Created", isThere: false }
    } catch (error) {
      const { code, message } = fromStoreError(error, {})
      // The message is ours: status and code of the answer, nothing else of it.
      const said = /answered (.+)$/.exec(message)?.[1] ?? code
      return { says: said, isThere: isAlreadyThere(error), error: code }
    }
  }
  const first = await attempt()
  if (first.error !== undefined) {
    const verdict: Verdict = {
      status: "failing",
      verdict: "live.notStored",
      says: `the probe was not stored (${first.says}); see the store above`,
    }
    return { verdict, evidence: { blob, first: first.says } }
  }
  const second = await attempt()
  const evidence = { blob, first: first.says, second: second.says }
  if (second.isThere) {
    return { verdict: okVerdict(`stored once; that it exists is told as ${second.says}`), evidence }
  }
  if (second.error !== undefined) {
    return {
      verdict: {
        status: "unknown",
        verdict: "live.unclear",
        says: `the second put was answered ${second.says}, which does not say that the blob exists`,
      },
      evidence,
    }
  }
  return {
    verdict: failingVerdict("live.overwritten", `${blob} was put twice, and the second put was taken`, {
      what: "Take the right to write from this identity, and see that the container has its policy: records could be replaced.",
      role: "Key Vault backup: add at containers",
      bicep: "roleSource = 'custom'",
    }),
    evidence,
  }
}
