metadata description = 'Who may do what with one vault that decides by access policies. They hold for the whole vault: the canary may set every secret of it.'

import { peopleType, principalIdsType } from '../../types.bicep'

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Principal ids of the app.')
param principalIds principalIdsType

@description('Required. Who verifies and restores.')
param people peopleType

@description('Required. Does the canary set a secret here?')
param hasCanary bool

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName

  resource added 'accessPolicies' = {
    name: 'add'
    properties: {
      accessPolicies: concat(
        [
          {
            tenantId: tenant().tenantId
            objectId: principalIds.backup
            permissions: { secrets: ['get'], certificates: ['get'] }
          }
          {
            tenantId: tenant().tenantId
            objectId: principalIds.reconcile
            permissions: { secrets: ['list'], certificates: ['get', 'list'] }
          }
        ],
        hasCanary
          ? [{ tenantId: tenant().tenantId, objectId: principalIds.canary, permissions: { secrets: ['set'] } }]
          : [],
        map(people.verify, person => {
          tenantId: tenant().tenantId
          objectId: person.principalId
          permissions: { secrets: ['get', 'list'], certificates: ['get', 'list'] }
        }),
        map(people.restore, person => {
          tenantId: tenant().tenantId
          objectId: person.principalId
          permissions: { secrets: ['get', 'list', 'set'], certificates: ['get', 'list', 'import'] }
        })
      )
    }
  }
}
