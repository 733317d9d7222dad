import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { assertNoCloudHere, claimKeepDirectory } from "../../../local/cloud/claimDirectory.ts"
import { StartError } from "../../../local/cloud/startError.ts"

const root = mkdtempSync(join(tmpdir(), "claim-"))
const folder = (name: string) => join(root, name)

/** A process that lives, and one that has ended. */
const alive = spawn("sleep", ["600"], { stdio: "ignore" })
const ended = spawn("true", { stdio: "ignore" })
const hasEnded = once(ended, "exit")

beforeAll(() => hasEnded)
afterAll(() => {
  alive.kill()
  rmSync(root, { recursive: true })
})

function writePid(file: string, pid: unknown): void {
  mkdirSync(join(file, ".."), { recursive: true })
  writeFileSync(file, JSON.stringify({ pid }))
}

describe("assertNoCloudHere", () => {
  it("refuses a folder in which another cloud runs, and names its process", () => {
    writePid(join(folder("running"), ".local", "cloud.json"), alive.pid)
    expect(() => assertNoCloudHere(folder("running"))).toThrow(StartError)
    expect(() => assertNoCloudHere(folder("running"))).toThrow(`process ${alive.pid}`)
  })

  it.each([
    { name: "of a process that has ended", pid: ended.pid },
    { name: "without a process", pid: "none" },
  ])("takes a folder with a cloud.json $name", ({ name, pid }) => {
    writePid(join(folder(name), ".local", "cloud.json"), pid)
    expect(() => assertNoCloudHere(folder(name))).not.toThrow()
  })
})

describe("claimKeepDirectory", () => {
  it("takes a new folder and an empty one, and takes them again after the process has ended", () => {
    mkdirSync(folder("empty"))
    for (const name of ["new/and/deep", "empty"]) {
      claimKeepDirectory(folder(name))
      expect(JSON.parse(readFileSync(join(folder(name), "cloud.pid"), "utf8"))).toEqual({ pid: process.pid })
      writePid(join(folder(name), "cloud.pid"), ended.pid)
      writeFileSync(join(folder(name), "cloud-identity.json"), "{}")
      expect(() => claimKeepDirectory(folder(name))).not.toThrow()
    }
  })

  it("refuses a kept cloud that runs", () => {
    writePid(join(folder("kept"), "cloud.pid"), alive.pid)
    expect(() => claimKeepDirectory(folder("kept"))).toThrow(`runs already (process ${alive.pid})`)
  })

  it("refuses a file, and a folder of other files, and leaves them as they are", () => {
    writeFileSync(folder("file"), "x")
    mkdirSync(folder("docs"))
    writeFileSync(join(folder("docs"), "page.md"), "x")
    expect(() => claimKeepDirectory(folder("file"))).toThrow("needs a folder")
    expect(() => claimKeepDirectory(folder("docs"))).toThrow("holds other files")
    expect(readFileSync(folder("file"), "utf8")).toBe("x")
  })
})
