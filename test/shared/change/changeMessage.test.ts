import { describe, expect, it } from "vitest"
import { formatChangeMessage } from "../../../shared/change/changeMessage.ts"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { parseChanges } from "../../../shared/change/parseChanges.ts"

const vault = "https://kv-demo.vault.azure.net"
const version = "0123456789abcdef0123456789abcdef"
const object = { vault, host: "kv-demo.vault.azure.net", kind: "secret", name: "db-conn", version } as const
const id = `${vault}/secrets/db-conn/${version}`

describe("formatChangeMessage", () => {
  it("writes one top-level member, and leaves out what is absent", () => {
    expect(JSON.parse(formatChangeMessage({ object, origin: "reconcile" }))).toEqual({
      change: { format: "keyvault-change/1", id, origin: "reconcile" },
    })
  })

  it("writes the evidence of the event under its own names", () => {
    const event = {
      id: "e-1",
      type: "Microsoft.KeyVault.SecretNewVersionCreated",
      time: "2026-01-05T10:00:00.1234567Z",
      topic: "/t",
    }
    expect(JSON.parse(formatChangeMessage({ object, origin: "live", event }))).toEqual({
      change: {
        format: "keyvault-change/1",
        id,
        origin: "live",
        eventId: event.id,
        eventType: event.type,
        eventTime: event.time,
        topic: event.topic,
      },
    })
  })
})

describe("readChangeMessage", () => {
  const problemOf = (change: unknown) => {
    const [item] = parseChanges({ change }, createAllowList([vault]))
    return item?.kind === "poison" ? item.error.message : item
  }

  it("names the format it does not know, and the one it does", () => {
    const problem = problemOf({ format: "keyvault-change/2", id, origin: "live" })
    expect(problem).toMatch(/"keyvault-change\/2".*keyvault-change\/1/)
  })

  it("names the origin it does not know, and those it does", () => {
    const problem = problemOf({ format: "keyvault-change/1", id, origin: "manual" })
    expect(problem).toMatch(/"manual".*live, replay, reconcile, restore, canary/)
  })

  it.each([
    { name: "format", change: { format: 1, id, origin: "live" } },
    { name: "origin", change: { format: "keyvault-change/1", id, origin: ["live"] } },
    { name: "id", change: { format: "keyvault-change/1", id: 1, origin: "live" } },
    {
      name: "eventId",
      change: { format: "keyvault-change/1", id, origin: "live", eventId: "e".repeat(257) },
    },
    { name: "eventType", change: { format: "keyvault-change/1", id, origin: "live", eventType: {} } },
    {
      name: "eventTime",
      change: { format: "keyvault-change/1", id, origin: "live", eventTime: "2".repeat(65) },
    },
    { name: "topic", change: { format: "keyvault-change/1", id, origin: "live", topic: "t".repeat(1025) } },
  ])("names the member that is wrong: $name", ({ name, change }) => {
    expect(problemOf(change)).toMatch(new RegExp(`ERR_EVENT_MALFORMED.*change\\.${name} `))
  })
})
