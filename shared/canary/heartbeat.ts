const timeoutMs = 10_000

/**
 * Calls a heartbeat URL once, with GET. Redirections are not followed: the URL is a secret of its own kind, and goes to
 * nobody else.
 *
 * @returns what went wrong in one word, a status or the name of an error; `undefined` for an answer of 2xx. Never throws,
 * and nothing it returns quotes the URL.
 */
export async function callHeartbeat(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(timeoutMs) })
    await response.body?.cancel()
    return response.ok ? undefined : String(response.status)
  } catch (error) {
    return error instanceof Error ? error.name : "unknown"
  }
}
