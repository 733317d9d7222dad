metadata description = 'Who may do what with one vault that decides by roles.'

import { peopleType, principalIdsType, roleSourceType } from '../../types.bicep'

@description('Required. Name of the vault.')
param vaultName string

@description('Required. What the names of the identities begin with.')
param identityNamePrefix string

@description('Required. Principal ids of the app.')
param principalIds principalIdsType

@description('Required. Who verifies and restores.')
param people peopleType

@description('Required. Name of the secret that the canary sets. Empty: it sets none here.')
param canarySecretName string

@description('Required. Where the roles come from.')
param roleSource roleSourceType

// The nearest built-in roles. All are wider: docs/deploy.md says by what.
var builtInRoles = {
  backup: ['db79e9a7-68ee-4b58-9aeb-b90e7c24fcba'] // Key Vault Certificate User
  reconcile: ['21090545-7ca7-4776-b22c-e363652d74d2'] // Key Vault Reader
  canary: ['b86a8fe4-44ce-4948-aee5-eccb2c155cd7'] // Key Vault Secrets Officer
  verify: ['db79e9a7-68ee-4b58-9aeb-b90e7c24fcba'] // Key Vault Certificate User
  // Key Vault Secrets Officer, Key Vault Certificates Officer
  restore: ['b86a8fe4-44ce-4948-aee5-eccb2c155cd7', 'a4417e6f-fecd-4de8-b567-7b0420556985']
}
var roleNames = {
  backup: roleSource == 'builtIn'
    ? builtInRoles.backup
    : [guid(resourceGroup().id, 'keyvault-backup', 'vault', 'backup')]
  reconcile: roleSource == 'builtIn'
    ? builtInRoles.reconcile
    : [guid(resourceGroup().id, 'keyvault-backup', 'vault', 'reconcile')]
  canary: roleSource == 'builtIn'
    ? builtInRoles.canary
    : [guid(resourceGroup().id, 'keyvault-backup', 'vault', 'canary')]
  verify: roleSource == 'builtIn'
    ? builtInRoles.verify
    : [guid(resourceGroup().id, 'keyvault-backup', 'vault', 'verify')]
  restore: roleSource == 'builtIn'
    ? builtInRoles.restore
    : [guid(resourceGroup().id, 'keyvault-backup', 'vault', 'restore')]
}
var appGrants = flatten(map(['backup', 'reconcile'], job => map(roleNames[job], role => { job: job, role: role })))
var peopleGrants = flatten(map(
  ['verify', 'restore'],
  job => flatten(map(people[job], person => map(roleNames[job], role => { job: job, role: role, person: person })))
))

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName

  resource canarySecret 'secrets' existing = { name: canarySecretName == '' ? 'none' : canarySecretName }
}

resource appAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in appGrants: {
    scope: vault
    name: guid(vault.id, '${identityNamePrefix}-${grant.job}', grant.role)
    properties: {
      principalId: principalIds[grant.job]
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
      description: 'Key Vault backup: ${grant.job}'
    }
  }
]

resource canaryAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in roleNames.canary: if (canarySecretName != '') {
    scope: vault::canarySecret
    name: guid(vault::canarySecret.id, '${identityNamePrefix}-canary', role)
    properties: {
      principalId: principalIds.canary
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      description: 'Key Vault backup: canary, at its one secret'
    }
  }
]

resource peopleAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in peopleGrants: {
    scope: vault
    name: guid(vault.id, grant.person.principalId, grant.role)
    properties: {
      principalId: grant.person.principalId
      principalType: grant.person.principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
      description: 'Key Vault backup: ${grant.job}'
    }
  }
]
