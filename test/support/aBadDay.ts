import { anObject } from "./builders.ts"
import { aGapBlob, aQueuedMessage, aRecordBlob, ordinaryRecords, type Sample } from "./reportSamples.ts"

const minute = 60_000
const hour = 60 * minute
const otherHost = "payments-production-westeurope.vault.azure.net"

/** Numbers from 0 to `count` - 1. */
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

/**
 * A day on which much went wrong: events held back by Event Grid for three hours (C09), a vault that was slow, clocks
 * that disagree, gaps, deferred changes, dead letters, quarantine, and a canary that is overdue.
 *
 * @param ordinary - how many versions had no trouble.
 */
export const aBadDay = (ordinary: number): Sample => ({
  hasCanary: true,
  vaults: [anObject().vault, `https://${otherHost}`],
  blobs: [
    ...ordinaryRecords(ordinary),
    aRecordBlob(anObject({ name: "kvbackup-canary", version: 900_001 }), 5 * hour, [200, 60, 50, 9], {
      origin: "canary",
    }),
    ...upTo(26).map((n) =>
      aRecordBlob(anObject({ name: `held-back-${n}`, version: 5000 + n }), 9 * hour - n * 90_000, [
        3 * hour - n * minute,
        400,
        300,
        20,
      ]),
    ),
    ...upTo(14).map((n) =>
      aRecordBlob(
        anObject({ host: otherHost, name: `retried-${n}-${"long-name-".repeat(8)}end`, version: 6000 + n }),
        4 * hour - n * 200_000,
        [300, n * 31_000 + 9000, 900, 20],
        { attempt: 3, origin: n % 2 === 0 ? "live" : "replay", replays: n % 2 },
      ),
    ),
    aRecordBlob(anObject({ name: "clock-behind", version: 7001 }), 2 * hour, [-400, 100, 50, 9]),
    ...upTo(5).map((n) =>
      aGapBlob(
        anObject({ name: `no-backup-${n}`, version: 8000 + n }),
        (n * 3 + 2) * hour,
        n % 2 === 0 ? "gone" : "disabled",
        n % 2 === 0 ? "ERR_VAULT_VERSION_ABSENT" : "ERR_VAULT_VERSION_DISABLED",
      ),
    ),
  ],
  waiting: [
    ...upTo(7).map((n) =>
      aQueuedMessage(
        anObject({ name: "later", version: 9000 + n }),
        (40 + n) * minute,
        "ERR_VAULT_FIREWALL",
        true,
      ),
    ),
    aQueuedMessage(anObject({ name: "on-its-way", version: 9100 }), 4000),
  ],
  deadLetters: upTo(12).map((n) =>
    aQueuedMessage(
      anObject({ name: "dead", version: 9200 + n }),
      6 * hour + n * minute,
      n % 3 === 0 ? "ERR_QUEUE_LOCK_LOST" : "ERR_STORE_FORBIDDEN",
    ),
  ),
  quarantine: [
    aQueuedMessage(anObject({ name: "stranger", version: 9300 }), 7 * hour, "ERR_EVENT_NOT_ALLOWED"),
  ],
})
