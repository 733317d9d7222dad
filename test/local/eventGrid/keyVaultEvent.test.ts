import { EventGridDeserializer, isSystemEvent } from "@azure/eventgrid"
import { describe, expect, it } from "vitest"
import { keyVaultEvent } from "../../../local/eventGrid/keyVaultEvent.ts"
import { aVaultChange } from "./relayFixture.ts"

const topic = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.KeyVault/vaults/My-Vault"
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const time = /^2026-02-03T04:05:06\.789\d{4}Z$/
const data = {
  Id: "https://my-vault.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef",
  VaultName: "My-Vault",
  ObjectType: "Secret",
  ObjectName: "db-password",
  Version: "0123456789abcdef0123456789abcdef",
  NBF: null,
  EXP: 1_800_000_000,
}

describe("keyVaultEvent", () => {
  it("has Event Grid's own form", () => {
    expect(keyVaultEvent(aVaultChange(), "EventGridSchema")).toEqual({
      id: expect.stringMatching(guid),
      topic,
      subject: "db-password",
      eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
      eventTime: expect.stringMatching(time),
      data,
      dataVersion: "1",
      metadataVersion: "1",
    })
  })

  it("has the CloudEvents form, without versions of data and metadata", () => {
    expect(keyVaultEvent(aVaultChange(), "CloudEventSchemaV1_0")).toEqual({
      id: expect.stringMatching(guid),
      source: topic,
      subject: "db-password",
      type: "Microsoft.KeyVault.SecretNewVersionCreated",
      time: expect.stringMatching(time),
      data,
      specversion: "1.0",
    })
  })

  it("is what the SDK's deserializer takes for a Key Vault event", async () => {
    const event = keyVaultEvent(aVaultChange({ notBefore: 1_700_000_000 }), "EventGridSchema")
    const [read] = await new EventGridDeserializer().deserializeEventGridEvents(JSON.stringify(event))
    if (!read || !isSystemEvent("Microsoft.KeyVault.SecretNewVersionCreated", read))
      throw new Error("not one")
    expect(read.data).toEqual({ ...data, NBF: 1_700_000_000 })
    expect(read.eventTime.toISOString()).toBe("2026-02-03T04:05:06.789Z")
  })

  it("has a new id each time", () => {
    const ids = [1, 2].map(() => keyVaultEvent(aVaultChange(), "EventGridSchema")["id"])
    expect(ids[0]).not.toBe(ids[1])
  })
})
