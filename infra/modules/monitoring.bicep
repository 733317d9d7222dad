metadata description = 'Logs and telemetry: a workspace, a component, and a private link to both where nothing may leave the network.'

import { egressType, principalIdsType } from '../types.bicep'

@description('Required. What the names end with.')
param nameSuffix string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags { *: string }

@description('Required. How calls leave the network.')
param egress egressType

@description('Required. Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Required. Name of the identity of the host.')
param hostIdentityName string

@description('Required. Principal ids of the app.')
param principalIds principalIdsType

var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb' // Monitoring Metrics Publisher

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-${nameSuffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
    publicNetworkAccessForIngestion: egress == 'privateLink' ? 'Disabled' : 'Enabled'
    // People ask from the portal, with their own rights.
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${nameSuffix}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
    publicNetworkAccessForIngestion: egress == 'privateLink' ? 'Disabled' : 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource hostPublishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: component
  name: guid(component.id, hostIdentityName, metricsPublisher)
  properties: {
    principalId: principalIds.host
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
    description: 'Monitoring Metrics Publisher: the app sends its telemetry by identity.'
  }
}

resource linkScope 'Microsoft.Insights/privateLinkScopes@2021-09-01' = if (egress == 'privateLink') {
  name: 'ampls-${nameSuffix}'
  location: 'global'
  tags: tags
  properties: { accessModeSettings: { ingestionAccessMode: 'PrivateOnly', queryAccessMode: 'Open' } }

  resource workspaceLink 'scopedResources' = {
    name: 'workspace'
    properties: { linkedResourceId: workspace.id }
  }

  resource componentLink 'scopedResources' = {
    name: 'component'
    properties: { linkedResourceId: component.id }
  }
}
