metadata description = 'Who may use the keys of the recovery vault: people open records, audit signs digests. Nobody who writes backups can open them.'

import { peopleType, principalIdsType, roleSourceType } from '../../types.bicep'

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Name of the key that opens the backups.')
param recoveryKeyName string

@description('Required. Name of the key that signs the digests.')
param digestKeyName string

@description('Required. What the names of the identities begin with.')
param identityNamePrefix string

@description('Required. Principal ids of the app.')
param principalIds principalIdsType

@description('Required. Who verifies and restores.')
param people peopleType

@description('Required. Where the roles come from.')
param roleSource roleSourceType

var dataActions = {
  open: ['Microsoft.KeyVault/vaults/keys/unwrap/action']
  // Signatures are verified with the public half, which reading gives.
  sign: ['Microsoft.KeyVault/vaults/keys/read', 'Microsoft.KeyVault/vaults/keys/sign/action']
}
var cryptoUser = '12338af0-0e69-4776-bea7-57ae8d297424' // Key Vault Crypto User
var roleNames = {
  open: roleSource == 'builtIn' ? cryptoUser : guid(resourceGroup().id, 'keyvault-backup', 'keys', 'open')
  sign: roleSource == 'builtIn' ? cryptoUser : guid(resourceGroup().id, 'keyvault-backup', 'keys', 'sign')
}
var openers = flatten(map(['verify', 'restore'], job => map(people[job], person => { job: job, person: person })))

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in items(dataActions): if (roleSource == 'custom') {
    name: guid(resourceGroup().id, 'keyvault-backup', 'keys', role.key)
    properties: {
      roleName: 'Key Vault backup: ${role.key} with keys ${uniqueString(resourceGroup().id)}'
      description: 'What the Key Vault backup does with one key: ${role.key}.'
      type: 'CustomRole'
      assignableScopes: [resourceGroup().id]
      permissions: [{ actions: [], notActions: [], dataActions: role.value, notDataActions: [] }]
    }
  }
]

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName

  resource recoveryKey 'keys' existing = { name: recoveryKeyName }

  resource digestKey 'keys' existing = { name: digestKeyName }
}

resource auditAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault::digestKey
  name: guid(vault::digestKey.id, '${identityNamePrefix}-audit', roleNames.sign)
  properties: {
    principalId: principalIds.audit
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames.sign)
    description: 'Key Vault backup: audit signs digests'
  }
  dependsOn: [definitions]
}

resource openAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in openers: {
    scope: vault::recoveryKey
    name: guid(vault::recoveryKey.id, grant.job, grant.person.principalId, roleNames.open)
    properties: {
      principalId: grant.person.principalId
      principalType: grant.person.principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames.open)
      description: 'Key Vault backup: ${grant.job} opens records'
    }
    dependsOn: [definitions]
  }
]
