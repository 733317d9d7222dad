import { describe, expect, it } from "vitest"
import { formatAuditTable } from "../../cli/auditTable.ts"
import { aLedger, at } from "../support/aLedger.ts"
import { vault } from "../support/builders.ts"

const other = "https://127.0.0.1:8443"

async function tableOf() {
  const { record, gap, send, put, read } = aLedger()
  record(1, at("10:00:00.500"))
  record(2, at("10:05:00.000"), { attempt: 3, eventAt: at("10:03:30.000") })
  record(3, at("10:06:00.000"), { eventAt: at("10:06:00.200") })
  record(4, at("11:00:00.000"), { origin: "canary" }, { host: "127.0.0.1:8443" })
  gap(5, "disabled", at("10:10:00"))
  put("junk.txt", {}, at("10:00:00"))
  put("digest/v1/2026-02-28.json", {}, at("00:40:00"))
  await send(6, "11:59:00")
  const query = { since: at("00:00:00"), vaults: [vault, other] }
  return [...formatAuditTable(await read(query, { hasCanary: true }))].join("")
}

describe("formatAuditTable", () => {
  it("tells everything that an operator asks for, exact to the millisecond", async () => {
    expect(await tableOf()).toMatchInlineSnapshot(`
      "Audit of https://kv-test.vault.azure.net, https://127.0.0.1:8443
        period           2026-03-01T00:00:00.000Z to 2026-03-01T12:00:00.000Z, by the time the service witnessed
        blobs            4 records, 1 gap, 1 digest, 1 foreign
        answer           INCOMPLETE, see below
        attention        gap, objective

      Objective p99=60s: NOT MET
        versions         4: 3 measured, 0 not measurable, 1 not protected
        in time          2, late 1
        p99              not protected: of 4 versions it means nothing, it is the maximum
        stored ones      p50 2.000 s, p90 90.000 s, p95 90.000 s, p99 90.000 s, max 90.000 s
        error budget     0 versions may miss it, 2 did, -2 left
        clock skew       1 version with a latency below 0, down to -200 ms

      Vault                            protected up to           stored  gaps  public only  measured  p99  late
      https://kv-test.vault.azure.net  2026-03-01T10:10:00.000Z       3     1            0         3    -     1
      https://127.0.0.1:8443           2026-03-01T12:00:00.000Z       1     0            0         0    -     0

      Origin          Stage            n  below 0       min       p50       p90       p95        p99       max
      live            changeToEvent    3        0   0.000 s   0.200 s   0.500 s   0.500 s   0.500 s*   0.500 s
      live            eventToQueue     3        1  -1.700 s   0.500 s  88.500 s  88.500 s  88.500 s*  88.500 s
      live            queueToFunction  3        0   0.300 s   0.300 s   0.300 s   0.300 s   0.300 s*   0.300 s
      live            functionToRead   3        0   1.100 s   1.100 s   1.100 s   1.100 s   1.100 s*   1.100 s
      live            readToPut        3        0   0.100 s   0.100 s   0.100 s   0.100 s   0.100 s*   0.100 s
      live            putToWitness     3        0  -0.500 s   0.000 s   0.000 s   0.000 s   0.000 s*   0.000 s
      live            queueToPut       3        0   1.500 s   1.500 s   1.500 s   1.500 s   1.500 s*   1.500 s
      live            eventToPut       3        1  -0.200 s   2.000 s  90.000 s  90.000 s  90.000 s*  90.000 s
      live            changeToPut      3        0   0.000 s   2.500 s  90.000 s  90.000 s  90.000 s*  90.000 s
      live, at once   changeToEvent    2        0   0.200 s   0.200 s   0.500 s   0.500 s   0.500 s*   0.500 s
      live, at once   eventToQueue     2        1  -1.700 s  -1.700 s   0.500 s   0.500 s   0.500 s*   0.500 s
      live, at once   queueToFunction  2        0   0.300 s   0.300 s   0.300 s   0.300 s   0.300 s*   0.300 s
      live, at once   functionToRead   2        0   1.100 s   1.100 s   1.100 s   1.100 s   1.100 s*   1.100 s
      live, at once   readToPut        2        0   0.100 s   0.100 s   0.100 s   0.100 s   0.100 s*   0.100 s
      live, at once   putToWitness     2        0  -0.500 s  -0.500 s   0.000 s   0.000 s   0.000 s*   0.000 s
      live, at once   queueToPut       2        0   1.500 s   1.500 s   1.500 s   1.500 s   1.500 s*   1.500 s
      live, at once   eventToPut       2        1  -0.200 s  -0.200 s   2.000 s   2.000 s   2.000 s*   2.000 s
      live, at once   changeToPut      2        0   0.000 s   0.000 s   2.500 s   2.500 s   2.500 s*   2.500 s
      live, deferred  changeToEvent    1        0   0.000 s   0.000 s   0.000 s   0.000 s   0.000 s*   0.000 s
      live, deferred  eventToQueue     1        0  88.500 s  88.500 s  88.500 s  88.500 s  88.500 s*  88.500 s
      live, deferred  queueToFunction  1        0   0.300 s   0.300 s   0.300 s   0.300 s   0.300 s*   0.300 s
      live, deferred  functionToRead   1        0   1.100 s   1.100 s   1.100 s   1.100 s   1.100 s*   1.100 s
      live, deferred  readToPut        1        0   0.100 s   0.100 s   0.100 s   0.100 s   0.100 s*   0.100 s
      live, deferred  putToWitness     1        0   0.000 s   0.000 s   0.000 s   0.000 s   0.000 s*   0.000 s
      live, deferred  queueToPut       1        0   1.500 s   1.500 s   1.500 s   1.500 s   1.500 s*   1.500 s
      live, deferred  eventToPut       1        0  90.000 s  90.000 s  90.000 s  90.000 s  90.000 s*  90.000 s
      live, deferred  changeToPut      1        0  90.000 s  90.000 s  90.000 s  90.000 s  90.000 s*  90.000 s
      canary          changeToEvent    1        0   0.000 s   0.000 s   0.000 s   0.000 s   0.000 s*   0.000 s
      canary          eventToQueue     1        0   0.500 s   0.500 s   0.500 s   0.500 s   0.500 s*   0.500 s
      canary          queueToFunction  1        0   0.300 s   0.300 s   0.300 s   0.300 s   0.300 s*   0.300 s
      canary          functionToRead   1        0   1.100 s   1.100 s   1.100 s   1.100 s   1.100 s*   1.100 s
      canary          readToPut        1        0   0.100 s   0.100 s   0.100 s   0.100 s   0.100 s*   0.100 s
      canary          putToWitness     1        0   0.000 s   0.000 s   0.000 s   0.000 s   0.000 s*   0.000 s
      canary          queueToPut       1        0   1.500 s   1.500 s   1.500 s   1.500 s   1.500 s*   1.500 s
      canary          eventToPut       1        0   2.000 s   2.000 s   2.000 s   2.000 s   2.000 s*   2.000 s
      canary          changeToPut      1        0   2.000 s   2.000 s   2.000 s   2.000 s   2.000 s*   2.000 s
      changeToEvent and eventToQueue are upstream (vault, Event Grid); queueToPut is this product's part.
      * fewer than 100 values: the p99 is the maximum and means nothing by itself.

      Vault                            Origin  Stage         n  below 0       min      p50       p90       p95        p99       max
      https://127.0.0.1:8443           canary  eventToQueue  1        0   0.500 s  0.500 s   0.500 s   0.500 s   0.500 s*   0.500 s
      https://127.0.0.1:8443           canary  queueToPut    1        0   1.500 s  1.500 s   1.500 s   1.500 s   1.500 s*   1.500 s
      https://127.0.0.1:8443           canary  eventToPut    1        0   2.000 s  2.000 s   2.000 s   2.000 s   2.000 s*   2.000 s
      https://127.0.0.1:8443           canary  changeToPut   1        0   2.000 s  2.000 s   2.000 s   2.000 s   2.000 s*   2.000 s
      https://kv-test.vault.azure.net  live    eventToQueue  3        1  -1.700 s  0.500 s  88.500 s  88.500 s  88.500 s*  88.500 s
      https://kv-test.vault.azure.net  live    queueToPut    3        0   1.500 s  1.500 s   1.500 s   1.500 s   1.500 s*   1.500 s
      https://kv-test.vault.azure.net  live    eventToPut    3        1  -0.200 s  2.000 s  90.000 s  90.000 s  90.000 s*  90.000 s
      https://kv-test.vault.azure.net  live    changeToPut   3        0   0.000 s  2.500 s  90.000 s  90.000 s  90.000 s*  90.000 s
      * fewer than 100 values: the p99 is the maximum and means nothing by itself.

         Worst           event to queue  queue to put  attempt  witnessed                 version
      90.000 s  late           88.500 s       1.500 s        3  2026-03-01T10:05:00.000Z  https://kv-test.vault.azure.net/secrets/db-password/00000000000000000000000000000002
       2.000 s  in time         0.500 s       1.500 s        1  2026-03-01T10:00:00.000Z  https://kv-test.vault.azure.net/secrets/db-password/00000000000000000000000000000001
      -0.200 s  in time        -1.700 s       1.500 s        1  2026-03-01T10:06:00.000Z  https://kv-test.vault.azure.net/secrets/db-password/00000000000000000000000000000003

      Not protected since       reason    code                        version
      2026-03-01T10:10:00.000Z  disabled  ERR_VAULT_VERSION_DISABLED  https://kv-test.vault.azure.net/secrets/db-password/00000000000000000000000000000005

      Queues: 1 waiting, 0 deferred, 0 dead letters, 0 in quarantine, the oldest here for 30 s
      Canary: 1 h old

      Incomplete
        1 x foreign-blob: blobs that this product did not write
          such as junk.txt
      "
    `)
  })

  it("says little of a store that is empty", async () => {
    const text = [...formatAuditTable(await aLedger().read())].join("")
    expect(text).toMatchInlineSnapshot(`
      "Audit of https://kv-test.vault.azure.net
        period           the first blob to 2026-03-01T12:00:00.000Z, by the time the service witnessed
        blobs            0 records, 0 gaps
        answer           complete
        attention        none

      Objective p99=60s: nothing to judge
        versions         0: 0 measured, 0 not measurable, 0 not protected
        in time          0, late 0
        p99              -
        error budget     0 versions may miss it, 0 did, 0 left

      Vault                            protected up to           stored  gaps  public only  measured  p99  late
      https://kv-test.vault.azure.net  2026-03-01T12:00:00.000Z       0     0            0         0    -     0

      Queues: 0 waiting, 0 deferred, 0 dead letters, 0 in quarantine
      "
    `)
  })
})
