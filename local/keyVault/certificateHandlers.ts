import { type KeyObject, randomUUID, X509Certificate } from "node:crypto"
import { z } from "zod"
import { certificateBundle, certificateItem, policyBody } from "./certificateBundle.ts"
import { type FullPolicy, policyOfImport, policySchema, policyToCreate } from "./certificatePolicy.ts"
import { privateKeyOf } from "./certificateSecret.ts"
import { readImportedCertificate } from "./importedCertificate.ts"
import { describeKey, generatePrivateKey } from "./keyFacts.ts"
import { attributesSchema, mergeAttributes, newAttributes, tagsSchema } from "./objectAttributes.ts"
import { pickVersion, requireFreeName } from "./objectLookup.ts"
import { pageOf } from "./paging.ts"
import { newVersionId } from "./secretHandlers.ts"
import { certificateRequest, selfSignedCertificate } from "./selfSignedCertificate.ts"
import { badParameter, VaultError } from "./vaultError.ts"
import type { CertificateVersion } from "./vaultObject.ts"
import { parseBody, type VaultAnswer, type VaultContext, type VaultRequest } from "./vaultRequest.ts"

const changeSchema = z.object({
  policy: policySchema.nullish(),
  attributes: attributesSchema.nullish(),
  tags: tagsSchema,
})
const importSchema = changeSchema.extend({ value: z.string(), pwd: z.string().nullish() })

type ChangeRequest = z.infer<typeof changeSchema>

/**
 * Makes a self-signed certificate. It exists when this answers; the operation answered is in progress, and the
 * next look at it finds it completed, as clients expect that poll.
 */
export async function createCertificate(request: VaultRequest): Promise<VaultAnswer> {
  const { vault, name } = request
  const asked = parseBody(request, changeSchema)
  requireFreeName(vault.state, "certificate", name)
  if (!asked.policy && !vault.state.policies.has(name.toLowerCase())) {
    throw badParameter("The first version of a certificate needs a policy")
  }
  const policy = policyToCreate(
    asked.policy ?? policySchema.parse(vault.state.policies.get(name.toLowerCase())),
  )
  const privateKey = await keyFor(vault, name, policy)
  const certificate = selfSignedCertificate(policy, privateKey)
  requireFreeName(vault.state, "certificate", name)
  addVersion(request, asked, { privateKey, chain: [new X509Certificate(certificate)], policy })
  const spelled = vault.state.certificates.find(name)?.name ?? name
  const operation = {
    id: `${vault.url}/certificates/${spelled}/pending`,
    issuer: policy.issuer,
    csr: certificateRequest(policy, privateKey).toString("base64"),
    cancellation_requested: false,
    request_id: randomUUID().replaceAll("-", ""),
  }
  const target = `${vault.url}/certificates/${spelled}`
  vault.operations.set(name.toLowerCase(), { ...operation, status: "completed", target })
  return {
    status: 202,
    headers: {
      location: `${operation.id}?api-version=${request.query.get("api-version")}`,
      "retry-after": "0",
    },
    body: {
      ...operation,
      status: "inProgress",
      status_details:
        "Pending certificate created. Certificate request is in progress. This may take some time based on the " +
        "issuer provider. Please check again later.",
    },
  }
}

export function getCertificateOperation({ vault, name }: VaultRequest): VaultAnswer {
  const body = vault.operations.get(name.toLowerCase())
  if (body) return { status: 200, body }
  throw new VaultError(404, "PendingCertificateNotFound", `Pending certificate not found: ${name}`)
}

export function importCertificate(request: VaultRequest): VaultAnswer {
  const { vault, name } = request
  const asked = parseBody(request, importSchema)
  const contentType = asked.policy?.secret_props?.contentType ?? undefined
  const imported = readImportedCertificate(asked.value, asked.pwd ?? "", contentType)
  // Only an import: https://github.com/gruntwork-io/terratest/issues/920 shows the answer.
  if (Date.parse(imported.chain[0].validTo) < Date.now()) {
    throw badParameter("X509 Certificate is already expired")
  }
  requireFreeName(vault.state, "certificate", name)
  const { privateKey, chain } = imported
  const policy = policyOfImport(chain[0], privateKey, imported.contentType, asked.policy)
  const version = addVersion(request, asked, { privateKey, chain, policy })
  return {
    status: 200,
    body: certificateBundle(vault, vault.state.certificates.find(name)?.name ?? name, version),
  }
}

/** Also of a disabled version: its public part is readable, the secret behind it is not. */
export function getCertificate({ vault, name, version }: VaultRequest): VaultAnswer {
  const object = vault.state.certificates.find(name)
  const found = pickVersion("certificate", object, name, version)
  return { status: 200, body: certificateBundle(vault, object?.name ?? name, found) }
}

export function updateCertificate(request: VaultRequest): VaultAnswer {
  const { vault, name } = request
  const asked = parseBody(request, changeSchema)
  const object = vault.state.certificates.find(name)
  const found = pickVersion("certificate", object, name, request.version)
  const version: CertificateVersion = {
    ...found,
    attributes: mergeAttributes(found.attributes, { enabled: asked.attributes?.enabled }),
    tags: asked.tags ?? found.tags,
  }
  vault.commit({ op: "replaceCertificate", name, version })
  return { status: 200, body: certificateBundle(vault, object?.name ?? name, version) }
}

export function getCertificatePolicy({ vault, name }: VaultRequest): VaultAnswer {
  const object = vault.state.certificates.find(name)
  const current = pickVersion("certificate", object, name, "")
  return { status: 200, body: policyBody(vault, object?.name ?? name, current) }
}

/** Replaces the parts of the policy that the request names; existing versions stay as they are. */
export function updateCertificatePolicy(request: VaultRequest): VaultAnswer {
  const { vault, name } = request
  const { attributes: _, id: __, ...asked } = parseBody(request, policySchema)
  pickVersion("certificate", vault.state.certificates.find(name), name, "")
  vault.commit({
    op: "setPolicy",
    name,
    policy: { ...vault.state.policies.get(name.toLowerCase()), ...asked },
  })
  return getCertificatePolicy(request)
}

export function listCertificates(request: VaultRequest): VaultAnswer {
  const { vault } = request
  const { certificates } = vault.state
  return pageOf(request, "/certificates", [certificates.names()], (key) => {
    const object = certificates.find(key)
    const current = pickVersion("certificate", object, key, "")
    return certificateItem(vault, object?.name ?? key, current, { withVersion: false })
  })
}

/** Ordered by version id, which is random: the service promises no order. */
export function listCertificateVersions(request: VaultRequest): VaultAnswer {
  const { vault, name } = request
  const object = vault.state.certificates.find(name)
  pickVersion("certificate", object, name, "")
  const ids = [...(object?.versions.keys() ?? [])].sort()
  const spelled = object?.name ?? name
  return pageOf(request, `/certificates/${spelled}/versions`, [ids], (id) =>
    certificateItem(vault, spelled, pickVersion("certificate", object, name, id), { withVersion: true }),
  )
}

async function keyFor(vault: VaultContext, name: string, policy: FullPolicy): Promise<KeyObject> {
  const { exportable: _, reuse_key: isReused, ...facts } = policy.key_props
  const current = vault.state.certificates.find(name)?.current
  if (isReused && current) {
    const key = privateKeyOf(current)
    if (JSON.stringify(describeKey(key)) === JSON.stringify(facts)) return key
  }
  return generatePrivateKey(facts)
}

function addVersion(
  { vault, name }: VaultRequest,
  asked: ChangeRequest,
  made: {
    readonly privateKey: KeyObject
    readonly chain: readonly [X509Certificate, ...X509Certificate[]]
    readonly policy: FullPolicy
  },
): CertificateVersion {
  const [leaf, ...issuers] = made.chain
  const toSeconds = (date: string) => Math.floor(Date.parse(date) / 1000)
  const version: CertificateVersion = {
    version: newVersionId(),
    chain: [leaf.raw.toString("base64"), ...issuers.map(({ raw }) => raw.toString("base64"))],
    privateKey: made.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    contentType: made.policy.secret_props.contentType,
    exportable: made.policy.key_props.exportable,
    tags: asked.tags ?? undefined,
    attributes: {
      ...newAttributes({ enabled: asked.attributes?.enabled }),
      notBefore: toSeconds(leaf.validFrom),
      expires: toSeconds(leaf.validTo),
    },
  }
  const spelled = vault.state.certificates.find(name)?.name ?? name
  vault.commit({ op: "addCertificate", name: spelled, version, policy: made.policy })
  for (const kind of vault.certificateEvents) vault.raise(kind, "NewVersionCreated", spelled)
  return version
}
