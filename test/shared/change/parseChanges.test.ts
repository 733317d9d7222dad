import { describe, expect, it } from "vitest"
import { createAllowList } from "../../../shared/change/allowList.ts"
import { formatChangeMessage } from "../../../shared/change/changeMessage.ts"
import { formatVersionUrl } from "../../../shared/change/objectVersion.ts"
import { type ParsedItem, parseChanges } from "../../../shared/change/parseChanges.ts"
import {
  asHandedOver,
  bytesOf,
  type ChangeVector,
  changeVectors,
  kvDemo,
} from "../../support/changeVectors.ts"

/** An item in the notation of the vectors. Of an advice only the expected words are compared. */
function inShort(item: ParsedItem, expected: unknown): unknown {
  if (item.kind === "poison") return item.error.code
  if (item.kind === "skipped") {
    const { kind: _, reason, advice, ...rest } = item
    const words: unknown = Reflect.get(Object(expected), "advice")
    const isExpected = typeof words === "string" && advice?.includes(words) === true
    return {
      skipped: reason,
      ...rest,
      ...(advice === undefined ? {} : { advice: isExpected ? words : advice }),
    }
  }
  const { object, ...rest } = item.change
  return { change: formatVersionUrl(object), ...rest }
}

function judge(body: unknown, { vaults = [kvDemo], expect: expected }: ChangeVector): unknown[] {
  return parseChanges(body, createAllowList(vaults)).map((item, index) => inShort(item, expected[index]))
}

describe("parseChanges", () => {
  it.each(changeVectors)("reads what the library hands over: $name", (vector) => {
    expect(judge(asHandedOver(bytesOf(vector.input)), vector)).toEqual(vector.expect)
  })

  it.each(changeVectors)("reads bytes: $name", (vector) => {
    expect(judge(bytesOf(vector.input), vector)).toEqual(vector.expect)
  })

  it.each(changeVectors)("reads each change back from its change message: $name", (vector) => {
    const allowList = createAllowList(vector.vaults ?? [kvDemo])
    for (const item of parseChanges(bytesOf(vector.input), allowList)) {
      if (item.kind !== "change") continue
      const again = parseChanges(JSON.parse(formatChangeMessage(item.change)), allowList)
      expect(again).toEqual([item])
    }
  })

  const allowList = createAllowList([kvDemo])
  const event = {
    id: "e-1",
    eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
    data: { Id: `${kvDemo}/secrets/db-conn/0123456789abcdef0123456789abcdef` },
  }

  it("judges each of very many events", () => {
    const items = parseChanges(
      Array.from({ length: 100_000 }, () => event),
      allowList,
    )
    expect(items).toHaveLength(100_000)
    expect(new Set(items.map(({ kind }) => kind))).toEqual(new Set(["change"]))
  })

  it("reads an event whose other members are nested very deeply", () => {
    const depth = 200_000
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`)
    expect(parseChanges({ ...event, more: deep }, allowList)).toMatchObject([{ kind: "change" }])
    expect(parseChanges({ ...event, data: deep }, allowList)).toMatchObject([{ kind: "poison" }])
    expect(parseChanges(deep, allowList)).toMatchObject([{ kind: "poison" }])
  })

  it("takes no long time for texts made to be slow", () => {
    const startedAt = performance.now()
    for (const text of [
      "A".repeat(1_000_001),
      `${"A".repeat(1_000_000)}!`,
      "@".repeat(1_000_000),
      "[".repeat(1_000_000),
    ]) {
      expect(parseChanges(text, allowList)).toMatchObject([{ kind: "poison" }])
      expect(parseChanges({ ...event, topic: text, data: { Id: text } }, allowList)).toMatchObject([
        { kind: "poison" },
      ])
    }
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })

  /** 2,000 characters that would be recognised in a text, all of them harmless in a URL. */
  const hostile = "Zq".repeat(1000)
  it.each([
    { name: "an id", body: { ...event, data: { Id: `https://${hostile}` } } },
    {
      name: "an id of one label",
      body: { ...event, data: { Id: `https://kv/secrets/${hostile.slice(0, 300)}/v` } },
    },
    { name: "an event type", body: { ...event, eventType: hostile.slice(0, 256) } },
    {
      name: "a vault that is not on the list",
      body: {
        ...event,
        data: {
          Id: event.data.Id.replace(
            "kv-demo",
            `${hostile.slice(0, 60)}.${hostile.slice(0, 60)}.${hostile.slice(0, 60)}.${hostile.slice(0, 60)}`,
          ),
        },
      },
    },
    { name: "a contradiction", body: { ...event, data: { ...event.data, VaultName: hostile } } },
    { name: "a doubled member", body: { ...event, [hostile]: 1, [`${hostile} `]: 2 } },
    { name: "a format", body: { change: { format: hostile.slice(0, 256) } } },
    { name: "an origin", body: { change: { format: "keyvault-change/1", origin: hostile.slice(0, 256) } } },
    {
      name: "a CloudEvents version",
      body: { ...event, eventType: undefined, specversion: hostile.slice(0, 256) },
    },
    { name: "a body that is no JSON", body: hostile },
  ])("quotes at most 200 characters of $name, in one line of plain text", ({ body }) => {
    const items = parseChanges(JSON.parse(JSON.stringify(body)), allowList)
    expect(items).toMatchObject([{ kind: "poison" }])
    const [item] = items
    const message = item?.kind === "poison" ? item.error.message : ""
    expect(message.match(/zq/gi)?.length ?? 0).toBeLessThanOrEqual(100)
    expect(message).toMatch(/^\[ERR_EVENT_[A-Z_]+\] [ -~]+\.$/)
  })

  it("keeps what a URL may hide out of the error: a password and a token", () => {
    for (const Id of [
      "https://user:hunter2@kv-demo.vault.azure.net/secrets/a",
      `${event.data.Id}?sig=hunter2`,
    ]) {
      const [item] = parseChanges({ ...event, data: { Id } }, allowList)
      expect(JSON.stringify(item)).not.toContain("hunter2")
      expect(item?.kind === "poison" && item.error.message).not.toContain("hunter2")
    }
  })
})
