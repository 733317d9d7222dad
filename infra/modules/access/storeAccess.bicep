metadata description = 'Who may do what with the containers of the backups, of the state, and of Event Grid\'s dead letters. Nobody may overwrite or delete a backup.'

import { peopleType, principalIdsType, roleSourceType } from '../../types.bicep'
import { doesOnly, isBelow, isBlob, neverMatches, readsOnly } from 'conditions.bicep'

@description('Required. Name of the account of the backups.')
param accountName string

@description('Required. Name of the immutable container.')
param containerName string

@description('Required. Name of the container of the state.')
param stateContainerName string

@description('Required. Name of the account of the dead letters.')
param deadLetterAccountName string

@description('Required. Name of the container of the dead letters.')
param deadLetterContainerName string

@description('Required. What the names of the identities begin with.')
param identityNamePrefix string

@description('Required. Principal ids of the app.')
param principalIds principalIdsType

@description('Required. Who verifies and restores.')
param people peopleType

@description('Required. Where the roles come from.')
param roleSource roleSourceType

var blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'
// add: makes new blobs and cannot read, list, overwrite or delete. containers/read tells whether there is a policy.
var roles = {
  add: {
    actions: ['Microsoft.Storage/storageAccounts/blobServices/containers/read']
    dataActions: ['${blobs}/add/action']
  }
  ledger: { actions: [], dataActions: ['${blobs}/read', '${blobs}/add/action'] }
  read: { actions: [], dataActions: ['${blobs}/read'] }
  state: { actions: [], dataActions: ['${blobs}/read', '${blobs}/write'] }
}
// Storage Blob Data Contributor and Storage Blob Data Reader, the first always under conditions.
var contributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var builtInRoles = {
  add: contributor
  ledger: contributor
  read: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  state: contributor
}
var roleNames = toObject(
  items(roles),
  role => role.key,
  role =>
    roleSource == 'builtIn' ? builtInRoles[role.key] : guid(resourceGroup().id, 'keyvault-backup', 'blobs', role.key)
)
// What a built-in role has too much is taken away again by the condition.
var addsOnly = doesOnly(['read', 'write', 'delete'], neverMatches())
var changesNothing = doesOnly(['write', 'delete'], neverMatches())
var leaseReadsAndWrites = doesOnly(['add/action', 'delete'], neverMatches())
var andChangesNothing = roleSource == 'builtIn' ? ' AND ${changesNothing}' : ''
var andAddsOnly = roleSource == 'builtIn' ? ' AND ${addsOnly}' : ''

// Each job adds only what is its own: whoever takes one of them over can plant neither digests nor memories of another.
var addsBackups = doesOnly(['add/action'], isBelow(['v1', 'gaps', 'probe']))
var addsRuns = doesOnly(['add/action'], isBelow(['gaps', 'reconcile']))
var addsDigests = doesOnly(['add/action'], isBelow(['digest']))
var addsJournal = doesOnly(['add/action'], isBelow(['journal']))

var readsRuns = readsOnly(isBelow(['reconcile']))
var readsRecords = readsOnly(isBelow(['digest', 'reconcile', 'journal', 'drill']))
var readsJournal = readsOnly(isBelow(['journal']))
var leases = doesOnly(['read', 'write'], isBlob('replay.lease'))

// Who, with which role, under which condition, at the container of the backups.
var grants = [
  { job: 'backup', role: 'add', condition: '${addsBackups}${andAddsOnly}' }
  { job: 'reconcile', role: 'ledger', condition: '${readsRuns} AND ${addsRuns}${andChangesNothing}' }
  { job: 'audit', role: 'ledger', condition: '${readsRecords} AND ${addsDigests}${andChangesNothing}' }
  { job: 'replay', role: 'ledger', condition: '${readsJournal} AND ${addsJournal}${andChangesNothing}' }
  { job: 'canary', role: 'read', condition: readsOnly(neverMatches()) }
]
var readers = flatten(map(['verify', 'restore'], job => map(people[job], person => { job: job, person: person })))

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in items(roles): if (roleSource == 'custom') {
    name: guid(resourceGroup().id, 'keyvault-backup', 'blobs', role.key)
    properties: {
      roleName: 'Key Vault backup: ${role.key} at containers ${uniqueString(resourceGroup().id)}'
      description: 'What the Key Vault backup does with the blobs of a container: ${role.key}.'
      type: 'CustomRole'
      assignableScopes: [resourceGroup().id]
      permissions: [
        { actions: role.value.actions, notActions: [], dataActions: role.value.dataActions, notDataActions: [] }
      ]
    }
  }
]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: accountName

  resource services 'blobServices' existing = {
    name: 'default'

    resource backups 'containers' existing = { name: containerName }

    resource state 'containers' existing = { name: stateContainerName }
  }
}

resource deadLetterAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: deadLetterAccountName

  resource services 'blobServices' existing = {
    name: 'default'

    resource deadLetters 'containers' existing = { name: deadLetterContainerName }
  }
}

resource appAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in grants: {
    scope: account::services::backups
    name: guid(account::services::backups.id, '${identityNamePrefix}-${grant.job}', roleNames[grant.role])
    properties: {
      principalId: principalIds[grant.job]
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames[grant.role])
      description: 'Key Vault backup: ${grant.job}'
      condition: grant.condition
      conditionVersion: '2.0'
    }
    dependsOn: [definitions]
  }
]

resource peopleAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in readers: {
    scope: account::services::backups
    name: guid(account::services::backups.id, grant.job, grant.person.principalId, roleNames.read)
    properties: {
      principalId: grant.person.principalId
      principalType: grant.person.principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames.read)
      description: 'Key Vault backup: ${grant.job}'
    }
    dependsOn: [definitions]
  }
]

resource leaseAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::services::state
  name: guid(account::services::state.id, '${identityNamePrefix}-replay', roleNames.state)
  properties: {
    principalId: principalIds.replay
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames.state)
    description: 'Key Vault backup: replay holds its lease'
    condition: roleSource == 'builtIn' ? '${leases} AND ${leaseReadsAndWrites}' : leases
    conditionVersion: '2.0'
  }
  dependsOn: [definitions]
}

resource deadLetterAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: deadLetterAccount::services::deadLetters
  name: guid(deadLetterAccount::services::deadLetters.id, '${identityNamePrefix}-replay', roleNames.read)
  properties: {
    principalId: principalIds.replay
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames.read)
    description: 'Key Vault backup: replay reads the dead letters of Event Grid'
  }
  dependsOn: [definitions]
}
