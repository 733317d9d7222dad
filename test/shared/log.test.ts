import { describe, expect, it } from "vitest"
import { ServiceError } from "../../shared/errors.ts"
import { createLog, errorFields } from "../../shared/log.ts"
import { SecretValue } from "../../shared/secretValue.ts"
import { fakeClock } from "../support/fakeClock.ts"

function lines() {
  const written: [string, string][] = []
  const clock = fakeClock("2026-03-01T10:00:05.123Z")
  return { written, log: createLog((level, line) => written.push([level, line]), clock) }
}

describe("createLog", () => {
  it.each([{ name: "info" }, { name: "warn" }, { name: "error" }] as const)(
    "writes one JSON object a line at level $name",
    ({ name }) => {
      const { log, written } = lines()
      log[name]("something.happened", { count: 2, ok: true, what: "two\nlines", absent: undefined })
      expect(written).toHaveLength(1)
      const [[level, line]] = written as [[string, string]]
      expect(level).toBe(name)
      expect(line).not.toContain("\n")
      expect(JSON.parse(line)).toEqual({
        at: "2026-03-01T10:00:05.123Z",
        level: name,
        event: "something.happened",
        count: 2,
        ok: true,
        what: "two\nlines",
      })
    },
  )

  it("works without fields", () => {
    const { log, written } = lines()
    log.info("started")
    expect(JSON.parse(written[0]![1])).toEqual({ at: expect.any(String), level: "info", event: "started" })
  })

  it("lets no field stand in for the time, the level or the event", () => {
    const { log, written } = lines()
    log.error("real", { at: "x", level: "x", event: "x" })
    expect(JSON.parse(written[0]![1])).toMatchObject({
      at: "2026-03-01T10:00:05.123Z",
      level: "error",
      event: "real",
    })
  })
})

describe("errorFields", () => {
  it("tells code, message, ids, and of the cause name, code and status", () => {
    const cause = Object.assign(new Error("theirs"), {
      name: "RestError",
      code: "Forbidden",
      statusCode: 403,
    })
    const error = new ServiceError("ERR_VAULT_FORBIDDEN", "Key Vault answered 403", {
      details: { object: "https://kv/secrets/a/b" },
      cause,
    })
    expect(errorFields(error)).toEqual({
      code: "ERR_VAULT_FORBIDDEN",
      message: "[ERR_VAULT_FORBIDDEN] Key Vault answered 403",
      object: "https://kv/secrets/a/b",
      causeName: "RestError",
      causeCode: "Forbidden",
      causeStatus: 403,
    })
  })

  const secret = "hunter2-hunter2"
  it.each([
    {
      name: "a foreign error whose message quotes a body",
      thrown: new Error(`cannot parse {"value":"${secret}"}`),
    },
    { name: "a thrown string", thrown: secret },
    { name: "a thrown object", thrown: { value: secret, details: { value: secret } } },
    {
      name: "a cause whose message quotes a body",
      thrown: new ServiceError("ERR_UNKNOWN", "x", { cause: new Error(secret) }),
    },
    {
      name: "a cause whose code is a sentence",
      thrown: new ServiceError("ERR_UNKNOWN", "x", {
        cause: { code: `the value ${secret}`, name: `the ${secret}` },
      }),
    },
    {
      name: "a cause that holds the value",
      thrown: new ServiceError("ERR_UNKNOWN", "x", { cause: new SecretValue(secret) }),
    },
  ])("keeps the text out of a line: $name", ({ thrown }) => {
    const { log, written } = lines()
    log.error("failed", errorFields(thrown))
    expect(written[0]![1]).not.toContain(secret)
  })

  it("does not let an id pass for the code", () => {
    const error = new ServiceError("ERR_UNKNOWN", "x", { details: { code: "theirs", message: "theirs" } })
    expect(errorFields(error)).toMatchObject({ code: "ERR_UNKNOWN", message: "[ERR_UNKNOWN] x" })
  })
})
