metadata description = 'The custom roles of vaults, made where the vaults are: a role holds only in the subscription and group it is made for.'

// Data actions, by job. Nobody here may delete, purge or change anything in a vault, but restore, which adds versions.
var dataActions = {
  backup: [
    'Microsoft.KeyVault/vaults/secrets/getSecret/action'
    'Microsoft.KeyVault/vaults/certificates/read'
  ]
  reconcile: [
    'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
    'Microsoft.KeyVault/vaults/certificates/read'
  ]
  canary: ['Microsoft.KeyVault/vaults/secrets/setSecret/action']
  verify: [
    'Microsoft.KeyVault/vaults/secrets/getSecret/action'
    'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
    'Microsoft.KeyVault/vaults/certificates/read'
  ]
  restore: [
    'Microsoft.KeyVault/vaults/secrets/getSecret/action'
    'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
    'Microsoft.KeyVault/vaults/secrets/setSecret/action'
    'Microsoft.KeyVault/vaults/certificates/read'
    'Microsoft.KeyVault/vaults/certificates/import/action'
  ]
}

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in items(dataActions): {
    name: guid(resourceGroup().id, 'keyvault-backup', 'vault', role.key)
    properties: {
      // Names of roles are unique in a tenant.
      roleName: 'Key Vault backup: ${role.key} at vaults ${uniqueString(resourceGroup().id)}'
      description: 'What the job ${role.key} of the Key Vault backup does with a vault.'
      type: 'CustomRole'
      assignableScopes: [resourceGroup().id]
      permissions: [{ actions: [], notActions: [], dataActions: role.value, notDataActions: [] }]
    }
  }
]
