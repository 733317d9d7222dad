import type { AnsweringService, ExplanationKind } from "./explanation.ts"

/** What one code of a service says. */
export interface KnownCode {
  readonly code: string
  readonly kind: ExplanationKind
  readonly service: AnsweringService
  /** The sentence for people. */
  readonly says: string
  /** Higher wins where a text has several: an inner code says more than the one around it. */
  readonly weight: number
}

type Row = readonly [code: string, kind: ExplanationKind, says: string, weight?: number]

/** A table of codes of one service. The weight is 5 where none is given. */
export const rows = (service: AnsweringService, list: readonly Row[]): KnownCode[] =>
  list.map(([code, kind, says, weight = 5]) => ({ code, kind, service, says, weight }))
