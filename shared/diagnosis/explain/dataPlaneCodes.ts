import { type KnownCode, rows } from "./knownCode.ts"

/**
 * Codes of the services whose data is read and written, each with the class that Microsoft's own troubleshooting pages give it: storage 403
 * (learn.microsoft.com, "Troubleshoot 403 errors in Azure Blob Storage", 2026-07), Key Vault error codes and private link
 * diagnostics, Resource Manager "RBAC access denied", Service Bus AMQP error conditions.
 */
export const dataPlaneCodes: readonly KnownCode[] = [
  ...rows("storage", [
    [
      "AuthorizationFailure",
      "network",
      "The storage account refuses the network path: public access is off, or its firewall does not admit the address the request came from.",
    ],
    [
      "AuthorizationSourceIPMismatch",
      "network",
      "The shared access signature allows other addresses than the one the request came from.",
      6,
    ],
    [
      "AuthorizationPermissionMismatch",
      "dataRole",
      "The storage account knows the identity; its data role at this scope is missing, too narrow, or minutes old.",
    ],
    ["InsufficientAccountPermissions", "dataRole", "The identity may not do this in the storage account."],
    [
      "UnauthorizedBlobOverwrite",
      "objectState",
      "The blob is there already, and the identity may only add new ones. For a backup that is success: it is protected.",
    ],
    [
      "AuthenticationFailed",
      "authentication",
      "The storage account takes no such token or signature: its audience, its tenant, the clock or the length that was signed is wrong.",
      4,
    ],
    [
      "InvalidAuthenticationInfo",
      "authentication",
      "The storage account finds no usable token: expired, malformed, or of another audience than https://storage.azure.com.",
    ],
    ["NoAuthenticationInformation", "authentication", "The request came without a token."],
    [
      "KeyBasedAuthenticationNotPermitted",
      "authentication",
      "A shared key was used, and the account allows none. That is as it should be: the caller must use its managed identity.",
    ],
    [
      "PublicAccessNotPermitted",
      "authentication",
      "The request was anonymous, and the account allows none such: no token was attached.",
    ],
    [
      "BlobImmutableDueToPolicy",
      "policy",
      "The immutability policy protects the blob: it can neither be overwritten nor deleted. The policy does its work.",
    ],
    ["BlobImmutableDueToLegalHold", "policy", "A legal hold protects the blob."],
    [
      "ContainerImmutabilityPolicyLocked",
      "policy",
      "The container's immutability policy is locked: it can only be extended.",
    ],
    ["ContainerHasLegalHold", "policy", "A legal hold on the container stands against it."],
    [
      "AccountProtectedFromDeletion",
      "policy",
      "The account holds protected data and cannot be deleted before its retention ends.",
    ],
    [
      "BlobAlreadyExists",
      "objectState",
      "A blob of this name is there already. For a backup that is success: it is protected.",
    ],
    ["BlobNotFound", "objectState", "There is no such blob."],
    ["ContainerNotFound", "objectState", "There is no such container in the account."],
    ["ContainerBeingDeleted", "objectState", "The container is being deleted."],
    ["AccountIsDisabled", "objectState", "The storage account is disabled."],
    ["ServerBusy", "throttling", "The storage account asks to be called less often."],
  ]),
  ...rows("vault", [
    [
      "ForbiddenByFirewall",
      "network",
      "The vault's firewall does not admit the address the request came from. It is judged before any role, so it says nothing about roles.",
      8,
    ],
    [
      "ForbiddenByConnection",
      "network",
      "The vault takes requests over its private endpoint only, and this one came another way. It is judged before any role.",
      8,
    ],
    [
      "ForbiddenByRbac",
      "dataRole",
      "The vault knows the identity; no role assignment gives it this action here, or the assignment is minutes old.",
      8,
    ],
    [
      "AccessDenied",
      "dataRole",
      "The vault uses access policies, and none has an entry with this permission for the identity.",
    ],
    [
      "ForbiddenByPolicy",
      "dataRole",
      "The vault uses access policies, and the identity's entry lacks this permission.",
      8,
    ],
    ["SecretDisabled", "objectState", "The version is disabled: nobody can read it, whatever the role.", 9],
    [
      "CertificateDisabled",
      "objectState",
      "The version is disabled: nobody can read it, whatever the role.",
      9,
    ],
    ["KeyDisabled", "objectState", "The key version is disabled.", 9],
    [
      "SecretNotFound",
      "objectState",
      "There is no such secret, or no such version of it: a wrong name, or deleted.",
    ],
    ["CertificateNotFound", "objectState", "There is no such certificate, or no such version of it."],
    ["KeyNotFound", "objectState", "There is no such key, or no such version of it."],
    [
      "ObjectIsDeletedButRecoverable",
      "objectState",
      "An object of this name is soft-deleted: the name is free only when it is recovered or purged.",
      9,
    ],
    [
      "ObjectIsBeingDeleted",
      "objectState",
      "An object of this name is being deleted; wait until that is done.",
      9,
    ],
    [
      "VaultRequestTypeLimitReached",
      "throttling",
      "The vault was asked more often than it allows: 4,000 transactions in 10 seconds.",
      6,
    ],
    [
      "Throttled",
      "throttling",
      "The vault was asked more often than it allows: 4,000 transactions in 10 seconds.",
    ],
  ]),
  ...rows("serviceBus", [
    [
      "amqp:unauthorized-access",
      "dataRole",
      "Service Bus knows the identity, which lacks the right to send to or receive from this entity.",
      3,
    ],
    [
      "UnauthorizedAccess",
      "dataRole",
      "Service Bus knows the identity, which lacks the right to send to or receive from this entity.",
      3,
    ],
    ["com.microsoft:auth-failed", "authentication", "Service Bus takes no such token."],
    ["MessagingEntityNotFound", "objectState", "There is no such queue in the namespace."],
    ["amqp:not-found", "objectState", "There is no such queue in the namespace."],
    ["MessagingEntityDisabled", "objectState", "The queue is disabled."],
    ["com.microsoft:entity-disabled", "objectState", "The queue is disabled."],
    ["com.microsoft:server-busy", "throttling", "The namespace asks to be called less often."],
    [
      "com.microsoft:message-lock-lost",
      "objectState",
      "The message's lock ended before it was settled: it will be delivered again.",
    ],
    [
      "MessageLockLost",
      "objectState",
      "The message's lock ended before it was settled: it will be delivered again.",
    ],
  ]),
]
