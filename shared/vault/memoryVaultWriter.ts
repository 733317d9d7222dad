import { randomBytes } from "node:crypto"
import { openMaterial } from "../certificate/certificateMaterial.ts"
import type { ObjectKind, ObjectVersion } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import type { MemoryVault } from "./memoryVault.ts"
import type { NameState, NewSecret, VaultWriter } from "./vaultWriter.ts"

/** A writer into a vault in memory. `deleted` holds names that are soft-deleted. */
export interface MemoryVaultWriter extends VaultWriter {
  readonly deleted: Set<string>
  /** How many versions were made. */
  readonly writes: number
}

/** Writes into `memory`, as the service does: names are compared without case, one name is one object. */
export function createMemoryVaultWriter(
  memory: MemoryVault,
  now: () => Date = () => new Date(),
): MemoryVaultWriter {
  const deleted = new Set<string>()
  let writes = 0
  const look = async (vault: string, name: string): Promise<NameState> => {
    const folded = name.toLowerCase()
    if (deleted.has(folded)) return { state: "deleted" }
    let found: NameState = { state: "free" }
    for await (const { object, attributes, managed } of memory.listSecretVersions(vault)) {
      if (object.name !== folded) continue
      const current = managed ? { ...object, kind: "certificate" as const } : object
      found = { state: "taken", current, enabled: attributes.enabled, tags: await memory.tagsOf(current) }
    }
    return found
  }
  const newVersion = async (vault: string, name: string, kind: ObjectKind): Promise<ObjectVersion> => {
    const state = await look(vault, name)
    const details = { vault, name }
    if (state.state === "deleted") {
      throw new ServiceError("ERR_RESTORE_TARGET_DELETED", "The vault has a deleted object of that name", {
        details,
      })
    }
    if (state.state === "taken" && state.current.kind !== kind) {
      throw new ServiceError("ERR_RESTORE_TARGET_EXISTS", "The vault has the name already", { details })
    }
    writes += 1
    const { host } = new URL(vault)
    return { vault, host, kind, name: name.toLowerCase(), version: randomBytes(16).toString("hex") }
  }
  const attributesOf = ({ enabled, notBefore, expires }: Omit<NewSecret, "value" | "tags">) => {
    const created = new Date(Math.floor(now().getTime() / 1000) * 1000)
    return {
      enabled,
      created,
      updated: created,
      ...(notBefore ? { notBefore } : {}),
      ...(expires ? { expires } : {}),
    }
  }
  return {
    deleted,
    get writes() {
      return writes
    },
    look,
    setSecret: async (vault, name, secret) => {
      const object = await newVersion(vault, name, "secret")
      const { value, contentType, tags } = secret
      const rest = contentType === undefined ? {} : { contentType }
      memory.set(object, { value, tags: { ...tags }, attributes: attributesOf(secret), ...rest })
      return object
    },
    importCertificate: async (vault, name, { material, contentType, tags, enabled, policy }) => {
      const { certificates, privateKeys } = openMaterial(material.reveal(), contentType)
      const leaf = certificates.find((one) => privateKeys.some((key) => one.checkPrivateKey(key)))
      if (!leaf) throw new ServiceError("ERR_UNKNOWN", "The material has no certificate with its key")
      const object = await newVersion(vault, name, "certificate")
      const attributes = attributesOf({ enabled })
      memory.setCertificate(object, { cer: leaf.raw, policy, tags: { ...tags }, attributes })
      memory.set(
        { ...object, kind: "secret" },
        { value: material, contentType, managed: true, attributes, tags: { ...tags } },
      )
      return { object, isPolicyKept: true }
    },
  }
}
