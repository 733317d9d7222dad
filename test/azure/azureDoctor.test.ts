import { createServer, type Socket } from "node:net"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { type Listening, listen } from "../../local/tls/listen.ts"
import { createCredential } from "../../shared/azureCredential.ts"
import { createAzureHttpClient } from "../../shared/azureHttpClient.ts"
import { systemClock } from "../../shared/clock.ts"
import { loadSettings } from "../../shared/config.ts"
import { examine } from "../../shared/diagnosis/azureDoctor.ts"
import { doctorJobs } from "../../shared/diagnosis/job.ts"

const id = "00000000-1111-2222-3333-444444444444"
const group = "/subscriptions/s/resourceGroups/r/providers"

let silent: Listening
let asked = 0

beforeAll(async () => {
  // Takes every connection and every byte, and never says a word.
  silent = await listen(createServer((socket: Socket) => void socket.on("data", () => (asked += 1))))
})
afterAll(() => silent.stop())

describe("examine", () => {
  it("is done in less than 15 seconds where everything is silent, the identity endpoint and the management plane too", async () => {
    const host = `127.0.0.1:${silent.port}`
    vi.stubEnv("IDENTITY_ENDPOINT", `http://${host}/msi/token`)
    vi.stubEnv("IDENTITY_HEADER", "h")
    const env = {
      BACKUP_VAULTS: `https://${host}`,
      BACKUP_STORE_URL: `https://${host}/account`,
      BACKUP_DEADLETTER_URL: `https://${host}/account`,
      BackupServiceBus__fullyQualifiedNamespace: host,
      BACKUP_STORE_MIN_RETENTION_DAYS: "30",
    }
    const httpClient = createAzureHttpClient()
    const startedAt = Date.now()
    const { findings } = await examine({
      env,
      settings: loadSettings(env, []),
      jobs: doctorJobs,
      credentialOf: () => ({ kind: "managedIdentity", credential: createCredential("managedIdentity", id) }),
      httpClient,
      clock: systemClock,
      probe: "probe/x.json",
      management: {
        url: `https://${host}`,
        storeId: `${group}/Microsoft.Storage/storageAccounts/a`,
        eventSubscriptionId: `${group}/Microsoft.EventGrid/systemTopics/t/eventSubscriptions/e`,
      },
    })
    expect(Date.now() - startedAt).toBeLessThan(15_000)
    vi.unstubAllEnvs()
    expect(asked).toBeGreaterThan(0)
    expect(findings.filter(({ status }) => status === "ok").map(({ hop }) => hop)).toEqual(["settings"])
    expect(new Set(findings.map(({ verdict }) => verdict))).toContain("identity.unreachable")
    expect(new Set(findings.map(({ verdict }) => verdict))).toContain("vault.tlsHandshake")
  })
})
