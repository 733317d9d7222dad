/** A built-in role: its official name and the data actions it allows. */
export interface BuiltInRole {
  readonly name: string
  readonly dataActions: readonly string[]
}

const vaults = "Microsoft.KeyVault/vaults"
const containers = "Microsoft.Storage/storageAccounts/blobServices/containers"
const messages = "Microsoft.ServiceBus/namespaces/messages"

/**
 * The built-in roles that a plan may use, by id. There is no Owner and no Contributor of resources among them.
 * From https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
 */
export const builtInRoles: Readonly<Record<string, BuiltInRole>> = {
  "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": {
    name: "Storage Blob Data Owner",
    dataActions: [`${containers}/blobs/*`],
  },
  "ba92f5b4-2d11-453d-a403-e96b0029c9fe": {
    name: "Storage Blob Data Contributor",
    dataActions: ["read", "write", "delete", "move/action", "add/action"].map(
      (word) => `${containers}/blobs/${word}`,
    ),
  },
  "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": {
    name: "Storage Blob Data Reader",
    dataActions: [`${containers}/blobs/read`],
  },
  "974c5e8b-45b9-4653-ba55-5f855dd0fb88": { name: "Storage Queue Data Contributor", dataActions: [] },
  "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": { name: "Storage Table Data Contributor", dataActions: [] },
  "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0": {
    name: "Azure Service Bus Data Receiver",
    dataActions: [`${messages}/receive/action`],
  },
  "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": {
    name: "Azure Service Bus Data Sender",
    dataActions: [`${messages}/send/action`],
  },
  "3913510d-42f4-4e42-8a64-420c390055eb": { name: "Monitoring Metrics Publisher", dataActions: [] },
  "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba": {
    name: "Key Vault Certificate User",
    dataActions: [
      `${vaults}/certificates/read`,
      `${vaults}/secrets/getSecret/action`,
      `${vaults}/secrets/readMetadata/action`,
      `${vaults}/keys/read`,
    ],
  },
  "21090545-7ca7-4776-b22c-e363652d74d2": {
    name: "Key Vault Reader",
    dataActions: [`${vaults}/*/read`, `${vaults}/secrets/readMetadata/action`],
  },
  "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": {
    name: "Key Vault Secrets Officer",
    dataActions: [`${vaults}/secrets/*`],
  },
  "a4417e6f-fecd-4de8-b567-7b0420556985": {
    name: "Key Vault Certificates Officer",
    dataActions: [`${vaults}/certificates/*`],
  },
  "12338af0-0e69-4776-bea7-57ae8d297424": {
    name: "Key Vault Crypto User",
    dataActions: [
      "read",
      "update/action",
      "backup/action",
      "encrypt/action",
      "decrypt/action",
      "wrap/action",
      "unwrap/action",
      "sign/action",
      "verify/action",
    ].map((word) => `${vaults}/keys/${word}`),
  },
}
