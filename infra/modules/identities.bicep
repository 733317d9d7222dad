metadata description = 'The identities of the function app: one for each job, and one for the Functions host itself.'

import { identitiesType } from '../types.bicep'

@description('Required. What the names begin with; the job follows.')
param namePrefix string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags { *: string }

resource host 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${namePrefix}-host'
  location: location
  tags: tags
}

resource backup 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${namePrefix}-backup'
  location: location
  tags: tags
}

resource reconcile 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${namePrefix}-reconcile'
  location: location
  tags: tags
}

resource audit 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${namePrefix}-audit'
  location: location
  tags: tags
}

resource replay 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${namePrefix}-replay'
  location: location
  tags: tags
}

resource canary 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${namePrefix}-canary'
  location: location
  tags: tags
}

@description('The identities by job.')
output identities identitiesType = {
  host: { resourceId: host.id, clientId: host.properties.clientId, principalId: host.properties.principalId }
  backup: { resourceId: backup.id, clientId: backup.properties.clientId, principalId: backup.properties.principalId }
  reconcile: {
    resourceId: reconcile.id
    clientId: reconcile.properties.clientId
    principalId: reconcile.properties.principalId
  }
  audit: { resourceId: audit.id, clientId: audit.properties.clientId, principalId: audit.properties.principalId }
  replay: { resourceId: replay.id, clientId: replay.properties.clientId, principalId: replay.properties.principalId }
  canary: { resourceId: canary.id, clientId: canary.properties.clientId, principalId: canary.properties.principalId }
}
