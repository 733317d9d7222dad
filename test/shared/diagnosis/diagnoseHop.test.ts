import { describe, expect, it } from "vitest"
import type { CallAnswer } from "../../../shared/diagnosis/harmlessCall.ts"
import { diagnoseHop } from "../../../shared/diagnosis/diagnoseHop.ts"
import type { HopEvidence, ServiceKind } from "../../../shared/diagnosis/evidence.ts"

const objectId = "11111111-2222-3333-4444-555555555555"
const tenantId = "99999999-2222-3333-4444-555555555555"

const hosts: Readonly<Record<string, readonly [target: string, host: string, port: number]>> = {
  vault: ["https://payments.vault.azure.net", "payments.vault.azure.net", 443],
  store: ["https://stbackups.blob.core.windows.net/keyvault-backups", "stbackups.blob.core.windows.net", 443],
  queue: ["sb-backup.servicebus.windows.net", "sb-backup.servicebus.windows.net", 5671],
}

const called = (answer: Partial<CallAnswer>) => [
  {
    name: "get a secret version",
    right: "Microsoft.KeyVault/vaults/secrets/getSecret/action",
    answer: { code: "", innerCode: "", flags: {}, ...answer },
  },
]

/** A hop that is well, with what is different about it. */
function aHop(kind: ServiceKind, different: Partial<HopEvidence> = {}): HopEvidence {
  const [target = "", host = "", port = 443] = hosts[kind] ?? []
  return {
    hop: { kind, job: "backup", target, host, port },
    names: { addresses: ["10.90.0.70"], aliases: [], kind: "private" },
    connection: {
      tcp: { address: "10.90.0.70" },
      tls: { subject: host, issuer: "Microsoft", protocol: "TLSv1.3" },
    },
    token: { audience: "https://a", claims: { audience: "https://a", objectId, tenantId } },
    calls: called({ status: 404, code: "SecretNotFound" }),
    queueCalls: [],
    ...different,
  }
}

const expected = { serviceEndpoints: false, challengeCheck: true }
const tls = (problem: "name" | "chain" | "time" | "handshake", code: string): Partial<HopEvidence> => ({
  connection: {
    tcp: { address: "10.90.0.70" },
    tls: { subject: "proxy.corp", issuer: "Corp Inspection CA", problem, code },
  },
})
const publicName = (...aliases: string[]): Partial<HopEvidence> => ({
  names: { addresses: ["20.61.103.226"], aliases, kind: "public" },
})
const firewall = called({ status: 403, code: "AuthorizationFailure", error: "ERR_STORE_FIREWALL" })
const role = called({ status: 403, code: "AuthorizationPermissionMismatch", error: "ERR_STORE_FORBIDDEN" })
const badToken = called({ status: 403, code: "AuthenticationFailed", error: "ERR_STORE_FORBIDDEN" })

describe("diagnoseHop", () => {
  it("says ok of a hop that is well", () => {
    expect(diagnoseHop(aHop("vault"), expected)).toMatchObject({ status: "ok", verdict: "ok" })
  })

  it.each<{ name: string; evidence: HopEvidence; verdict: string; says: RegExp; fix: RegExp }>([
    {
      name: "a name that nobody knows",
      evidence: aHop("store", { names: { addresses: [], aliases: [], problem: "ENOTFOUND", kind: "none" } }),
      verdict: "store.dnsNone",
      says: /leads nowhere from here \(ENOTFOUND\)/,
      fix: /--zone-name privatelink\.blob\.core\.windows\.net/,
    },
    {
      name: "a name with private and public addresses",
      evidence: aHop("queue", { names: { addresses: ["10.1.2.3", "20.1.2.3"], aliases: [], kind: "mixed" } }),
      verdict: "queue.dnsMixed",
      says: /10\.1\.2\.3, 20\.1\.2\.3/,
      fix: /--zone-name privatelink\.servicebus\.windows\.net/,
    },
    {
      name: "C42: a public name and a closed firewall, where the role is there",
      evidence: aHop("store", {
        ...publicName("stbackups.privatelink.blob.core.windows.net"),
        calls: firewall,
      }),
      verdict: "store.dnsPublic",
      says: /whatever roles there are/,
      fix: /private-dns link vnet create .*privatelink\.blob\.core\.windows\.net/,
    },
    {
      name: "a public name without a private endpoint behind it",
      evidence: aHop("store", { ...publicName(), calls: firewall }),
      verdict: "store.dnsPublic",
      says: /public address \(20\.61\.103\.226\)/,
      fix: /private-endpoint create .*--group-id blob .*az storage account show --name stbackups/,
    },
    {
      name: "a public name that works",
      evidence: aHop("vault", publicName()),
      verdict: "vault.publicPath",
      says: /it works, over a public address/,
      fix: /--service-endpoints/,
    },
    {
      name: "C42, C43: a firewall behind a private name",
      evidence: aHop("store", { calls: firewall }),
      verdict: "store.firewall",
      says: /403 AuthorizationFailure\)\. Roles were not looked at/,
      fix: /approve the private endpoint connection of the storage account stbackups/,
    },
    {
      name: "C42, C43: a role that is missing, or not there yet",
      evidence: aHop("store", { calls: role }),
      verdict: "store.role",
      says: /403 AuthorizationPermissionMismatch/,
      fix: new RegExp(`takes some minutes.*${objectId}.*containers/keyvault-backups`, "s"),
    },
    {
      name: "C43: a token that is refused, at a clock that is wrong",
      evidence: aHop("store", { calls: badToken, clockDifferenceMs: 1_000_000 }),
      verdict: "store.clock",
      says: /differ by 17 minutes/,
      fix: /NTP/,
    },
    {
      name: "C43: a token that is refused, for no reason to be seen",
      evidence: aHop("store", { calls: badToken }),
      verdict: "store.authentication",
      says: /refuses the token itself \(403 AuthenticationFailed\)/,
      fix: /BACKUP_BACKUP_CLIENT_ID/,
    },
    {
      name: "a token of another tenant",
      evidence: aHop("vault", {
        challenge: { resource: "https://vault.azure.net", tenantId: objectId },
        calls: called({ status: 401, code: "Unauthorized", error: "ERR_VAULT_FORBIDDEN" }),
      }),
      verdict: "vault.tenant",
      says: new RegExp(`of tenant ${tenantId}`),
      fix: /identity of tenant/,
    },
    {
      name: "a challenge that does not fit the host",
      evidence: aHop("vault", { challenge: { resource: "https://vault.azure.cn" } }),
      verdict: "vault.audience",
      says: /takes tokens for https:\/\/vault\.azure\.cn/,
      fix: /BACKUP_VAULTS names the vault itself/,
    },
    {
      name: "C45: a vault that decides by access policies",
      evidence: aHop("vault", {
        calls: called({
          status: 403,
          code: "Forbidden",
          innerCode: "AccessDenied",
          error: "ERR_VAULT_FORBIDDEN",
        }),
      }),
      verdict: "vault.accessPolicy",
      says: /403 Forbidden AccessDenied/,
      fix: new RegExp(
        `az keyvault set-policy --name payments --object-id ${objectId} --secret-permissions get`,
      ),
    },
    {
      name: "C45: ForbiddenByConnection, behind a private name",
      evidence: aHop("vault", {
        calls: called({ status: 403, innerCode: "ForbiddenByConnection", error: "ERR_VAULT_FIREWALL" }),
      }),
      verdict: "vault.firewall",
      says: /ForbiddenByConnection/,
      fix: /az keyvault network-rule add --name payments --subnet SUBNET_ID/,
    },
    {
      name: "a proxy that inspects TLS",
      evidence: aHop("vault", tls("chain", "SELF_SIGNED_CERT_IN_CHAIN")),
      verdict: "vault.tlsChain",
      says: /comes from "Corp Inspection CA"/,
      fix: /Do not turn certificate checks off/,
    },
    {
      name: "a certificate of another host",
      evidence: aHop("queue", tls("name", "ERR_TLS_CERT_ALTNAME_INVALID")),
      verdict: "queue.tlsName",
      says: /of "proxy\.corp"/,
      fix: /out of TLS inspection/,
    },
    {
      name: "a port that nothing answers at",
      evidence: aHop("queue", { connection: { tcp: { problem: "ETIMEDOUT" } } }),
      verdict: "queue.tcp",
      says: /servicebus\.windows\.net:5671 \(ETIMEDOUT\)/,
      fix: /nsg rule create .*--destination-port-ranges 5671/,
    },
    {
      name: "a queue that does not exist",
      evidence: aHop("queue", {
        calls: [],
        queueCalls: [
          { name: "send", right: "r", queue: "nowhere", answer: { error: "ERR_QUEUE_NOT_FOUND" } },
        ],
      }),
      verdict: "queue.notFound",
      says: /does not exist/,
      fix: /has no nowhere/,
    },
  ])("$name: $verdict", ({ evidence, verdict, says, fix }) => {
    const given = diagnoseHop(evidence, expected)
    expect(given).toMatchObject({ status: "failing", verdict })
    expect(given.says).toMatch(says)
    expect([given.fix?.what, ...(given.fix?.az ?? [])].join("\n")).toMatch(fix)
  })

  it.each<{ name: string; evidence: HopEvidence; verdict: string; status: string }>([
    {
      name: "a service that is busy",
      evidence: aHop("store", { calls: called({ status: 503, error: "ERR_STORE_UNAVAILABLE" }) }),
      verdict: "store.busy",
      status: "unknown",
    },
    {
      name: "a hop that took too long",
      evidence: aHop("store", { calls: [], isLate: true }),
      verdict: "store.late",
      status: "unknown",
    },
    {
      name: "a hop without an identity",
      evidence: aHop("store", { calls: [], token: { audience: "a", problem: "noIdentity" } }),
      verdict: "notAsked",
      status: "notAsked",
    },
  ])("leaves $name open: $verdict", ({ evidence, verdict, status }) => {
    expect(diagnoseHop(evidence, expected)).toMatchObject({ status, verdict })
  })

  it("takes a public address for right where the network has service endpoints", () => {
    const evidence = aHop("store", publicName())
    expect(diagnoseHop(evidence, { ...expected, serviceEndpoints: true }).status).toBe("ok")
    const closed = { ...evidence, calls: firewall }
    expect(diagnoseHop(closed, { ...expected, serviceEndpoints: true }).verdict).toBe("store.firewall")
  })
})
