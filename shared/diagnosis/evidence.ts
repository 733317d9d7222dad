import type { QueueAnswer, TokenProblem } from "./caller.ts"
import type { ConnectAnswer } from "./connector.ts"
import type { CallAnswer, HarmlessCall, QueueCall } from "./harmlessCall.ts"
import type { DoctorJob } from "./job.ts"
import type { NameAnswer, NameKind } from "./names.ts"
import type { TokenClaims } from "./tokenClaims.ts"

/** The services that a job goes to over the network. */
export type ServiceKind = "vault" | "store" | "queue" | "deadLetter" | "state" | "digestKey"

/** One way from a job to a service. */
export interface Hop {
  readonly kind: ServiceKind
  readonly job: DoctorJob
  /** URL of the vault, of the container, or host of the namespace. */
  readonly target: string
  readonly host: string
  readonly port: number
}

/** What a token was asked for, and what came. */
export interface TokenEvidence {
  readonly audience: string
  readonly claims?: TokenClaims
  readonly problem?: TokenProblem
  readonly says?: string
}

export type CalledHttp = Pick<HarmlessCall, "name" | "right" | "object"> & {
  readonly answer: CallAnswer
}

export type CalledQueue = Pick<QueueCall, "name" | "right" | "queue"> & { readonly answer: QueueAnswer }

/** Everything that was seen of a hop, in the order of asking. What is absent was not asked, or not answered in time. */
export interface HopEvidence {
  readonly hop: Hop
  readonly names?: NameAnswer & { readonly kind: NameKind }
  readonly connection?: ConnectAnswer
  /** The resource that the service itself asks tokens for. */
  readonly challenge?: NonNullable<CallAnswer["challenge"]>
  readonly token?: TokenEvidence
  readonly calls: readonly CalledHttp[]
  readonly queueCalls: readonly CalledQueue[]
  /** The clock of the service minus that of this machine. */
  readonly clockDifferenceMs?: number
  /** The time for this hop ran out. */
  readonly isLate?: boolean
}
