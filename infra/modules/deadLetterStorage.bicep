metadata description = 'The account where Event Grid leaves what it cannot deliver. The only one that admits trusted services: Event Grid cannot enter through a private endpoint.'

import { resourceInstanceType } from '../types.bicep'

@description('Required. Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags { *: string }

@description('Required. Where the copies of each blob lie.')
param redundancy 'LRS' | 'ZRS'

@description('Required. Name of the container.')
param containerName string

@description('Required. The system topics that may leave events here.')
param systemTopics resourceInstanceType[]

@description('Required. Days after which a dead letter is deleted.')
@minValue(7)
@maxValue(365)
param keptDays int

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_${redundancy}' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    allowedCopyScope: 'AAD'
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    networkAcls: {
      // By the rule for the topic alone the destination cannot be attached:
      // https://github.com/MicrosoftDocs/azure-docs/issues/84665
      bypass: 'AzureServices'
      defaultAction: 'Deny'
      ipRules: []
      virtualNetworkRules: []
      resourceAccessRules: systemTopics
    }
    // Enabled means: the rules above decide, and they deny every network.
    publicNetworkAccess: 'Enabled'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }

    resource container 'containers' = {
      name: containerName
      properties: { publicAccess: 'None' }
    }
  }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'delete-old-dead-letters'
            enabled: true
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['${containerName}/'] }
              actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: keptDays } } }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}
