import { SecretClient } from "@azure/keyvault-secrets"
import { ServiceBusClient } from "@azure/service-bus"
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest"
import type { Job } from "../../../local/access/job.ts"
import { type Journey, recordNameOf, startJourney } from "../../support/startJourney.ts"

let journey: Journey
let usualRoles: Readonly<Record<string, readonly string[]>>

beforeAll(async () => {
  journey = await startJourney()
  usualRoles = (await journey.control("GET /roles")) as typeof usualRoles
})
afterAll(() => journey?.stop())
afterEach(async () => {
  await journey.control("DELETE /faults")
  await journey.control("PUT /roles", usualRoles)
  await journey.control("PUT /firewall", { keyvault: "open", blob: "open", servicebus: "open" })
  await journey.control("PUT /policy", { container, state: "locked", days: 30 })
  await journey.control("PUT /clock", { target: "eventgrid", speed: 1 })
  await journey.control("PUT /arm", {})
  // A fault or a firewall of the next test must not meet the work of this one.
  await journey.settled()
})

const container = "keyvault-backups"
const blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

/** Any request to the control endpoint, as it is answered. */
async function ask(call: string, body?: unknown, token = journey.cloud.file.control.token) {
  const [method = "", path = ""] = call.split(" ")
  const response = await fetch(`${journey.cloud.file.control.url}${path}`, {
    method,
    ...(token === "" ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, json: text === "" ? undefined : (JSON.parse(text) as { error?: string }) }
}

/** A client of the vault as `job` that does not retry. */
function vaultAs(job: Job): SecretClient {
  const { identities, vaults } = journey.cloud.file
  const token = identities[job]!.tokens.vault
  return new SecretClient(
    vaults[0]!.url,
    { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) },
    { disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } },
  )
}

async function sendAs(job: Job): Promise<void> {
  const { identities, serviceBus } = journey.cloud.file
  const token = identities[job]!.tokens.serviceBus
  const client = new ServiceBusClient(
    serviceBus.fullyQualifiedNamespace,
    { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 86_400_000 }) },
    { retryOptions: { maxRetries: 0 } },
  )
  try {
    await client.createSender(serviceBus.quarantineQueue).sendMessages({ body: "x" })
  } finally {
    await client.close()
  }
}

const refusedBy = (code: string) => ({
  statusCode: 403,
  code: "Forbidden",
  details: { error: { innerError: { code } } },
})

async function stored(name: string): Promise<string> {
  const id = await journey.set(name, "v")
  await journey.settled()
  expect(journey.outcomes(id)).toMatchObject([{ outcome: "stored" }])
  return id
}

describe("the control endpoint", () => {
  it.each([
    { name: "without a token", token: "" },
    { name: "with another token", token: "x".repeat(32) },
    { name: "with one that is cut", token: undefined },
  ])("answers 401 $name, and does nothing", async ({ token }) => {
    const cut = journey.cloud.file.control.token.slice(0, -1)
    const answer = await ask("POST /faults", { target: "blob", effect: "hang" }, token ?? cut)
    expect(answer.status).toBe(401)
    expect(await journey.control("GET /faults")).toEqual({ faults: [] })
  })

  it("answers 404 with all calls there are", async () => {
    for (const call of ["GET /nothing", "DELETE /roles", "POST /functions", "GET /"]) {
      const { status, json } = await ask(call)
      expect(status).toBe(404)
      for (const known of ["GET /state", "POST /faults", "PUT /policy", "POST /functions/*", "POST /host"]) {
        expect(json!.error).toContain(known)
      }
    }
  })

  it.each<{ call: string; body?: unknown; says: string; status?: number }>([
    { call: "POST /faults", body: "{", says: "not JSON" },
    { call: "POST /faults", says: "[0]" },
    { call: "POST /faults", body: { target: "mars", effect: "hang" }, says: "target" },
    { call: "POST /faults", body: [{ target: "blob", effect: "explode" }], says: "[0].effect" },
    { call: "POST /faults", body: { target: "blob", effect: "drop" }, says: "effect" },
    { call: "POST /faults", body: { target: "blob", effect: "status", status: 42 }, says: "status" },
    { call: "POST /faults", body: { target: "blob", effect: "hang", count: 0 }, says: "count" },
    { call: "POST /faults", body: { target: "blob", effect: "hang", often: 3 }, says: '"often"' },
    {
      call: "POST /faults",
      body: { target: "blob", effect: "hang", match: { verb: "PUT" } },
      says: '"verb"',
    },
    { call: "PUT /roles", body: { nobody: [] }, says: "nobody" },
    { call: "PUT /roles", body: { backup: "everything" }, says: "backup" },
    { call: "PUT /firewall", body: { blob: "ajar" }, says: "blob" },
    { call: "PUT /firewall", body: { deadletter: "closed" }, says: "deadletter" },
    { call: "PUT /policy", body: { state: "none" }, says: "container" },
    { call: "PUT /policy", body: { container, state: "melted" }, says: "state" },
    { call: "PUT /policy", body: { container, state: "locked" }, says: "days" },
    { call: "PUT /policy", body: { container, state: "locked", days: 0 }, says: "days" },
    { call: "PUT /policy", body: { container: "other", state: "none" }, says: "other", status: 404 },
    { call: "PUT /clock", body: { target: "eventgrid", speed: 0 }, says: "speed" },
    { call: "PUT /clock", body: { target: "blob", speed: 1 }, says: "target" },
    { call: "POST /events", body: ["text"], says: "JSON object" },
    { call: "POST /functions/none", says: "timer function", status: 404 },
    { call: "POST /functions/%E0%A4%A", says: "path" },
    { call: "POST /host", body: { action: "polish" }, says: "action" },
    { call: "PUT /arm", body: { immutability: { state: "Locked" } }, says: "immutability" },
    { call: "PUT /arm", body: { weather: "fine" }, says: '"weather"' },
    { call: "POST /backdoor/blobs", body: { action: "paint", container, name: "x" }, says: "action" },
    {
      call: "POST /backdoor/blobs",
      body: { action: "alter", container, name: "x", body: "%" },
      says: "body",
    },
    {
      call: "POST /backdoor/blobs",
      body: { action: "remove", container, name: "none" },
      says: "blob",
      status: 404,
    },
  ])("refuses $call $body and says what is wrong", async ({ call, body, says, status = 400 }) => {
    const before = await journey.control("GET /state")
    const answer = await ask(call, body)
    expect(answer).toEqual({ status, json: { error: expect.stringContaining(says) } })
    expect(await journey.control("GET /state")).toEqual(before)
  })

  it("takes a body of 1 MB at most", async () => {
    expect(await ask("POST /events", `"${"x".repeat(1_048_576)}"`)).toMatchObject({ status: 413 })
  })
})

describe("PUT /roles", () => {
  it("takes a role away at once, and gives it back", async () => {
    await stored("roles-before")
    await journey.control("PUT /roles", { backup: [], audit: [], user: [] })
    expect(await journey.control("GET /roles")).toMatchObject({ backup: [], replay: usualRoles["replay"] })
    await expect(vaultAs("backup").getSecret("roles-before")).rejects.toMatchObject(
      refusedBy("ForbiddenByRbac"),
    )
    await expect(journey.store("backup").getBlockBlobClient("probe/1").upload("x", 1)).rejects.toMatchObject({
      statusCode: 403,
      code: "AuthorizationPermissionMismatch",
    })
    await expect(sendAs("user")).rejects.toMatchObject({ code: "UnauthorizedAccess" })
    await journey.control("PUT /roles", usualRoles)
    await vaultAs("backup").getSecret("roles-before")
    await sendAs("user")
  })

  it("narrows a role to a part of a container", async () => {
    await journey.control("PUT /roles", { user: [`${blobs}/add/action on ${container}/probe/`] })
    const put = (name: string) => journey.store("user").getBlockBlobClient(name).upload("x", 1)
    await put("probe/narrow")
    await expect(put("other/narrow")).rejects.toMatchObject({ code: "AuthorizationPermissionMismatch" })
  })
})

describe("PUT /firewall", () => {
  it.each([
    { state: "closed", inner: "ForbiddenByFirewall" },
    { state: "private", inner: "ForbiddenByConnection" },
  ])("$state keeps everybody out, each server in its own words", async ({ state, inner }) => {
    await stored("walled")
    await journey.control("PUT /firewall", { keyvault: state, blob: state, servicebus: state })
    await expect(vaultAs("user").getSecret("walled")).rejects.toMatchObject(refusedBy(inner))
    await expect(journey.store("user").getBlockBlobClient("x").download()).rejects.toMatchObject({
      statusCode: 403,
      code: "AuthorizationFailure",
    })
    await expect(sendAs("user")).rejects.toMatchObject({
      code: "UnauthorizedAccess",
      message: expect.stringContaining("Ip has been prevented"),
    })
    await journey.control("PUT /firewall", { keyvault: "open", blob: "open", servicebus: "open" })
    await vaultAs("user").getSecret("walled")
    await sendAs("user")
  })
})

describe("PUT /policy", () => {
  it("locked refuses deletion, none allows it, a legal hold refuses it in its own words", async () => {
    await journey.control("PUT /roles", { user: ["*"] })
    const store = journey.store("user")
    for (const name of ["policy/1", "policy/2"]) await store.getBlockBlobClient(name).upload("x", 1)
    const remove = (name: string) => store.deleteBlob(name)
    await expect(remove("policy/1")).rejects.toMatchObject({
      statusCode: 409,
      code: "BlobImmutableDueToPolicy",
    })
    await journey.control("PUT /policy", { container, state: "none" })
    expect(await store.getProperties()).toMatchObject({ hasImmutabilityPolicy: false })
    await remove("policy/1")
    await journey.control("PUT /policy", { container, state: "none", legalHold: true })
    expect(await store.getProperties()).toMatchObject({ hasLegalHold: true })
    await expect(remove("policy/2")).rejects.toMatchObject({
      statusCode: 409,
      code: "BlobImmutableDueToLegalHold",
    })
  })
})

describe("POST /faults", () => {
  it("hits as often as told, tells hits, and goes away on DELETE", async () => {
    const { ids } = (await journey.control("POST /faults", [
      { target: "keyvault", match: { path: "/faulty" }, effect: "status", status: 503, count: 2 },
      { target: "blob", match: { job: "audit" }, effect: "status", status: 500, code: "Odd" },
    ])) as { ids: string[] }
    expect(ids).toHaveLength(2)
    const client = vaultAs("user")
    for (let n = 0; n < 2; n += 1) {
      await expect(client.setSecret("faulty", "v")).rejects.toMatchObject({ statusCode: 503 })
    }
    await client.setSecret("faulty", "v")
    const list = async () => journey.store("audit").listBlobsFlat().next()
    await expect(list()).rejects.toMatchObject({ statusCode: 500, code: "Odd" })
    expect(await journey.control("GET /faults")).toMatchObject({ faults: [{ id: ids[1], hits: 1 }] })
    expect(await journey.control("GET /state")).toMatchObject({ faults: [{ id: ids[1] }] })
    await journey.control("DELETE /faults")
    await list()
  })

  it("sends Retry-After as it was given", async () => {
    const rule = { effect: "status", status: 429, retryAfter: 7, count: 1 }
    await journey.control("POST /faults", [
      { target: "keyvault", ...rule, match: { path: "/certificates" } },
      { target: "identity", ...rule },
    ])
    const { vaults, identityEndpoint } = journey.cloud.file
    for (const url of [`${vaults[0]!.url}/certificates`, identityEndpoint.url]) {
      const response = await fetch(url)
      expect(response.status).toBe(429)
      expect(response.headers.get("retry-after")).toBe("7")
    }
  })

  it("refuses a send on the queue", async () => {
    const match = { method: "send", path: "quarantine" }
    await journey.control("POST /faults", {
      target: "servicebus",
      match,
      effect: "status",
      status: 503,
      count: 1,
    })
    await expect(sendAs("user")).rejects.toMatchObject({ code: "ServiceBusy" })
    await sendAs("user")
  })

  it("delivers an event twice, or never", async () => {
    await journey.control("POST /faults", { target: "eventgrid", effect: "duplicate", count: 1 })
    const twice = await journey.set("twice", "v")
    await journey.settled()
    const outcomes = journey.outcomes(twice).map(({ outcome }) => outcome)
    expect(outcomes.toSorted()).toEqual(["alreadyStored", "stored"])
    await journey.control("POST /faults", { target: "eventgrid", effect: "drop" })
    const never = await journey.set("never", "v")
    await journey.settled()
    expect(journey.outcomes(never)).toEqual([])
  })
})

describe("PUT /clock", () => {
  it("lets the retry schedule pass faster", async () => {
    await journey.control("POST /faults", { target: "eventgrid", effect: "status", status: 503, count: 3 })
    const id = await journey.set("late", "v")
    await vi.waitFor(() => expect(journey.cloud.eventGrid.counts().failedAttempts).toBeGreaterThan(0))
    expect(journey.outcomes(id)).toEqual([])
    // 10 s, 30 s and 60 s in a moment.
    await journey.control("PUT /clock", { target: "eventgrid", speed: 500 })
    await vi.waitFor(() => expect(journey.outcomes(id)).toMatchObject([{ outcome: "stored" }]), 5000)
  })
})

describe("POST /events", () => {
  it("reaches the worker, one event and several", async () => {
    const id = await stored("announced")
    const data = (await journey.open(id)).object
    const event = { ...data, eventType: "Microsoft.KeyVault.SecretNewVersionCreated", subject: "announced" }
    const seen = journey.outcomes().length
    expect(await journey.control("POST /events", event)).toEqual({ published: 1 })
    expect(await journey.control("POST /events", [{ any: 1 }, { any: 2 }])).toEqual({ published: 2 })
    await journey.settled()
    // None of them is an event of Key Vault; what they hold is no version URL.
    expect(
      journey
        .outcomes()
        .slice(seen)
        .map(({ outcome }) => outcome),
    ).toEqual(["poison", "poison", "poison"])
  })
})

describe("POST /host", () => {
  it("restarts the functions host, and after a kill too, and loses nothing", async () => {
    const pidNow = async () => {
      const state = (await journey.control("GET /state")) as { functions: { pid: number } }
      return state.functions.pid
    }
    const first = await pidNow()
    await journey.control("POST /host", { action: "restart" })
    const second = await pidNow()
    expect(second).not.toBe(first)
    await journey.control("POST /host", { action: "kill" })
    expect(await journey.cloud.host.whenExit).toMatchObject({ signal: "SIGKILL" })
    const id = await journey.set("while-dead", "v")
    await vi.waitFor(() => expect(journey.cloud.eventGrid.pending()).toBe(0))
    expect(journey.outcomes(id)).toEqual([])
    await journey.control("POST /host", { action: "restart" })
    await vi.waitFor(() => expect(journey.outcomes(id)).toMatchObject([{ outcome: "stored" }]), 10_000)
  })
})

describe("PUT /arm", () => {
  const path = `/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/a/blobServices/default/containers/${container}/immutabilityPolicies/default?api-version=2024-01-01`
  const topic =
    "/subscriptions/s/providers/Microsoft.EventGrid/systemTopics/t/eventSubscriptions/e?api-version=2025-02-15"

  async function manage(of: string) {
    const { identityEndpoint, identities, arm } = journey.cloud.file
    const query = `resource=https://management.azure.com&api-version=2019-08-01&client_id=${identities["audit"]!.clientId}`
    const answer = await fetch(`${identityEndpoint.url}?${query}`, {
      headers: { "x-identity-header": identityEndpoint.header },
    })
    const { access_token } = (await answer.json()) as { access_token: string }
    const response = await fetch(`${arm.url}${of}`, { headers: { authorization: `Bearer ${access_token}` } })
    return { status: response.status, json: (await response.json()) as unknown }
  }

  it("tells what is so, and then what it was told to tell", async () => {
    expect(await manage(path)).toMatchObject({
      status: 200,
      json: { properties: { state: "Locked", immutabilityPeriodSinceCreationInDays: 30 } },
    })
    expect(await manage(topic)).toMatchObject({
      json: {
        properties: { deliveryWithResourceIdentity: { destination: { endpointType: "ServiceBusQueue" } } },
      },
    })
    await journey.control("PUT /arm", {
      immutability: { state: "Unlocked", days: 3 },
      eventSubscription: { provisioningState: "Failed" },
    })
    expect(await manage(path)).toMatchObject({
      json: { properties: { state: "Unlocked", immutabilityPeriodSinceCreationInDays: 3 } },
    })
    expect(await manage(topic)).toMatchObject({ json: { properties: { provisioningState: "Failed" } } })
    await journey.control("PUT /arm", { immutability: "absent", eventSubscription: "absent" })
    expect(await manage(path)).toMatchObject({ status: 404 })
    expect(await manage(topic)).toMatchObject({ status: 404 })
    await journey.control("PUT /arm", { error: { status: 403, code: "AuthorizationFailed" } })
    expect(await manage(path)).toMatchObject({
      status: 403,
      json: { error: { code: "AuthorizationFailed" } },
    })
    await journey.control("PUT /arm", {})
    expect(await manage(path)).toMatchObject({ status: 200 })
  })
})

describe("POST /backdoor/blobs", () => {
  it("alters and removes a blob past the policy", async () => {
    const id = await stored("tampered")
    const name = recordNameOf(id)
    const blob = journey.store("user").getBlobClient(name)
    await journey.control("POST /backdoor/blobs", {
      action: "alter",
      container,
      name,
      body: Buffer.from("forged").toString("base64"),
      metadata: { origin: "restore" },
    })
    expect((await blob.downloadToBuffer()).toString()).toBe("forged")
    expect((await blob.getProperties()).metadata).toEqual({ origin: "restore" })
    await journey.control("POST /backdoor/blobs", { action: "remove", container, name })
    expect(await blob.exists()).toBe(false)
  })
})

describe("GET /state", () => {
  it("counts what there is", async () => {
    const read = async () =>
      (await journey.control("GET /state")) as {
        vaults: Record<string, { secrets: number }>
        blobs: Record<string, number>
        queues: Record<string, { active: number }>
        functions: { registered: { name: string }[] }
      }
    await journey.settled()
    const before = await read()
    await stored("counted")
    await sendAs("user")
    const after = await read()
    expect(after.vaults["local-vault"]!.secrets).toBe(before.vaults["local-vault"]!.secrets + 1)
    expect(after.blobs[container]).toBe(before.blobs[container]! + 1)
    const quarantine = "keyvault-changes-quarantine"
    expect(after.queues[quarantine]!.active).toBe(before.queues[quarantine]!.active + 1)
    expect(after.functions.registered.map(({ name }) => name)).toContain("backupVersion")
  })
})
