import type { DeliveredMessage } from "../../../local/eventGrid/delivery.ts"
import { DeliveryError } from "../../../local/eventGrid/deliveryFailure.ts"
import {
  createEventGridRelay,
  type EventGridRelay,
  type RelayOptions,
} from "../../../local/eventGrid/relay.ts"
import { createFaultBook, type FaultBook } from "../../../local/faults/faultBook.ts"
import type { VaultChange } from "../../../local/keyVault/vaultChange.ts"
import { createFakeRelayClock, type FakeRelayClock } from "./fakeRelayClock.ts"

export const secondMs = 1000
export const minuteMs = 60 * secondMs
export const hourMs = 60 * minuteMs

export interface RelayFixture {
  readonly relay: EventGridRelay
  readonly clock: FakeRelayClock
  readonly faults: FaultBook
  /** Everything the endpoint was sent, with the relay's time in milliseconds. */
  readonly attempts: (DeliveredMessage & { readonly atMs: number })[]
  readonly letters: {
    readonly path: string
    readonly body: Record<string, unknown>[]
    readonly atMs: number
  }[]
  /** What the endpoint answers from here on: an HTTP status, 200 takes the message. */
  answer: number | "never"
  /** What the dead-letter container does. */
  container: "ok" | "unavailable" | "missing"
}

export function aRelay(options: Partial<RelayOptions> = {}): RelayFixture {
  const clock = createFakeRelayClock()
  const faults = createFaultBook()
  const fixture: RelayFixture = {
    clock,
    faults,
    attempts: [],
    letters: [],
    answer: 200,
    container: "ok",
    relay: createEventGridRelay({
      subscription: { name: "to-queue", schema: "EventGridSchema" },
      clock,
      faults,
      deliver: async (message) => {
        fixture.attempts.push({ ...message, atMs: clock.elapsedMs() })
        if (fixture.answer === "never") await new Promise(() => {})
        else if (fixture.answer !== 200) throw { httpStatus: fixture.answer }
      },
      deadLetter: async (path, body) => {
        if (fixture.container === "unavailable") throw new DeliveryError("Unavailable", 503)
        if (fixture.container === "missing")
          throw Object.assign(new Error("404"), { code: "ContainerNotFound" })
        const events = JSON.parse(body.toString()) as Record<string, unknown>[]
        fixture.letters.push({ path, body: events, atMs: clock.elapsedMs() })
      },
      ...options,
    }),
  }
  return fixture
}

/** A change of a secret in a vault whose ARM id has capitals. */
export function aVaultChange(changes: Partial<VaultChange> = {}): VaultChange {
  const version = "0123456789abcdef0123456789abcdef"
  return {
    eventType: "SecretNewVersionCreated",
    topic: "/subscriptions/S/resourceGroups/RG/providers/Microsoft.KeyVault/vaults/My-Vault",
    id: `https://my-vault.vault.azure.net/secrets/db-password/${version}`,
    vaultName: "My-Vault",
    objectType: "Secret",
    objectName: "db-password",
    version,
    notBefore: undefined,
    expires: 1_800_000_000,
    changedAt: new Date("2026-02-03T04:05:06.789Z"),
    ...changes,
  }
}
