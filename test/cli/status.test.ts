import { describe, expect, it } from "vitest"
import { exitCodeOf, formatStatus } from "../../cli/status.ts"
import type { ProtectionStatus } from "../../shared/audit/protectionStatus.ts"

const at = new Date("2026-03-01T12:00:00.000Z")
const vault = "https://kv-test.vault.azure.net"
const quiet: ProtectionStatus = {
  at,
  vaults: [{ vault, records: 0, openGaps: [], publicOnly: [], protectedUpTo: at }],
  queues: {
    waiting: 0,
    deferred: 0,
    deadLettered: 0,
    quarantined: 0,
    deferredBy: [],
    deadLetteredBy: [],
    quarantinedBy: [],
    complete: true,
  },
}
const busy: ProtectionStatus = {
  at,
  vaults: [
    {
      vault,
      records: 2,
      firstPutAt: new Date("2026-02-01T10:00:00.000Z"),
      lastPutAt: new Date("2026-03-01T11:00:00.000Z"),
      openGaps: [
        { id: `${vault}/secrets/a/01`, reason: "disabled", since: new Date("2026-03-01T10:00:00.000Z") },
        { id: `${vault}/secrets/b/02`, reason: "gone" },
      ],
      publicOnly: [],
      protectedUpTo: new Date("2026-03-01T10:00:00.000Z"),
    },
    { vault: "https://127.0.0.1:8443", records: 0, openGaps: [], publicOnly: [], protectedUpTo: at },
  ],
  queues: {
    waiting: 3,
    deferred: 2,
    deadLettered: 1,
    quarantined: 4,
    deferredBy: [
      {
        cause: "ERR_VAULT_THROTTLED",
        count: 2,
        oldest: new Date("2026-03-01T10:00:00.000Z"),
        next: new Date("2026-03-01T12:00:30.000Z"),
      },
    ],
    deadLetteredBy: [
      { cause: "MaxDeliveryCountExceeded", count: 1, oldest: new Date("2026-03-01T09:00:00.000Z") },
    ],
    quarantinedBy: [{ cause: "ERR_EVENT_MALFORMED", count: 4 }],
    complete: false,
  },
}

describe("formatStatus", () => {
  it("fits a quiet installation on a few lines", () => {
    expect(formatStatus(quiet)).toBe(`Vault https://kv-test.vault.azure.net
  protected up to  now (2026-03-01T12:00:00.000Z)
  versions stored  0
Queues
  waiting          0
  deferred         0
  dead letters     0
  quarantine       0
`)
  })

  it("names what is not protected and what is held, by code", () => {
    expect(formatStatus(busy)).toBe(`Vault https://kv-test.vault.azure.net
  protected up to  2026-03-01T10:00:00.000Z
  versions stored  2, first 2026-02-01T10:00:00.000Z, last 2026-03-01T11:00:00.000Z
  NOT PROTECTED    https://kv-test.vault.azure.net/secrets/a/01 (disabled since 2026-03-01T10:00:00.000Z)
  NOT PROTECTED    https://kv-test.vault.azure.net/secrets/b/02 (gone)
Vault https://127.0.0.1:8443
  protected up to  now (2026-03-01T12:00:00.000Z)
  versions stored  0
Queues
  waiting          3
  deferred         2
    2 x ERR_VAULT_THROTTLED, oldest 2026-03-01T10:00:00.000Z, next try 2026-03-01T12:00:30.000Z
  dead letters     1
    1 x MaxDeliveryCountExceeded, oldest 2026-03-01T09:00:00.000Z
  quarantine       4 (more than these: only the first 10,000 of a queue are looked at)
    4 x ERR_EVENT_MALFORMED
`)
  })
})

describe("exitCodeOf a status", () => {
  const { queues, vaults } = quiet
  it.each([
    { name: "quiet", status: quiet, is: 0 },
    {
      name: "changes on their way",
      status: { ...quiet, queues: { ...queues, waiting: 5, deferred: 5 } },
      is: 0,
    },
    { name: "a dead letter", status: { ...quiet, queues: { ...queues, deadLettered: 1 } }, is: 30 },
    { name: "a quarantined message", status: { ...quiet, queues: { ...queues, quarantined: 1 } }, is: 30 },
    { name: "an open gap", status: { ...quiet, vaults: [...vaults, busy.vaults[0]!] }, is: 30 },
    { name: "messages that were not looked at, which wins", status: busy, is: 31 },
  ])("is $is for $name", ({ status, is }) => {
    expect(exitCodeOf(status)).toBe(is)
  })
})
