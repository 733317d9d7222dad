import { pkcs12ContentType } from "../../../shared/certificate/certificateMaterial.ts"
import { formatVersionUrl } from "../../../shared/change/objectVersion.ts"
import { SecretValue } from "../../../shared/secretValue.ts"
import { createMemoryVault } from "../../../shared/vault/memoryVault.ts"
import { aChain, certificateReadings } from "../../support/aChain.ts"
import { anObject, vault } from "../../support/builders.ts"
import { vaultCatalogSuite } from "../../suites/vaultCatalogSuite.ts"
import { type NewCertificate, type NewSecret, vaultReaderSuite } from "../../suites/vaultReaderSuite.ts"

const create = async () => {
  const memory = createMemoryVault()
  let count = 0
  const set = async (
    name: string,
    { value, tags = {}, contentType, enabled = true, ...times }: NewSecret,
  ) => {
    const object = anObject({ name, version: ++count })
    const created = new Date(1_772_359_200_000)
    const attributes = { enabled, created, updated: created, ...times }
    memory.set(object, {
      value: new SecretValue(value),
      tags,
      attributes,
      ...(contentType === undefined ? {} : { contentType }),
    })
    return object
  }
  const setCertificate = async (
    name: string,
    { contentType = pkcs12ContentType, exportable = true, tags = {}, enabled = true }: NewCertificate,
  ) => {
    const object = anObject({ kind: "certificate", name, version: ++count })
    const attributes = { enabled, created: new Date(1_772_359_200_000) }
    const readings = certificateReadings(aChain(), { contentType, exportable, tags, attributes })
    const keyId = formatVersionUrl(object).replace("/certificates/", "/keys/")
    memory.setCertificate(object, { ...readings.certificate, keyId })
    memory.set({ ...object, kind: "secret" }, { ...readings.secret, attributes })
    return object
  }
  return { reader: memory, catalog: memory, vault, set, setCertificate, stop: async () => {} }
}
vaultReaderSuite({ name: "createMemoryVault", create })
vaultCatalogSuite({ name: "createMemoryVault", create })
