import type { ObjectKind } from "../change/objectVersion.ts"
import type { ListedVersion } from "./vaultCatalog.ts"

/**
 * Does one call to the vault at `host` when it is its turn, and again where that helps. `call` may be made several
 * times.
 */
export type Pace = <T>(host: string, call: () => Promise<T>) => Promise<T>

export interface ListOptions {
  /** Looked at before each page. */
  readonly signal?: AbortSignal
}

/** Lists what a vault holds object by object, a page a call, for whoever must be able to stop anywhere. */
export interface VaultPager {
  /**
   * Names of all objects of `kind` in `vault` (`https://host[:port]`), in lower case and in no promised order. The
   * secrets behind certificates are among the secrets. Safe to repeat.
   *
   * @throws ServiceError as VaultReader does, for the failing page.
   */
  names(vault: string, kind: ObjectKind, options?: ListOptions): AsyncIterable<readonly string[]>

  /**
   * Every version of one object, in no promised order; none of an object that is gone. Otherwise as `names`.
   */
  versions(
    vault: string,
    kind: ObjectKind,
    name: string,
    options?: ListOptions,
  ): AsyncIterable<readonly ListedVersion[]>
}
