import { describe, expect, it } from "vitest"
import { exitCodeOf } from "../../cli/status.ts"
import { formatStatus } from "../../cli/statusText.ts"
import { toStatus } from "../../shared/audit/statusReport.ts"
import { aLedger, at } from "../support/aLedger.ts"
import { host, vault } from "../support/builders.ts"

const port = "127.0.0.1:8443"
const since = at("00:00:00")

async function aBusyDay() {
  const { record, gap, send, changes, quarantine, read } = aLedger()
  for (let n = 1; n <= 5; n += 1) record(n, at(`10:0${n}:00`), { eventAt: at(`10:0${n - 1}:5${n}`) })
  record(6, at("11:00:00"), { origin: "canary" }, { name: "canary" })
  for (let n = 0; n < 6; n += 1) gap(0x10 + n, "disabled", at(`10:30:0${n}`), { host: port })
  record(7, at("09:00:00"), { isPublicOnly: true }, { kind: "certificate", name: "tls" })
  await send(0x20, "11:58:00")
  await send(0x21, "11:00:00", {
    "kvb-attempt": "3",
    "kvb-first-enqueued": at("11:00:01").toISOString(),
    "kvb-last-code": "ERR_VAULT_THROTTLED",
  })
  await send(0x22, "11:40:00", { "kvb-last-code": "ERR_EVENT_COLLISION" }, quarantine)
  changes.deadLetter(await send(0x23, "11:30:00"), "MaxDeliveryCountExceeded")
  return read({ since, vaults: [vault, `https://${port}`] }, { hasCanary: true })
}

describe("formatStatus", () => {
  it("fits a quiet installation on a few lines", async () => {
    expect(formatStatus(toStatus(await aLedger().read({ since }))))
      .toBe(`Vault https://kv-test.vault.azure.net
  protected up to  now (2026-03-01T12:00:00.000Z)
  versions stored  0
Latency            no versions of the last 12 h: nothing to measure
Queues
  waiting          0
  deferred         0
  dead letters     0
  quarantine       0
`)
  })

  it("tells the percentiles and the objective", async () => {
    const { record, read } = aLedger()
    for (let n = 0; n < 100; n += 1) record(n, at(`10:00:${String(n % 60).padStart(2, "0")}`))
    record(100, at("11:00:00"), { eventAt: at("10:58:59.999") })
    const text = formatStatus(toStatus(await read({ since })))
    expect(text.split("\n").slice(3, 5)).toEqual([
      "Latency            p50 2.000 s  p95 2.000 s  p99 2.000 s, 101 versions of the last 12 h",
      "  p99=60s          met: 1 of 101 missed it, 1 may",
    ])
  })

  it("fits a bad day on one screen, what needs attention first", async () => {
    const text = formatStatus(toStatus(await aBusyDay()))
    expect(text).toBe(`Vault https://127.0.0.1:8443
  protected up to  2026-03-01T10:30:00.000Z
  versions stored  0
  NOT PROTECTED    https://127.0.0.1:8443/secrets/db-password/00000000000000000000000000000010 (disabled since 2026-03-01T10:30:00.000Z)
  NOT PROTECTED    https://127.0.0.1:8443/secrets/db-password/00000000000000000000000000000011 (disabled since 2026-03-01T10:30:01.000Z)
  NOT PROTECTED    https://127.0.0.1:8443/secrets/db-password/00000000000000000000000000000012 (disabled since 2026-03-01T10:30:02.000Z)
  NOT PROTECTED    https://127.0.0.1:8443/secrets/db-password/00000000000000000000000000000013 (disabled since 2026-03-01T10:30:03.000Z)
  NOT PROTECTED    and 2 more: kvbackup audit
Vault https://kv-test.vault.azure.net
  protected up to  2026-03-01T11:00:00.000Z
  versions stored  7, first 2026-03-01T09:00:00.000Z, last 2026-03-01T11:00:00.000Z
  PUBLIC PART ONLY https://kv-test.vault.azure.net/certificates/tls/00000000000000000000000000000007 (its policy keeps the private key in the vault)
Latency            p50 6.000 s  p95 9.000 s  p99 9.000 s (the maximum: fewer than 100), 6 versions of the last 12 h
  p99=60s          NOT MET: 6 of 12 missed it, 0 may
Canary             1 h old
Queues
  waiting          1, the oldest here for 59 min 59 s
  deferred         1
    1 x ERR_VAULT_THROTTLED, oldest 2026-03-01T11:00:01.000Z
  dead letters     1
    1 x MaxDeliveryCountExceeded, oldest 2026-03-01T11:59:30.000Z
  quarantine       1
    1 x ERR_EVENT_COLLISION, oldest 2026-03-01T11:59:30.000Z
`)
    expect(text.split("\n").length).toBeLessThan(40)
  })

  it("stays on one screen with many vaults, and leaves out those in the least need", async () => {
    const { gap, read } = aLedger()
    const hosts = Array.from(
      { length: 40 },
      (_value, n) => `kv-${String(n).padStart(2, "0")}.vault.azure.net`,
    )
    gap(1, "gone", at("09:00:00"), { host: "kv-37.vault.azure.net" })
    const lines = formatStatus(
      toStatus(await read({ since, vaults: hosts.map((one) => `https://${one}`) })),
    ).split("\n")
    expect(lines.length).toBeLessThan(40)
    expect(lines[0]).toBe("Vault https://kv-37.vault.azure.net")
    expect(lines).toContain("And 34 more vaults (--json shows them), each protected up to")
    expect(lines).toContain("  now (2026-03-01T12:00:00.000Z)")
  })

  it("calls what could not be read unknown, and says what to do", async () => {
    const { read, put, gap } = aLedger()
    gap(1, "gone", at("10:00:00"))
    put("backup.zip", {}, at("10:00:00"))
    const report = await read({ since })
    const status = toStatus(report)
    const text = formatStatus({
      ...status,
      queues: undefined,
      vaults: status.vaults.map((one) => ({
        ...one,
        protectedUpTo: "unknown",
        notProtectedAfter: "2026-03-01T10:00:00.000Z",
      })),
      problems: [
        {
          code: "ERR_QUEUE_FORBIDDEN",
          message: "The queue refused",
          count: 1,
          samples: ["keyvault-changes"],
        },
        ...status.problems,
      ],
    })
    expect(text).toContain("protected up to  unknown, not after 2026-03-01T10:00:00.000Z\n")
    expect(text).toContain("Queues             unknown: they could not be read\n")
    expect(text).toContain(`Incomplete
  1 x ERR_QUEUE_FORBIDDEN: The queue refused
    such as keyvault-changes
    Assign the Service Bus data role on the queue to the identity.
  1 x foreign-blob: blobs that this product did not write
    such as backup.zip
`)
  })

  it("says of a canary that never came, or not for long, that it is missing", async () => {
    const { record, read } = aLedger()
    const line = async () =>
      formatStatus(toStatus(await read({ since }, { hasCanary: true })))
        .split("\n")
        .find((text) => text.startsWith("Canary"))
    expect(await line()).toBe("Canary             NEVER CAME THROUGH")
    record(1, at("09:00:00"), { origin: "canary" })
    expect(await line()).toBe(
      "Canary             3 h old: OVERDUE, changes do not get through or none is sent",
    )
  })
})

describe("exitCodeOf", () => {
  it.each([
    { name: "quiet", report: { complete: true, attention: [] }, is: 0 },
    { name: "a gap", report: { complete: true, attention: ["gap"] }, is: 30 },
    { name: "what could not be told, which wins", report: { complete: false, attention: ["gap"] }, is: 31 },
  ])("is $is for $name", ({ report, is }) => {
    expect(exitCodeOf(report)).toBe(is)
  })

  it("is 30 for the bad day", async () => {
    const report = await aBusyDay()
    expect([exitCodeOf(report), report.attention]).toEqual([
      30,
      ["gap", "public-only", "objective", "waiting", "dead-letter", "quarantine"],
    ])
    expect(report.vaults.map((one) => one.vault)).toEqual([`https://${host}`, `https://${port}`])
  })
})
