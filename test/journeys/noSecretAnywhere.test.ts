import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { type Canary, createCanary, findCanaries, randomCanaryText } from "../support/canary.ts"
import { addProcess, collectTraces, type Traces } from "../support/collectTraces.ts"
import { eventFacts, eventGridForm } from "../support/eventForms.ts"
import { type Journey, recordNameOf, startJourney } from "../support/startJourney.ts"
import { startNode } from "../support/startNode.ts"

const kvbackup = fileURLToPath(new URL("../../cli/kvbackup.ts", import.meta.url))
const setSecret = fileURLToPath(new URL("../../docs/examples/setSecret.mjs", import.meta.url))

const random = randomCanaryText
const canaries = {
  plain: createCanary(random()),
  lines: createCanary(`${random()}\r\n\r\n  ${random()} \n${random()}\n`),
  quotes: createCanary(`"${random()}" '\\${random()}\\n\`$&<é🔑>`),
  disabled: createCanary(random()),
  tag: createCanary(`${random()} "tag"\n${random()}`),
  failing: createCanary(`${random()}\n${random()}`),
  cut: createCanary(`${random()}\n`.repeat(200)),
  waiting: createCanary(random()),
  typed: createCanary(`${random()}\n${random()}`),
}
const all: readonly Canary[] = Object.values(canaries)

let journey: Journey
/** What was seen on the way and may be gone in the end: messages, processes, output of commands. */
const seen: Traces = new Map()

async function collect(): Promise<Traces> {
  return new Map([...seen, ...(await collectTraces(journey))])
}

/** Runs a command beside the cloud and keeps its arguments and output. */
async function run(argv: readonly string[], input?: string): Promise<number | null> {
  const label = argv.slice(1).join(" ")
  const node = startNode(argv, { cwd: journey.directory, ...(input === undefined ? {} : { input }) })
  addProcess(node.pid, seen)
  const { code, stdout, stderr } = await node.end
  seen.set(`output of ${label}`, Buffer.from(stdout + stderr))
  return code
}

/** Makes each way to fail happen once on the way of one version, which is stored in the end. */
async function setUnderFaults(name: string, value: string): Promise<string> {
  const vault = { target: "keyvault", match: { method: "GET", path: `/secrets/${name}/` } }
  const blob = { target: "blob", match: { method: "PUT", path: `/${name}/` } }
  await journey.control("POST /faults", [
    { ...vault, effect: "status", status: 403, innerCode: "ForbiddenByFirewall", count: 1 },
    { ...vault, effect: "status", status: 403, innerCode: "ForbiddenByRbac", count: 1 },
    { ...vault, effect: "status", status: 429, retryAfter: 0, count: 1 },
    { ...vault, effect: "status", status: 500, count: 1 },
    { ...vault, effect: "cut", afterBytes: 200, count: 1 },
    { ...blob, effect: "status", status: 403, code: "AuthorizationFailure", count: 1 },
    { ...blob, effect: "status", status: 403, code: "AuthorizationPermissionMismatch", count: 1 },
    { ...blob, effect: "status", status: 503, count: 1 },
    { ...blob, effect: "cut", count: 1 },
    {
      target: "servicebus",
      match: { method: "send", job: "backup" },
      effect: "status",
      status: 503,
      count: 2,
    },
  ])
  const id = await journey.set(name, value)
  await journey.settled()
  expect(journey.cloud.faults.list()).toEqual([])
  expect(journey.outcomes(id).at(-1)?.outcome).toBe("stored")
  return id
}

beforeAll(async () => {
  journey = await startJourney({
    settings: { BACKUP_RETRY_FIRST_DELAY: "20ms", BACKUP_RETRY_MAX_DELAY: "100ms" },
  })
})
afterAll(() => journey.stop())

describe("a secret value", () => {
  it("goes through every kind of success and failure", async () => {
    const tags = { owner: canaries.tag.value, [`key of ${random()}`]: "" }
    await journey.set("plain", canaries.plain.value, { tags })
    await journey.set("lines", canaries.lines.value, { contentType: "application/x-pem-file" })
    await journey.set("quotes", canaries.quotes.value, { tags })
    const disabled = await journey.set("disabled", canaries.disabled.value, { enabled: false, tags })
    await setUnderFaults("failing", canaries.failing.value)
    await setUnderFaults("cut", canaries.cut.value)
    expect(await run([setSecret, "typed"], canaries.typed.value)).toBe(0)
    await journey.control("POST /faults", {
      target: "keyvault",
      match: { path: "/secrets/absent/" },
      effect: "status",
      status: 200,
      count: 1,
    })
    const absent = await journey.set("absent", canaries.plain.value)
    await journey.settled()
    await journey.secrets.updateSecretProperties("plain", "", { enabled: false, tags })
    expect(journey.outcomes(disabled).at(-1)).toMatchObject({ code: "ERR_VAULT_VERSION_DISABLED" })
    expect(journey.outcomes(absent).at(-1)).toMatchObject({ code: "ERR_VAULT_VALUE_ABSENT" })
  })

  it("is asked for by forged and poisoned messages around it", async () => {
    const { queue } = journey.cloud.file.serviceBus
    const vault = journey.cloud.file.vaults[0]!.url
    const plain = (await journey.secrets.listPropertiesOfSecretVersions("lines").next()).value?.id ?? ""
    const sender = journey.serviceBus.createSender(queue)
    await sender.sendMessages([
      { body: eventGridForm(eventFacts(plain.replace(vault, "https://evil.example"))) },
      { body: { ...eventGridForm(eventFacts(plain)), lockToken: "x" } },
      { body: Buffer.from("no JSON") },
      { body: Buffer.from(JSON.stringify(eventGridForm(eventFacts(plain))), "utf16le") },
    ])
    await journey.settled()
    const counts = journey.cloud.serviceBus.counts()
    expect(counts[queue]).toMatchObject({ deadLettered: 1 })
    expect(counts[journey.cloud.file.serviceBus.quarantineQueue]).toMatchObject({ active: 3 })
  })

  it("waits in the queue while the store is away", async () => {
    await journey.control("PUT /firewall", { blob: "closed" })
    const id = await journey.set("waiting", canaries.waiting.value, { tags: { t: canaries.tag.value } })
    await vi.waitFor(() => expect(journey.outcomes(id).length).toBeGreaterThan(3), { timeout: 5000 })
    for (const [place, bytes] of await collectTraces(journey))
      seen.set(`${place}, while the store is away`, bytes)
    expect([...seen.keys()].filter((place) => place.startsWith("body of message"))).not.toEqual([])
    await journey.control("PUT /firewall", { blob: "open" })
    await journey.settled()
    expect(journey.outcomes(id).at(-1)?.outcome).toBe("stored")
  })

  it("is compared by commands that find differences", async () => {
    // A record that does not open, and one that opens to another version's value.
    const { container } = journey.cloud.file.blob
    const [first, second] = journey.outcomes().filter(({ outcome }) => outcome === "stored")
    await journey.control("POST /backdoor/blobs", {
      action: "alter",
      container,
      name: recordNameOf(first?.id ?? ""),
      body: Buffer.from("{}").toString("base64"),
    })
    await journey.control("POST /backdoor/blobs", {
      action: "remove",
      container,
      name: recordNameOf(second?.id ?? ""),
    })
    const commands: [expected: readonly number[], argv: readonly string[]][] = [
      [
        [30, 31],
        ["verify", "--deep", "--local"],
      ],
      [
        [30, 31],
        ["verify", "--deep", "--local", "--json"],
      ],
      [[30], ["status", "--local"]],
      [[30], ["status", "--local", "--json"]],
      [[2], ["verify", "--local", "--object", "https://nowhere.example/secrets/a"]],
    ]
    const codes = await Promise.all(commands.map(([, argv]) => run([kvbackup, ...argv])))
    commands.forEach(([expected], index) => expect(expected).toContain(codes[index]))
    expect(String(seen.get("output of verify --deep --local"))).toMatch(/^BROKEN: /m)
  })

  it("is in the vault", async () => {
    for (const name of ["lines", "quotes", "failing", "cut", "waiting", "typed"] as const) {
      expect((await journey.secrets.getSecret(name)).value).toBe(canaries[name].value)
    }
  })

  it("is nowhere else: lines, outputs, blobs, metadata, messages, files, arguments", async () => {
    const places = await collect()
    for (const kind of [
      "line ",
      "output of ",
      "blob ",
      "metadata of ",
      "body of message",
      "file ",
      "cmdline of ",
    ]) {
      expect([...places.keys()].filter((place) => place.startsWith(kind)).length).toBeGreaterThan(1)
    }
    expect(findCanaries(places, all)).toEqual([])
  })
})

describe("the search for it", () => {
  it("finds one that is planted, in every place and form", async () => {
    const { plain, lines, quotes, waiting } = canaries
    const { container } = journey.cloud.file.blob
    const [name = ""] = journey.cloud.blob.backdoor.names(container, "gaps/")
    await journey.cloud.blob.backdoor.alter(
      { container, name },
      {
        body: Buffer.from(JSON.stringify({ note: JSON.stringify({ value: quotes.value }) })),
        metadata: { note: Buffer.from(plain.value).toString("hex") },
      },
    )
    await writeFile(
      join(journey.directory, ".local", "planted"),
      `--${Buffer.from(`x${lines.value}y`).toString("base64")}--`,
    )
    await journey.serviceBus.createSender(journey.cloud.file.serviceBus.quarantineQueue).sendMessages({
      body: Buffer.from(lines.value.split("\n")[2] ?? ""),
      applicationProperties: { note: encodeURIComponent(quotes.value) },
    })
    await run(["-p", `"${Buffer.from(waiting.value).toString("base64url")}"`, waiting.value])

    const found = findCanaries(await collect(), all)
    const expected = [
      /^cmdline of process \d+ \(raw\)$/,
      /^output of .* \(base64(url)?\)$/,
      /^blob gaps\/.* \(JSON in JSON\)$/,
      /^metadata of gaps\/.* \(hex\)$/,
      /^body of message \d+ of quarantine \(raw\)$/,
      /^properties of message \d+ of quarantine \(URL\)$/,
      /^file .*\/planted \(base64\)$/,
    ]
    for (const pattern of expected) expect(found).toContainEqual(expect.stringMatching(pattern))
    expect(found).toHaveLength(expected.length)
  })
})
