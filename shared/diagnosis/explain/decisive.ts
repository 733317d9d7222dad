import type { PasteFacts } from "./pasteFacts.ts"

/**
 * The action and the scope that a refusal is about. A text about a linked resource names first what the identity may do,
 * and last what it may not.
 */
export function decisive(
  { actions, scopes }: Pick<PasteFacts, "actions" | "scopes">,
  code: string | undefined,
): { readonly action?: string; readonly scope?: string } {
  const isLinked = code === "LinkedAuthorizationFailed"
  const action = isLinked ? actions.at(-1) : actions[0]
  const scope = isLinked ? (scopes.length > 1 ? scopes.at(-1) : undefined) : scopes[0]
  return { ...(action === undefined ? {} : { action }), ...(scope === undefined ? {} : { scope }) }
}
