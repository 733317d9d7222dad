import type { ObjectKind } from "../change/objectVersion.ts"
import type { VaultPager } from "../vault/vaultPager.ts"
import type { HeldVersion } from "./gap.ts"

/** The kinds of object that a vault has under one name. */
export type KindsByName = ReadonlyMap<string, ReadonlySet<ObjectKind>>

const kinds = ["secret", "certificate"] as const

/**
 * Every name of a vault. Memory: the names.
 *
 * @throws ServiceError as VaultPager does: an incomplete list of names proves nothing.
 */
export async function listKindsByName(vault: string, pager: VaultPager): Promise<KindsByName> {
  const found = new Map<string, Set<ObjectKind>>()
  for (const kind of kinds) {
    for await (const page of pager.names(vault, kind)) {
      for (const name of page) found.set(name, (found.get(name) ?? new Set()).add(kind))
    }
  }
  return found
}

/**
 * Every version under one name. A certificate's version is there twice, as itself and as the secret behind it; what is
 * needed for its record is enabled when both are.
 *
 * @throws ServiceError as VaultPager does.
 */
export async function listHeldVersions(
  vault: string,
  name: string,
  of: ReadonlySet<ObjectKind>,
  pager: VaultPager,
): Promise<ReadonlyMap<string, HeldVersion>> {
  const held = new Map<string, HeldVersion>()
  for (const asked of of) {
    for await (const page of pager.versions(vault, asked, name)) {
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
