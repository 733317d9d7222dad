import { EventEmitter } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { passwordsFromFile, passwordsFromTerminal } from "../../../local/import/passwordSource.ts"

const folder = mkdtempSync(join(tmpdir(), "password-"))
afterAll(() => rmSync(folder, { recursive: true }))

describe("passwordsFromFile", () => {
  it.each([
    { name: "no line ending", content: "pass word", is: "pass word" },
    { name: "a line ending of an editor", content: "pass word\n", is: "pass word" },
    { name: "one of Windows", content: "pass word\r\n", is: "pass word" },
    { name: "spaces and a line break that belong to it", content: " a \n\n", is: " a \n" },
    { name: "nothing", content: "", is: "" },
  ])("takes the whole text but one line ending: $name", async ({ content, is }) => {
    const path = join(folder, "password")
    writeFileSync(path, content)
    const passwords = passwordsFromFile(path)
    await expect(passwords.passwordOf("a.pfx", 1)).resolves.toBe(is)
    await expect(passwords.passwordOf("a.pfx", 2)).resolves.toBeUndefined()
  })

  it("throws when there is no such file", () => {
    expect(() => passwordsFromFile(join(folder, "absent"))).toThrow(/ENOENT/)
  })
})

/** A terminal at which somebody types; `shown` is all that was printed. */
function aTerminal() {
  const modes: boolean[] = []
  const input = Object.assign(new EventEmitter(), {
    setRawMode: (mode: boolean) => modes.push(mode),
    resume: () => {},
    pause: () => {},
    setEncoding: () => {},
  })
  let shown = ""
  let interrupts = 0
  const output = {
    write: (text: string) => {
      shown += `${modes.at(-1) ? "(no echo) " : ""}${text}`
    },
  }
  const passwords = passwordsFromTerminal(input as never, output as never, () => (interrupts += 1))
  return {
    passwords,
    modes,
    shown: () => shown,
    interrupts: () => interrupts,
    listeners: () => input.listenerCount("data"),
    type: (...keys: string[]) => {
      for (const key of keys) input.emit("data", key)
    },
  }
}

describe("passwordsFromTerminal", () => {
  it("reads a line that it does not show, and leaves the terminal as it was", async () => {
    const { passwords, type, shown, modes, listeners } = aTerminal()
    const answer = passwords.passwordOf("a/site.pfx", 1)
    type("p", "ä", "ss\u007f\u007fs", " 1\r")
    await expect(answer).resolves.toBe("päs 1")
    // What is typed as soon as the question is there must not be echoed either.
    expect(shown()).toBe("(no echo) Password of a/site.pfx: \n")
    expect(modes).toEqual([true, false])
    expect(listeners()).toBe(0)
  })

  it("says that the one before was wrong, and asks three times at most", async () => {
    const { passwords, type, shown } = aTerminal()
    const second = passwords.passwordOf("a.pfx", 2)
    type("x\n")
    await second
    expect(shown()).toContain("That does not open it. Password of a.pfx: ")
    await expect(passwords.passwordOf("a.pfx", 4)).resolves.toBeUndefined()
  })

  it.each([
    { name: "Ctrl-C", key: "\u0003" },
    { name: "Ctrl-D", key: "\u0004" },
  ])("ends with $name", async ({ key }) => {
    const { passwords, type, modes, interrupts } = aTerminal()
    const answer = passwords.passwordOf("a.pfx", 1)
    type(key)
    await expect(answer).resolves.toBeUndefined()
    expect([modes.at(-1), interrupts()]).toEqual([false, 1])
  })
})
