import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { readPipelineOptions } from "../../bench/pipelineOptions.ts"

describe("readPipelineOptions", () => {
  it("takes about a minute where nothing is said", () => {
    expect(readPipelineOptions([])).toEqual({ seconds: 2, rounds: 3, inFlight: [1, 16, 64] })
  })

  it("takes what is said", () => {
    const jsonFile = join(tmpdir(), "bench.json")
    const args = ["--seconds", "0.5", "--rounds", "5", "--in-flight", "16,128", "--json", jsonFile]
    expect(readPipelineOptions(args)).toEqual({ seconds: 0.5, rounds: 5, inFlight: [16, 128], jsonFile })
  })

  it.each([
    { args: ["--seconds", "abc"], says: "--seconds" },
    { args: ["--seconds", "0"], says: "--seconds" },
    { args: ["--seconds", "1e9"], says: "--seconds" },
    { args: ["--seconds", "601"], says: "0.2 to 600" },
    { args: ["--rounds", "1.5"], says: "whole number" },
    { args: ["--in-flight", "16,16"], says: "twice" },
    { args: ["--in-flight", ""], says: "--in-flight" },
    { args: ["--in-flight", "1,0"], says: "1 to 1000" },
    { args: ["--json", "/no/such/folder/file.json"], says: "/no/such/folder" },
    { args: ["--bogus"], says: "--bogus" },
    { args: ["extra"], says: "extra" },
  ])("refuses $args", ({ args, says }) => {
    expect(readPipelineOptions(args)).toEqual({ problem: expect.stringContaining(says) })
  })
})
