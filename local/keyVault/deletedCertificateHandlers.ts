import { certificateBundle } from "./certificateBundle.ts"
import { deletionFrom, nowSeconds } from "./objectAttributes.ts"
import { pickDeleted, pickVersion } from "./objectLookup.ts"
import { pageOf } from "./paging.ts"
import { deletionBody } from "./secretBundle.ts"
import type { VaultAnswer, VaultContext, VaultRequest } from "./vaultRequest.ts"

/** The secret and the key behind the certificate go with it. */
export function deleteCertificate({ vault, name }: VaultRequest): VaultAnswer {
  const object = vault.state.certificates.find(name)
  pickVersion("certificate", object, name, "")
  vault.commit({ op: "delete", kind: "certificate", name, ...deletionFrom(nowSeconds()) })
  vault.operations.delete(name.toLowerCase())
  return { status: 200, body: deletedBody(vault, name) }
}

export function getDeletedCertificate({ vault, name }: VaultRequest): VaultAnswer {
  return { status: 200, body: deletedBody(vault, name) }
}

export function listDeletedCertificates(request: VaultRequest): VaultAnswer {
  const { vault } = request
  return pageOf(request, "/deletedcertificates", [vault.state.certificates.deletedNames()], (key) => {
    const { x5t, attributes, tags, recoveryId, deletedDate, scheduledPurgeDate } = deletedBody(vault, key)
    const id = `${vault.url}/certificates/${pickDeletedCertificate(vault, key).name}`
    return { id, x5t, attributes, tags, recoveryId, deletedDate, scheduledPurgeDate }
  })
}

export function recoverCertificate({ vault, name }: VaultRequest): VaultAnswer {
  const deleted = pickDeletedCertificate(vault, name)
  vault.commit({ op: "recover", kind: "certificate", name })
  return { status: 200, body: certificateBundle(vault, deleted.name, deleted.current) }
}

export function purgeCertificate({ vault, name }: VaultRequest): VaultAnswer {
  pickDeletedCertificate(vault, name)
  vault.commit({ op: "purge", kind: "certificate", name })
  return { status: 204 }
}

function deletedBody(vault: VaultContext, name: string): Readonly<Record<string, unknown>> {
  const deleted = pickDeletedCertificate(vault, name)
  return {
    ...certificateBundle(vault, deleted.name, deleted.current),
    ...deletionBody(vault, "certificates", deleted.name, deleted),
  }
}

function pickDeletedCertificate(vault: VaultContext, name: string) {
  return pickDeleted("certificate", vault.state.certificates.findDeleted(name), name)
}
