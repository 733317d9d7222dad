import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { infraFolder, restoreBicep, run } from "../../infra/tools/bicepCli.ts"
import { type BicepServer, startBicepServer } from "../../infra/tools/bicepServer.ts"
import {
  checkFormat,
  checkSnapshots,
  diagnose,
  exampleEnvironment,
  findSilencedLines,
  findUnusedModules,
  lintFile,
} from "../../infra/tools/checks.ts"
import { takeSnapshot } from "../../infra/tools/plans.ts"
import { describeWith } from "../support/requiredSuite.ts"

const bicep = await restoreBicep()
const cli = "path" in bicep ? bicep.path : ""
const project = join(infraFolder, "tools/bicep")

describeWith("bicep", "missing" in bicep ? bicep.missing : undefined, "the real Bicep CLI", () => {
  let directory: string
  let server: BicepServer

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "bicep-"))
    cpSync(join(infraFolder, "bicepconfig.json"), join(directory, "bicepconfig.json"))
    server = startBicepServer(cli)
  })

  afterAll(async () => {
    await server.stop()
    rmSync(directory, { recursive: true })
  })

  /** A file of its own, under the rules of this project. */
  function file(name: string, text: string): string {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }

  /** A plan: what every plan must say, and these lines in place of those of the same parameters. */
  function plan(name: string, lines: Readonly<Record<string, string>>): Promise<string> {
    const given: Readonly<Record<string, string>> = {
      environmentName: "'test'",
      location: "'westeurope'",
      vaults: "[{ name: 'kv-test', source: 'new', permissionModel: 'roles' }]",
      recipients: "'{}'",
      retentionDays: "30",
      retentionPolicyState: "'unlocked'",
      ...lines,
    }
    const text = Object.entries(given).map(([parameter, value]) => `param ${parameter} = ${value}\n`)
    const main = relative(directory, join(infraFolder, "main.bicep"))
    return takeSnapshot(server, file(`${name}.bicepparam`, `using '${main}'\n${text.join("")}`))
  }

  describe("is the one that is pinned", () => {
    it("by version", async () => {
      const [, pinned] =
        /Version="\[([\d.]+)\]"/.exec(readFileSync(join(project, "bicep.csproj"), "utf8")) ?? []
      expect(await server.request("bicep/version", {})).toEqual({ version: pinned })
    })

    it("by its hash: another package is not restored", async () => {
      const copy = join(directory, "project")
      cpSync(join(project, "bicep.csproj"), join(copy, "bicep.csproj"))
      const lock = readFileSync(join(project, "packages.lock.json"), "utf8")
      writeFileSync(
        join(copy, "packages.lock.json"),
        lock.replace(/"contentHash": "..../, '"contentHash": "AAAA'),
      )
      const packages = `-p:RestorePackagesPath=${join(project, "packages")}`
      const { code, stdout } = await run("dotnet", ["restore", "--locked-mode", packages], copy)
      expect(code).not.toBe(0)
      expect(stdout).toContain("NU1403")
    })
  })

  describe("finds nothing in these files", () => {
    it("to format", async () => {
      expect(await checkFormat(server)).toEqual([])
    })

    it.each(["main.bicep", "main.bicepparam"])("to say of %s", async (name) => {
      expect(await lintFile(cli, name, exampleEnvironment)).toEqual([])
    })

    it("that is silenced, or that nobody uses", () => {
      expect(findSilencedLines()).toEqual([])
      expect(findUnusedModules()).toEqual([])
    })

    it("that leads to other resources than the snapshots", async () => {
      expect(await checkSnapshots(server)).toEqual([])
    })
  })

  describe("would say so", () => {
    it.each([
      {
        name: "of a misspelt property, though it only warns",
        text: "resource a 'Microsoft.Storage/storageAccounts@2025-06-01' = {\n  name: 'stexample'\n  location: resourceGroup().location\n  kind: 'StorageV2'\n  sku: { name: 'Standard_ZRS' }\n  properties: { alowSharedKeyAccess: false }\n}\n",
        rule: "BCP089",
      },
      { name: "of a parameter that nobody reads", text: "param unused string\n", rule: "no-unused-params" },
      {
        name: "of an API version of long ago",
        text: "resource a 'Microsoft.KeyVault/vaults@2019-09-01' existing = { name: 'kv' }\noutput id string = a.id\n",
        rule: "use-recent-api-versions",
      },
      {
        name: "of an untyped parameter",
        text: "param any object\noutput all object = any\n",
        rule: "use-user-defined-types",
      },
    ])("$name", async ({ text, rule }) => {
      const said = await diagnose(server, file(`${rule}.bicep`, text))
      expect(said.join("\n")).toContain(rule)
    })

    it("also where all files are linted at once", async () => {
      const path = file("warned.bicep", "param used string\noutput used string = used\nvar unused = 1\n")
      expect((await lintFile(cli, path)).join("\n")).toContain("warned.bicep:3 no-unused-vars")
    })

    it("of an event type that is not backed up, by a compile error", async () => {
      const types = relative(directory, join(infraFolder, "types.bicep"))
      const text = `import { backedUpEventType } from '${types}'\nvar kinds backedUpEventType[] = ['Microsoft.KeyVault.KeyNewVersionCreated']\noutput kinds backedUpEventType[] = kinds\n`
      const said = await diagnose(server, file("eventType.bicep", text))
      expect(said.join("\n")).toMatch(/BCP03[34]/)
    })

    it("of a line that silences it", () => {
      const path = file("silenced.bicep", "#disable-next-line no-unused-params\nparam unused string\n")
      expect(findSilencedLines([path])).toHaveLength(1)
    })

    it("of a missing environment variable, in place of a default", async () => {
      const said = await diagnose(server, join(infraFolder, "main.bicepparam"))
      expect(said.join("\n")).toContain("KVB_RETENTION_DAYS")
    })
  })

  describe("main.bicep refuses", () => {
    it.each([
      {
        name: "to leave the policy to a lock that nobody confirmed",
        lines: { retentionPolicyState: "'locked'" },
        says: "lockRetention.sh first",
      },
      {
        name: "a confirmation of something else",
        lines: { retentionPolicyState: "'locked'", lockConfirmed: "'yes'" },
        says: "lockRetention.sh first",
      },
      {
        name: "to delete what the policy holds",
        lines: { deleteBackupsAfterDays: "30" },
        says: "more than retentionDays",
      },
      {
        name: "a heartbeat that cannot leave",
        lines: { heartbeatUrl: "'https://status.example.com/x'" },
        says: "nothing leaves the network",
      },
      {
        name: "a firewall without a route to it",
        lines: { egress: "'firewall'" },
        says: "firewallRouteTableId",
      },
      {
        name: "an existing vault that is nowhere",
        lines: { vaults: "[{ name: 'kv-test', source: 'existing', permissionModel: 'roles' }]" },
        says: "needs resourceGroupName",
      },
      {
        name: "a new vault with access policies",
        lines: { vaults: "[{ name: 'kv-test', source: 'new', permissionModel: 'accessPolicies' }]" },
        says: "decides by roles",
      },
    ])("$name", async ({ lines, says }) => {
      await expect(plan("refused", lines)).rejects.toThrow(says)
    })

    it("none of this in a plan that is right", async () => {
      expect(await plan("right", {})).toContain("immutabilityPolicies")
    })
  })
})
