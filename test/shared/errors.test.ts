import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { catalogue } from "../../shared/errorCatalogue.ts"
import {
  describeError,
  type ErrorCode,
  isErrorCode,
  ServiceError,
  toServiceError,
} from "../../shared/errors.ts"

const codes = Object.keys(catalogue) as ErrorCode[]

/** The contract: what each code means for settlement and for a command. Changing a row breaks callers. */
const pinned: Record<ErrorCode, readonly [disposition: string, exitCode: number]> = {
  ERR_CONFIG_INVALID: ["stop", 2],
  ERR_UNKNOWN: ["retry", 1],
  ERR_EVENT_MALFORMED: ["poison", 20],
  ERR_EVENT_NOT_ALLOWED: ["poison", 20],
  ERR_EVENT_LOSSY: ["throw", 20],
  ERR_EVENT_COLLISION: ["poison", 20],
  ERR_VAULT_RESPONSE_INVALID: ["retry", 24],
  ERR_VAULT_VALUE_ABSENT: ["gap", 21],
  ERR_VAULT_VERSION_ABSENT: ["gap", 21],
  ERR_VAULT_VERSION_DISABLED: ["gap", 21],
  ERR_VAULT_KEY_NOT_EXPORTABLE: ["stop", 21],
  ERR_VAULT_FIREWALL: ["retry", 22],
  ERR_VAULT_CHALLENGE: ["retry", 23],
  ERR_VAULT_FORBIDDEN: ["retry", 23],
  ERR_VAULT_THROTTLED: ["retry", 24],
  ERR_VAULT_UNAVAILABLE: ["retry", 22],
  ERR_STORE_FIREWALL: ["retry", 22],
  ERR_STORE_FORBIDDEN: ["retry", 23],
  ERR_STORE_UNAVAILABLE: ["retry", 22],
  ERR_STORE_NOT_FOUND: ["stop", 25],
  ERR_STORE_NOT_IMMUTABLE: ["stop", 25],
  ERR_STORE_CONFLICT: ["stop", 26],
  ERR_SEAL_INTEGRITY: ["stop", 26],
  ERR_SEAL_NO_KEY: ["stop", 26],
  ERR_FORMAT_NEWER: ["stop", 26],
  ERR_QUEUE_FORBIDDEN: ["retry", 23],
  ERR_QUEUE_FIREWALL: ["retry", 22],
  ERR_QUEUE_NOT_FOUND: ["retry", 25],
  ERR_QUEUE_UNAVAILABLE: ["retry", 22],
  ERR_QUEUE_LOCK_LOST: ["retry", 24],
  ERR_REPLAY_LEASE_HELD: ["stop", 27],
  ERR_REPLAY_PLAN_CHANGED: ["stop", 27],
  ERR_REPLAY_UNCONFIRMED: ["retry", 27],
  ERR_RESTORE_TARGET_EXISTS: ["stop", 27],
  ERR_RESTORE_TARGET_DELETED: ["stop", 27],
  ERR_RESTORE_CERTIFICATE_EXPIRED: ["stop", 27],
  ERR_RESTORE_OTHER_CLOUD: ["stop", 27],
  ERR_RESTORE_DIFFERS: ["stop", 27],
  ERR_DIGEST_KEY: ["stop", 26],
  ERR_DIGEST_CHAIN: ["stop", 26],
  ERR_DIGEST_LISTING: ["stop", 25],
  ERR_CANARY_LATE: ["stop", 30],
  ERR_IDENTITY_UNAVAILABLE: ["retry", 23],
}

/** A hint tells what to do: its first word is one of these, or the list grows on purpose. */
const verbs = /^(Add|Assign|Check|Do|Enable|Find|Link|Look|Lower|Run|Set|Upgrade|Use|Wait)\b/

describe("catalogue", () => {
  it.each(codes.map((name) => ({ name })))("$name has a hint that begins with a verb", ({ name }) => {
    const { hint, when } = describeError(name)
    expect(hint).toMatch(verbs)
    expect(hint).toMatch(/[.]$/)
    expect(when).toMatch(/[.]$/)
  })

  it.each(codes.map((name) => ({ name })))("$name keeps its disposition and exit code", ({ name }) => {
    const { disposition, exitCode } = describeError(name)
    expect([disposition, exitCode]).toEqual(pinned[name])
  })

  it("keeps clear of the exit codes that Node itself uses", () => {
    for (const code of codes) {
      const { exitCode } = catalogue[code]
      expect(exitCode <= 2 || exitCode >= 20).toBe(true)
    }
  })

  it("writes each code once: a repeated key would silently replace the first", () => {
    const source = readFileSync(join(import.meta.dirname, "../../shared/errorCatalogue.ts"), "utf8")
    const written = [...source.matchAll(/^ {2}(ERR_\w+): \{$/gm)].map(([, code]) => code)
    expect(written).toEqual(codes)
    expect(new Set(written).size).toBe(written.length)
  })

  it("has every code that the product names anywhere", () => {
    const root = join(import.meta.dirname, "../..")
    const files = ["shared", "functions", "cli"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file) => join(root, folder, file)),
    )
    // Node.js has codes of this form too, for TLS.
    const named = files.flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/"(ERR_(?!TLS_|SSL_)[A-Z]+_[A-Z_]+)"/g)].map(
        ([, code]) => code,
      ),
    )
    expect(named.filter((code) => !isErrorCode(code))).toEqual([])
  })
})

describe("isErrorCode", () => {
  it.each([
    { name: "a code", text: "ERR_UNKNOWN", is: true },
    { name: "another word", text: "ERR_OTHER", is: false },
    { name: "a name of every object", text: "toString", is: false },
    { name: "a number", text: 20, is: false },
    { name: "nothing", text: undefined, is: false },
  ])("tells $name", ({ text, is }) => {
    expect(isErrorCode(text)).toBe(is)
  })
})

describe("ServiceError", () => {
  it("carries code, ids, cause and the service's wish to be left alone", () => {
    const cause = new Error("theirs")
    const error = new ServiceError("ERR_VAULT_THROTTLED", "Slow down", {
      details: { object: "x" },
      cause,
      retryAfterMs: 3000,
    })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: "ServiceError",
      code: "ERR_VAULT_THROTTLED",
      message: "[ERR_VAULT_THROTTLED] Slow down",
      details: { object: "x" },
      cause,
      retryAfterMs: 3000,
    })
  })

  it("has no cause when there is none", () => {
    expect("cause" in new ServiceError("ERR_UNKNOWN", "x")).toBe(false)
  })
})

describe("toServiceError", () => {
  it("gives a ServiceError back as it is", () => {
    const error = new ServiceError("ERR_UNKNOWN", "x")
    expect(toServiceError(error)).toBe(error)
  })

  it.each([
    { name: "an Error", thrown: new TypeError("the value is hunter2"), says: "TypeError" },
    { name: "a string", thrown: "hunter2", says: "string" },
    { name: "nothing", thrown: undefined, says: "undefined" },
    { name: "null", thrown: null, says: "object" },
  ])("takes $name for unknown and does not quote it", ({ thrown, says }) => {
    const error = toServiceError(thrown)
    expect(error.code).toBe("ERR_UNKNOWN")
    expect(error.message).toContain(says)
    expect(error.message).not.toContain("hunter2")
    expect(error.cause).toBe(thrown)
  })
})
