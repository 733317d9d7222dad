metadata description = 'The account of the backups: one container whose blobs nobody can change or delete, one ordinary container for what must change.'

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
param redundancy 'LRS' | 'ZRS' | 'GRS' | 'GZRS' | 'RAGRS' | 'RAGZRS'

@description('Required. Name of the immutable container.')
param containerName string

@description('Required. Name of the ordinary container.')
param stateContainerName string

@description('Required. Days that a blob cannot be changed or deleted.')
@minValue(1)
@maxValue(146000)
param retentionDays int

@description('Required. unlocked: the policy is part of the deployment. locked: it was locked by infra/scripts/lockRetention.sh, and the deployment leaves it alone.')
param policyState 'unlocked' | 'locked'

@description('Required. Days after which a blob is deleted that no policy holds any longer. 0: never.')
@minValue(0)
@maxValue(99999)
param deleteAfterDays int

@description('Required. Resources that the firewall admits, each by name.')
param allowedResourceInstances resourceInstanceType[]

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
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: { blob: { enabled: true, keyType: 'Account' } }
    }
    isHnsEnabled: false
    isLocalUserEnabled: false
    isSftpEnabled: false
    minimumTlsVersion: 'TLS1_2'
    networkAcls: {
      bypass: 'None'
      defaultAction: 'Deny'
      ipRules: []
      virtualNetworkRules: []
      resourceAccessRules: allowedResourceInstances
    }
    publicNetworkAccess: 'Disabled'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      // With versioning off an overwrite is refused; with it on it would make a new version beside the protected one.
      isVersioningEnabled: false
      deleteRetentionPolicy: { enabled: true, days: 30 }
      containerDeleteRetentionPolicy: { enabled: true, days: 30 }
    }

    resource backups 'containers' = {
      name: containerName
      properties: { publicAccess: 'None' }

      resource policy 'immutabilityPolicies' = if (policyState == 'unlocked') {
        name: 'default'
        properties: {
          immutabilityPeriodSinceCreationInDays: retentionDays
          allowProtectedAppendWrites: false
          allowProtectedAppendWritesAll: false
        }
      }

      resource lockedPolicy 'immutabilityPolicies' existing = if (policyState == 'locked') {
        name: 'default'
      }
    }

    resource state 'containers' = {
      name: stateContainerName
      properties: { publicAccess: 'None' }
    }
  }

  resource lifecycle 'managementPolicies' = if (deleteAfterDays > 0) {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'delete-old-backups'
            enabled: true
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['${containerName}/'] }
              actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: deleteAfterDays } } }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

resource accountLock 'Microsoft.Authorization/locks@2020-05-01' = if (policyState == 'locked') {
  scope: account
  name: 'backups-are-kept'
  properties: {
    level: 'CanNotDelete'
    notes: 'Backups of Key Vault under a locked retention policy.'
  }
}

@description('What the policy of the container says. A deployment that takes it for locked fails where there is none.')
output policyStateFound string = policyState == 'locked'
  ? account::blobs::backups::lockedPolicy!.properties.state
  : 'Unlocked'
