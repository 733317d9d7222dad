import { type KnownCode, rows } from "./knownCode.ts"

/** Codes of the management plane, of the directory and of the network between. */
export const platformCodes: readonly KnownCode[] = [
  ...rows("resourceManager", [
    [
      "AuthorizationFailed",
      "managementRole",
      "Resource Manager refuses an action of the management plane to the identity that it names. No data role gives it, and no firewall stands in its way.",
      6,
    ],
    [
      "LinkedAuthorizationFailed",
      "managementRole",
      "The identity may change the resource, and lacks a right on another one that it links to.",
      7,
    ],
    [
      "RoleAssignmentUpdateNotPermitted",
      "managementRole",
      "An assignment of this name belongs to another principal: one that was deleted and made anew.",
      7,
    ],
    [
      "PrincipalNotFound",
      "managementRole",
      "The directory does not know the principal yet: it was made moments ago.",
      7,
    ],
    ["RequestDisallowedByPolicy", "policy", "An Azure Policy assignment denies it.", 7],
    ["ScopeLocked", "policy", "A resource lock at this scope or above stands against it.", 7],
    ["InvalidAuthenticationToken", "authentication", "Resource Manager takes no such token.", 6],
    [
      "InvalidAuthenticationTokenTenant",
      "authentication",
      "The token is of another tenant than the subscription.",
      7,
    ],
    ["ExpiredAuthenticationToken", "authentication", "The token has expired.", 7],
    ["SubscriptionNotFound", "objectState", "The identity sees no such subscription."],
  ]),
  ...rows("entra", [
    [
      "CredentialUnavailableError",
      "authentication",
      "No managed identity answered: none is assigned to the app, the client id is missing or of another identity, or the code does not run in Azure.",
      5,
    ],
    [
      "ManagedIdentityCredential authentication unavailable",
      "authentication",
      "No managed identity answered: none is assigned to the app, or its client id is missing.",
      5,
    ],
    [
      "ManagedIdentityCredential authentication failed",
      "authentication",
      "The identity endpoint answered and gave no token: the client id names no identity of this app.",
      5,
    ],
    ["AADSTS700016", "authentication", "The tenant knows no application of this client id.", 8],
    ["AADSTS700213", "authentication", "No federated credential fits the token of this workload.", 8],
    ["AADSTS70021", "authentication", "No federated credential fits the token of this workload.", 7],
    [
      "AADSTS500011",
      "authentication",
      "The tenant knows no resource of this name: the audience is wrong.",
      8,
    ],
    ["AADSTS50076", "authentication", "The tenant asks for a second factor: sign in anew.", 8],
    ["AADSTS7000215", "authentication", "The client secret is wrong. This product uses none.", 8],
    ["AADSTS700024", "authentication", "The assertion has expired, or this machine's clock is wrong.", 8],
    ["AADSTS90002", "authentication", "There is no such tenant.", 8],
  ]),
  ...rows("network", [
    ["ENOTFOUND", "network", "The name has no address where the code runs."],
    ["EAI_AGAIN", "network", "Name resolution does not answer where the code runs."],
    [
      "ECONNREFUSED",
      "network",
      "Nothing listens at the address, or something on the way refuses the connection.",
    ],
    [
      "ETIMEDOUT",
      "network",
      "The address does not answer: a network rule drops the packets, or there is no route.",
    ],
    ["ECONNRESET", "network", "Something ended the connection: a firewall on the way, or the service.", 4],
    ["EHOSTUNREACH", "network", "There is no route to the address."],
    ["SELF_SIGNED_CERT_IN_CHAIN", "network", "A proxy on the way shows a certificate of its own.", 6],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "network", "A proxy on the way shows a certificate of its own.", 6],
    [
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "network",
      "The certificate is of another name: the address belongs to somebody else.",
      6,
    ],
  ]),
]
