import { describe, expect, it } from "vitest"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { parseChanges } from "../../../shared/change/parseChanges.ts"

const vault = "https://kv-demo.vault.azure.net"
const version = "0123456789abcdef0123456789abcdef"
const topic = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-demo"
const data = {
  Id: `${vault}/secrets/db-conn/${version}`,
  VaultName: "kv-demo",
  ObjectType: "Secret",
  ObjectName: "db-conn",
  Version: version,
}
const event = {
  id: "e-1",
  topic,
  eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
  eventTime: "2026-01-05T10:00:00.1234567Z",
  data,
}

function problemOf(body: unknown): { readonly message: string; readonly details: unknown } {
  const [item] = parseChanges(body, createAllowList([vault]))
  if (item?.kind !== "poison") throw new Error(`expected poison, not ${item?.kind}`)
  return item.error
}

describe("readEvidence", () => {
  const cloudEvent = { specversion: "1.0", type: event.eventType, id: "e-1", source: topic, time: "t", data }
  it.each([
    { name: "id", body: { ...event, id: 1 } },
    { name: "topic", body: { ...event, topic: "t".repeat(1025) } },
    { name: "eventType", body: { ...event, eventType: "" } },
    { name: "eventTime", body: { ...event, eventTime: 1_767_607_200 } },
    { name: "type", body: { ...cloudEvent, type: null } },
    { name: "source", body: { ...cloudEvent, source: {} } },
    { name: "time", body: { ...cloudEvent, time: "t".repeat(65) } },
    { name: "specversion", body: { ...cloudEvent, specversion: "2.0" } },
  ])("names the member as its schema does: $name", ({ name, body }) => {
    expect(problemOf(body).message).toContain(`The event's ${name} `)
  })
})

describe("readChangeEvent", () => {
  it.each(["Id", "VaultName", "ObjectType", "ObjectName", "Version"])(
    "names data.%s when it is no text",
    (name) => {
      const problem = problemOf({ ...event, data: { ...data, [name]: 7 } })
      expect(problem.message).toContain(`data.${name} is no text`)
    },
  )

  it.each([
    { name: "control characters", Id: "a\u0007b", problem: "control characters" },
    { name: "half a surrogate pair", Id: "a\ud800b", problem: "well-formed" },
    { name: "2049 characters", Id: "a".repeat(2049), problem: "longer than 2048" },
  ])("refuses an id with $name without quoting it", ({ Id, problem }) => {
    const { message } = problemOf({ ...event, data: { ...data, Id } })
    expect(message).toContain(problem)
    expect(message).not.toContain(Id)
  })
})

describe("judgeNotice", () => {
  it("tells an absent id from one that is no version URL", () => {
    expect(problemOf({ ...event, data: {} }).message).toContain("data.Id is absent")
    const { message } = problemOf({ ...event, data: { Id: "db-conn" } })
    expect(message).toContain('data.Id "db-conn" is no version URL: it does not begin with https://')
  })

  it("names the host that is not on the list", () => {
    const Id = `https://other-kv.vault.azure.net:8443/secrets/a/${version}`
    const { message, details } = problemOf({ ...event, data: { Id } })
    expect(message).toContain('"other-kv.vault.azure.net:8443" is not in BACKUP_VAULTS')
    expect(details).toEqual({ host: "other-kv.vault.azure.net:8443" })
  })
})

describe("findContradiction", () => {
  it.each([
    { label: "VaultName", said: "other-kv", meant: "kv-demo" },
    { label: "ObjectType", said: "Certificate", meant: "secret" },
    { label: "ObjectName", said: "other", meant: "db-conn" },
    { label: "Version", said: "ffff", meant: version },
  ])("tells what $label says and what the id says", ({ label, said, meant }) => {
    const problem = problemOf({ ...event, data: { ...data, [label]: said } })
    expect(problem.message).toContain(`its ${label} says "${said}", not "${meant}"`)
    expect(problem.details).toEqual({ object: data.Id })
  })

  it("tells what the topic and what the event type say", () => {
    expect(problemOf({ ...event, topic: `${topic}x` }).message).toContain(`its topic's vault says "kv-demox"`)
    const eventType = "Microsoft.KeyVault.CertificateNewVersionCreated"
    expect(problemOf({ ...event, eventType }).message).toContain(`its event type says "certificate"`)
  })

  it("tells that a secret's event is about a key", () => {
    const { message, details } = problemOf({ ...event, data: { Id: `${vault}/keys/k/${version}` } })
    expect(message).toContain("its event type is about a secret, its id about a key")
    expect(details).toEqual({ host: "kv-demo.vault.azure.net" })
  })

  it("compares with topics of Key Vault alone", () => {
    for (const other of ["/x", "", `${topic}/secrets/a`, topic.replace("KeyVault", "EventGrid")]) {
      expect(parseChanges({ ...event, topic: other }, createAllowList([vault]))).toMatchObject([
        { kind: "change" },
      ])
    }
  })
})
