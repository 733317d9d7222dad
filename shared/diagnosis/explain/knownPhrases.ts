import type { AnsweringService, ExplanationKind } from "./explanation.ts"
import type { KnownCode } from "./knownCode.ts"

/** A sentence that decides. Its `code` is the one it comes with, where there is one. */
export interface KnownPhrase extends KnownCode {
  /** Goes over text whose white space is collapsed. */
  readonly pattern: RegExp
}

const phrase = (
  code: string,
  pattern: RegExp,
  kind: ExplanationKind,
  service: AnsweringService,
  weight: number,
  says: string,
): KnownPhrase => ({ code, pattern, kind, service, weight, says })

/**
 * Sentences of the services that say more than the code they come with, or that people paste without it. Wording: Key Vault
 * private link diagnostics and common error codes, storage 403 troubleshooting, Service Bus exceptions (learn.microsoft.com).
 */
export const knownPhrases: readonly KnownPhrase[] = [
  phrase(
    "Ip has been prevented to connect",
    /ip has been prevented to connect to the endpoint/i,
    "network",
    "serviceBus",
    9,
    "The namespace refuses the address the connection came from: public access is off, or no rule admits it. The code it comes with is that of a missing right, which it is not.",
  ),
  phrase(
    "not from a trusted service",
    /(?:not a|not from a) trusted service/i,
    "network",
    "vault",
    7,
    "The vault refuses the network path. The remark on trusted services names an exception that functions are no part of.",
  ),
  phrase(
    "ForbiddenByRbac",
    /caller is not authorized to perform action on resource/i,
    "dataRole",
    "vault",
    6,
    "The vault knows the identity; no role assignment gives it this action here, or the assignment is minutes old.",
  ),
  phrase(
    "AccessDenied",
    /does not have (?:secrets?|keys?|certificates?) [a-z]{2,20} permission on key vault/i,
    "dataRole",
    "vault",
    6,
    "The vault uses access policies, and none has an entry with this permission for the identity.",
  ),
  phrase(
    "SecretDisabled",
    /is not allowed on a disabled (?:secret|certificate|key)/i,
    "objectState",
    "vault",
    8,
    "The version is disabled: nobody can read it, whatever the role.",
  ),
  phrase(
    "AuthorizationPermissionMismatch",
    /not authorized to perform this operation using this permission/i,
    "dataRole",
    "storage",
    5,
    "The storage account knows the identity; its data role at this scope is missing, too narrow, or minutes old.",
  ),
  phrase(
    "AuthorizationFailure",
    /request is not authorized to perform this operation(?! using)/i,
    "network",
    "storage",
    4,
    "The storage account refuses the network path: public access is off, or its firewall does not admit the address the request came from.",
  ),
  phrase(
    "PublicAccessNotPermitted",
    /public access is not permitted on this storage account/i,
    "authentication",
    "storage",
    5,
    "The request was anonymous, and the account allows none such: no token was attached.",
  ),
  phrase(
    "KeyBasedAuthenticationNotPermitted",
    /key based authentication is not permitted/i,
    "authentication",
    "storage",
    5,
    "A shared key was used, and the account allows none. That is as it should be: the caller must use its managed identity.",
  ),
  phrase(
    "AuthorizationFailed",
    /does not have authorization to perform action/i,
    "managementRole",
    "resourceManager",
    6,
    "Resource Manager refuses an action of the management plane to the identity that it names.",
  ),
  phrase(
    "Send claim",
    /(?:^|\W)send\W{0,4}claims?(?:\(s\))? (?:is|are) required/i,
    "dataRole",
    "serviceBus",
    7,
    "Service Bus knows the identity, which lacks the right to send to this entity.",
  ),
  phrase(
    "Listen claim",
    /(?:^|\W)listen\W{0,4}claims?(?:\(s\))? (?:is|are) required/i,
    "dataRole",
    "serviceBus",
    7,
    "Service Bus knows the identity, which lacks the right to receive from this entity.",
  ),
  phrase(
    "claim is empty",
    /claim is empty or token is invalid/i,
    "dataRole",
    "serviceBus",
    5,
    "Service Bus knows the identity, which lacks the right to send to or receive from this entity.",
  ),
  phrase(
    "request date header too old",
    /request date header too old/i,
    "authentication",
    "storage",
    6,
    "The clock of the caller is wrong, or the request was held up for minutes.",
  ),
  phrase(
    "no such host",
    /no such host is known|name or service not known|could not be resolved|no address associated with hostname/i,
    "network",
    "network",
    4,
    "The name has no address where the code runs.",
  ),
  phrase(
    "no TLS connection",
    /the ssl connection could not be established|unable to get local issuer certificate|self[- ]signed certificate/i,
    "network",
    "network",
    5,
    "No TLS connection was made: a proxy on the way shows a certificate of its own.",
  ),
  phrase(
    "no managed identity",
    /no managed identity endpoint found|unable to load the proper managed identity|identity not found/i,
    "authentication",
    "entra",
    6,
    "No managed identity answered: none is assigned to the app, or the client id is missing or of another identity.",
  ),
]
