import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { isDisabled, resolveBindingText } from "../../../local/functionsHost/appSettings.ts"
import { parseTimeSpan, readHostSettings } from "../../../local/functionsHost/hostSettings.ts"
import { createLogFilter } from "../../../local/functionsHost/logFilter.ts"

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "host-settings-"))
})
afterEach(() => rm(directory, { recursive: true }))

const read = async (hostJson: object) => {
  await writeFile(join(directory, "host.json"), JSON.stringify(hostJson))
  return readHostSettings(directory)
}

describe("readHostSettings", () => {
  it("takes the Service Bus section and the function timeout", async () => {
    const settings = await read({
      version: "2.0",
      functionTimeout: "00:10:00",
      extensions: {
        serviceBus: {
          maxConcurrentCalls: 3,
          autoCompleteMessages: false,
          maxAutoLockRenewalDuration: "00:01:30",
          clientRetryOptions: { mode: "fixed", delay: "00:00:00.80", maxDelay: "00:00:05", maxRetries: 0 },
        },
      },
    })
    expect(settings).toMatchObject({
      functionTimeoutMs: 600_000,
      routePrefix: "api",
      serviceBus: {
        maxConcurrentCalls: 3,
        autoCompleteMessages: false,
        maxAutoLockRenewalMs: 90_000,
        retry: { mode: "fixed", delayMs: 800, maxDelayMs: 5000, maxRetries: 0, tryTimeoutMs: 60_000 },
      },
    })
  })

  it("has the extension's defaults", async () => {
    const { serviceBus, functionTimeoutMs } = await read({ version: "2.0", functionTimeout: "-1" })
    expect(functionTimeoutMs).toBeUndefined()
    expect(serviceBus).toMatchObject({ autoCompleteMessages: true, maxAutoLockRenewalMs: 300_000 })
    expect(serviceBus.maxConcurrentCalls % 16).toBe(0)
  })

  it("reads the project's own host.json", async () => {
    const settings = await readHostSettings(new URL("../../../", import.meta.url).pathname)
    expect(settings.serviceBus).toMatchObject({ maxConcurrentCalls: 16, autoCompleteMessages: true })
  })

  it("names every wrong setting", async () => {
    const wrong = { maxConcurrentCalls: 0, maxAutoLockRenewalDuration: "5 minutes" }
    await expect(read({ version: "2.0", extensions: { serviceBus: wrong } })).rejects.toThrow(
      /maxConcurrentCalls: .*maxAutoLockRenewalDuration: must be a time span/,
    )
  })
})

describe("parseTimeSpan", () => {
  it.each([
    { text: "00:00:01", ms: 1000 },
    { text: "00:00:00.80", ms: 800 },
    { text: "1.02:03:04", ms: 93_784_000 },
    { text: "5", ms: undefined },
    { text: "", ms: undefined },
  ])("reads '$text' as $ms ms", ({ text, ms }) => {
    expect(parseTimeSpan(text)).toBe(ms)
  })
})

describe("createLogFilter", () => {
  it("lets the longest fitting category decide", () => {
    const isWritten = createLogFilter({
      default: "warning",
      Function: "error",
      "Function.backup": "information",
      "Function.backup.User": "debug",
    })
    expect(isWritten("Host", "warning")).toBe(true)
    expect(isWritten("Host", "information")).toBe(false)
    expect(isWritten("Function.other.User", "warning")).toBe(false)
    expect(isWritten("Function.backup", "information")).toBe(true)
    expect(isWritten("Function.backup", "debug")).toBe(false)
    expect(isWritten("Function.backup.User", "debug")).toBe(true)
    expect(isWritten("Function.backupOther", "warning")).toBe(false)
  })

  it("writes information and above without settings", () => {
    const isWritten = createLogFilter({})
    expect(isWritten("Function.a.User", "information")).toBe(true)
    expect(isWritten("Function.a.User", "debug")).toBe(false)
  })
})

describe("resolveBindingText", () => {
  it("replaces settings and names the one that is missing", () => {
    expect(resolveBindingText("a-%X%-%Y%", { X: "1", Y: "2" })).toBe("a-1-2")
    expect(() => resolveBindingText("%X%-%Z%", { X: "1" })).toThrow("'%Z%' does not resolve to a value.")
  })
})

describe("isDisabled", () => {
  it.each([
    { settings: { "AzureWebJobs.f.Disabled": "true" }, expected: true },
    { settings: { AzureWebJobs_f_Disabled: "1" }, expected: true },
    { settings: { "AzureWebJobs.f.Disabled": "false" }, expected: false },
    { settings: { "AzureWebJobs.g.Disabled": "true" }, expected: false },
  ])("is $expected for $settings", ({ settings, expected }) => {
    expect(isDisabled("f", settings)).toBe(expected)
  })
})
