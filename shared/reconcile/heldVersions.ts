import type { ObjectKind } from "../change/objectVersion.ts"
import { ServiceError } from "../errors.ts"
import type { VaultPager } from "../vault/vaultPager.ts"
import type { HeldVersion } from "./gap.ts"

/** The kinds of object that a vault has under one name. */
export type KindsByName = ReadonlyMap<string, ReadonlySet<ObjectKind>>

const kinds = ["secret", "certificate"] as const

/**
 * Every name of a vault. Memory: the names.
 *
 * @throws ServiceError as VaultPager does: an incomplete list of names proves nothing. ERR_VAULT_RESPONSE_INVALID also
 * for a list that comes back to where it was.
 */
export async function listKindsByName(vault: string, pager: VaultPager): Promise<KindsByName> {
  const found = new Map<string, Set<ObjectKind>>()
  for (const kind of kinds) {
    const assertNew = createNewPageCheck(vault)
    for await (const page of pager.names(vault, kind)) {
      assertNew(page)
      for (const name of page) found.set(name, (found.get(name) ?? new Set()).add(kind))
    }
  }
  return found
}

/**
 * Every version under one name. A certificate's version is there twice, as itself and as the secret behind it; what is
 * needed for its record is enabled when both are.
 *
 * @throws ServiceError as `listKindsByName` does.
 */
export async function listHeldVersions(
  vault: string,
  name: string,
  of: ReadonlySet<ObjectKind>,
  pager: VaultPager,
): Promise<ReadonlyMap<string, HeldVersion>> {
  const held = new Map<string, HeldVersion>()
  for (const asked of of) {
    const assertNew = createNewPageCheck(vault)
    for await (const page of pager.versions(vault, asked, name)) {
      assertNew(page.map(({ object }) => object.version))
      for (const { object, attributes, managed } of page) {
        const { enabled, created } = attributes
        held.set(object.version, {
          kind: asked === "certificate" || managed ? "certificate" : "secret",
          enabled: enabled && held.get(object.version)?.enabled !== false,
          ...(created ? { created } : {}),
        })
      }
    }
  }
  return held
}

/** A check that each page holds something new, or nothing: a list whose pages go round would have no end. */
function createNewPageCheck(vault: string): (page: readonly string[]) => void {
  const seen = new Set<string>()
  return (page) => {
    const before = seen.size
    for (const entry of page) seen.add(entry)
    if (page.length === 0 || seen.size > before) return
    throw new ServiceError("ERR_VAULT_RESPONSE_INVALID", "The vault lists the same page again", {
      details: { vault },
    })
  }
}
