import { CommanderError } from "commander"
import { describe, expect, it } from "vitest"
import { exitCodeOf, formatError } from "../../cli/errorReport.ts"
import { catalogue } from "../../shared/errorCatalogue.ts"
import { type ErrorCode, ServiceError } from "../../shared/errors.ts"

const codes = Object.keys(catalogue).map((name) => ({ name: name as ErrorCode }))
const details = { vault: "https://kv-test.vault.azure.net", object: "db-password" }

describe("formatError", () => {
  it.each(codes)("prints $name in three lines", ({ name }) => {
    const text = formatError(new ServiceError(name, "It went wrong", { details }), false)
    expect(text).toBe(
      `Error: [${name}] It went wrong\nWhere: vault https://kv-test.vault.azure.net, object db-password\nTry:   ${catalogue[name].hint}\n`,
    )
  })

  it("leaves the second line out where there is nothing to name", () => {
    const text = formatError(new ServiceError("ERR_UNKNOWN", "x"), false)
    expect(text.split("\n").map((line) => line.slice(0, 6))).toEqual(["Error:", "Try:  ", ""])
  })

  it.each(codes)("prints $name as a document", ({ name }) => {
    const text = formatError(new ServiceError(name, "It went wrong", { details }), true)
    expect(text.endsWith("}\n")).toBe(true)
    expect(JSON.parse(text)).toEqual({
      format: "kvbackup-error/1",
      code: name,
      message: "It went wrong",
      details,
      try: catalogue[name].hint,
    })
  })

  it("shows nothing of the cause", () => {
    const error = new ServiceError("ERR_UNKNOWN", "x", { cause: new Error("hunter2") })
    expect(formatError(error, false) + formatError(error, true)).not.toContain("hunter2")
  })

  it("takes other advice", () => {
    expect(formatError(new ServiceError("ERR_UNKNOWN", "x"), false, "Do it.")).toContain("Try:   Do it.\n")
  })
})

describe("exitCodeOf", () => {
  it.each(codes)("is the catalogue's for $name", ({ name }) => {
    expect(exitCodeOf(new ServiceError(name, "x"))).toBe(catalogue[name].exitCode)
  })

  it.each([
    { name: "help that was asked for", thrown: new CommanderError(0, "commander.helpDisplayed", ""), is: 0 },
    { name: "wrong usage", thrown: new CommanderError(1, "commander.unknownOption", ""), is: 2 },
    { name: "anything else", thrown: new Error("x"), is: 1 },
  ])("is $is for $name", ({ thrown, is }) => {
    expect(exitCodeOf(thrown)).toBe(is)
  })
})
