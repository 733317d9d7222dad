import type { ErrorCode } from "../../errors.ts"
import { dataPlaneCodes } from "./dataPlaneCodes.ts"
import type { AnsweringService, ExplanationKind } from "./explanation.ts"
import type { KnownCode } from "./knownCode.ts"
import { platformCodes } from "./platformCodes.ts"

type OwnCode = Extract<ErrorCode, `ERR_${"VAULT" | "STORE" | "QUEUE" | "IDENTITY"}_${string}`>

const own = (code: OwnCode, kind: ExplanationKind, service: AnsweringService, says: string): KnownCode => ({
  code,
  kind,
  service,
  says,
  weight: 7,
})

/** Codes of this product that a log line of the function shows. */
const ownCodes: readonly KnownCode[] = [
  own("ERR_VAULT_FIREWALL", "network", "vault", "The vault refuses the network path of the function."),
  own(
    "ERR_VAULT_FORBIDDEN",
    "dataRole",
    "vault",
    "The vault knows the function's identity, which lacks a role.",
  ),
  own("ERR_VAULT_THROTTLED", "throttling", "vault", "The vault was asked more often than it allows."),
  own("ERR_VAULT_VERSION_DISABLED", "objectState", "vault", "The version is disabled."),
  own("ERR_VAULT_VERSION_ABSENT", "objectState", "vault", "The vault has no such version."),
  own(
    "ERR_VAULT_CHALLENGE",
    "authentication",
    "vault",
    "The vault asks for a token of another resource than the settings say: a sovereign cloud, or somebody else's host.",
  ),
  own(
    "ERR_STORE_FIREWALL",
    "network",
    "storage",
    "The storage account refuses the network path of the function.",
  ),
  own(
    "ERR_STORE_FORBIDDEN",
    "dataRole",
    "storage",
    "The storage account knows the function's identity, which lacks a data role.",
  ),
  own(
    "ERR_STORE_NOT_IMMUTABLE",
    "policy",
    "storage",
    "The container has no immutability policy, and the worker refuses to start without one.",
  ),
  own("ERR_QUEUE_FIREWALL", "network", "serviceBus", "The namespace refuses the network path."),
  own(
    "ERR_QUEUE_FORBIDDEN",
    "dataRole",
    "serviceBus",
    "The namespace knows the identity, which lacks the right to send or receive.",
  ),
  own("ERR_IDENTITY_UNAVAILABLE", "authentication", "entra", "The managed identity gave no token."),
]

/** Every code that can be explained. */
export const knownCodes: readonly KnownCode[] = [...dataPlaneCodes, ...platformCodes, ...ownCodes]
