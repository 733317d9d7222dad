import type { ListedVersion, VaultCatalog } from "./vaultCatalog.ts"
import type { Pace, VaultPager } from "./vaultPager.ts"

const pageSize = 25

/** Pages of what a vault in memory lists, each by `pace`. See VaultPager for the promise. */
export function createMemoryVaultPager(
  catalog: VaultCatalog,
  pace: Pace = (_host, call) => call(),
): VaultPager {
  const list = async (vault: string, kind: "secret" | "certificate") => {
    const listed: ListedVersion[] = []
    const versions =
      kind === "secret" ? catalog.listSecretVersions(vault) : catalog.listCertificateVersions(vault)
    for await (const version of versions) listed.push(version)
    return listed
  }
  async function* pagesOf<T>(vault: string, items: readonly T[]): AsyncGenerator<readonly T[]> {
    for (let from = 0; from === 0 || from < items.length; from += pageSize) {
      yield await pace(new URL(vault).host, async () => items.slice(from, from + pageSize))
    }
  }
  return {
    async *names(vault, kind) {
      const listed = await list(vault, kind)
      yield* pagesOf(vault, [...new Set(listed.map(({ object }) => object.name))])
    },
    async *versions(vault, kind, name) {
      const listed = await list(vault, kind)
      yield* pagesOf(
        vault,
        listed.filter(({ object }) => object.name === name),
      )
    },
  }
}
