import { describe } from "vitest"

const required = new Set((process.env["REQUIRED_SUITES"] ?? "").split(",").map((name) => name.trim()))

/**
 * A `describe` for tests that need something this machine may lack. Where it is missing, the suite is skipped under
 * its name with the reason; where CI requires the suite (`REQUIRED_SUITES`), it fails instead.
 *
 * @param missing - what is missing, or `undefined` when everything is there.
 */
export function describeWith(
  suite: string,
  missing: string | undefined,
  name: string,
  register: () => void,
): void {
  if (missing !== undefined && required.has(suite)) {
    throw new Error(`The suite ${suite} is required here, but ${missing}`)
  }
  const title = missing === undefined ? name : `${name} (skipped: ${missing})`
  // oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- both come from the caller.
  describe.runIf(missing === undefined)(title, register)
}
