/** What kind of refusal it is: which of them decides where the remedy lies. */
export const explanationKinds = [
  "network",
  "dataRole",
  "managementRole",
  "objectState",
  "authentication",
  "policy",
  "throttling",
  "unknown",
] as const

export type ExplanationKind = (typeof explanationKinds)[number]

/** Whose answer it is. */
export type AnsweringService =
  | "storage"
  | "vault"
  | "serviceBus"
  | "resourceManager"
  | "entra"
  | "eventGrid"
  | "network"

/** The narrowest remedy: a parameter of `infra/`, and a command. Words in capitals are to be filled in. */
export interface Remedy {
  readonly says: string
  readonly bicep?: string
  readonly command?: string
}

/** What a pasted error means. Holds nothing of the text but codes, actions, resource ids and ids of identities. */
export interface Explanation {
  readonly kind: ExplanationKind
  readonly service?: AnsweringService
  /** The code that decided. */
  readonly code?: string
  readonly says: string
  /** What it is often taken for, and is not. */
  readonly isNot: readonly string[]
  readonly identity?: { readonly appId?: string; readonly objectId?: string }
  readonly action?: string
  readonly scope?: string
  readonly remedy: Remedy
  /** Other kinds that the same text shows signs of. */
  readonly also: readonly { readonly kind: ExplanationKind; readonly code: string }[]
  /** Was the text longer than what is read? */
  readonly isCut: boolean
}
