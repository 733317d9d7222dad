import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { readGeneratedPages } from "../../docs/generate.ts"
import { renderErrorsPage } from "../../docs/errorsPage.ts"
import { renderSettingsTable } from "../../docs/settingsPage.ts"
import { settingNames } from "../../shared/config.ts"
import { catalogue } from "../../shared/errorCatalogue.ts"

describe("generated pages", () => {
  it.each(readGeneratedPages().map((page) => ({ name: page.path, ...page })))(
    "$name says what the code says",
    ({ found, wanted }) => {
      expect(found).toBe(wanted)
    },
  )

  it("are checked by a command that ends with 0 when they do", () => {
    const script = fileURLToPath(new URL("../../docs/generate.ts", import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" })
  })
})

describe("renderErrorsPage", () => {
  const page = renderErrorsPage()

  it.each(Object.entries(catalogue).map(([name, entry]) => ({ name, ...entry })))(
    "tells $name with its meaning, exit code and hint",
    ({ name, when, hint, exitCode, disposition }) => {
      expect(page).toContain(`### ${name}\n\n${when}\n\n\`${disposition}\`, exit code ${exitCode}. ${hint}\n`)
    },
  )

  it("tells a blocked network from a missing role as the product does", () => {
    const rowOf = (answer: string) => page.split("\n").find((line) => line.includes(answer))
    expect(rowOf("`AuthorizationFailure`")).toContain("`ERR_STORE_FIREWALL`")
    expect(rowOf("`AuthorizationPermissionMismatch`")).toContain("`ERR_STORE_FORBIDDEN`")
    expect(rowOf("`ForbiddenByConnection`")).toContain("`ERR_VAULT_FIREWALL`")
    expect(rowOf("`SecretDisabled`")).toContain("`ERR_VAULT_VERSION_DISABLED`")
    expect(rowOf("`prevented to connect`")).toContain("`ERR_QUEUE_FIREWALL`")
  })
})

describe("renderSettingsTable", () => {
  const rowOf = (name: string, sources: Record<string, string> = {}) =>
    renderSettingsTable(sources)
      .split("\n")
      .find((line) => line.startsWith(`| \`${name}\``))
      ?.split("|")
      .map((cell) => cell.trim())

  it("has a row for every setting that the schema knows", () => {
    expect(settingNames.length).toBeGreaterThan(20)
    expect(settingNames.filter((name) => rowOf(name) === undefined)).toEqual([])
  })

  it("shows durations as people write them", () => {
    expect(rowOf("BACKUP_RETRY_FIRST_DELAY")?.slice(2, 4)).toEqual([
      "`15s`",
      "a duration from 10ms to 1h, such as 15s, 15m or 24h",
    ])
    expect(rowOf("BACKUP_RETRY_MAX_DELAY")?.[2]).toBe("`15m`")
    expect(rowOf("BACKUP_RETRY_MAX_AGE")?.[2]).toBe("`24h`")
    expect(rowOf("BACKUP_OBJECTIVE")?.[2]).toBe("`p99=60s`")
    expect(rowOf("BACKUP_REPLAY_MAX")?.[2]).toBe("`3`")
  })

  it("says who reads a setting, by the whole name", () => {
    const sources = { worker: "env.BACKUP_QUEUE", other: "env.BACKUP_QUEUE_LONGER" }
    expect(rowOf("BACKUP_QUEUE", sources)?.[4]).toBe("worker")
    expect(rowOf("BACKUP_MODE", sources)?.[4]).toBe("nobody yet")
  })
})
