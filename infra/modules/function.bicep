metadata description = 'The function app on Flex Consumption: in the network, with identities alone.'

import { identitiesType, reportAccessType } from '../types.bicep'

@description('Required. Name of the app.')
param name string

@description('Required. Name of the plan.')
param planName string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags { *: string }

@description('Required. Id of the subnet that its calls leave from.')
param subnetId string

@description('Required. The identities of the app.')
param identities identitiesType

@description('Required. What the names of the identities begin with.')
param identityNamePrefix string

@description('Required. Blob endpoint of the account of the Functions host.')
param runtimeBlobUrl string

@description('Required. Name of that account.')
param runtimeAccountName string

@description('Required. Name of the container of the package.')
param packageContainerName string

@description('Required. Name of the component that takes the telemetry.')
param componentName string

@description('Required. Settings of the product.')
param settings { *: string }

@description('Required. Instances that are always ready to take changes. 1 or more keeps the first change from waiting for a start.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int

@description('Required. The most instances.')
@minValue(1)
@maxValue(1000)
param maximumInstances int

@description('Required. Address range that may deploy from outside the network, in CIDR form. Empty: none.')
param deployerAddressRange string

@description('Optional. Who may open the pages of the app. Absent: it registers none.')
param reportAccess reportAccessType?

var identityIds = map(
  ['host', 'backup', 'reconcile', 'audit', 'replay', 'canary'],
  job => resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', '${identityNamePrefix}-${job}')
)
var hostSettings = {
  AzureWebJobsStorage__accountName: runtimeAccountName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identities.host.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identities.host.clientId};Authorization=AAD'
  BackupServiceBus__credential: 'managedidentity'
  BackupServiceBus__clientId: identities.backup.clientId
  BACKUP_BACKUP_CLIENT_ID: identities.backup.clientId
  BACKUP_RECONCILE_CLIENT_ID: identities.reconcile.clientId
  BACKUP_AUDIT_CLIENT_ID: identities.audit.clientId
  BACKUP_REPLAY_CLIENT_ID: identities.replay.clientId
  BACKUP_CANARY_CLIENT_ID: identities.canary.clientId
}
// The app signs people in by this identity instead of a client secret:
// https://learn.microsoft.com/azure/app-service/configure-authentication-provider-aad
var signInSettings = reportAccess == null ? {} : { OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identities.host.clientId }

resource component 'Microsoft.Insights/components@2020-02-02' existing = { name: componentName }

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'function' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: toObject(identityIds, id => id, id => {})
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: deployerAddressRange == '' ? 'Disabled' : 'Enabled'
    virtualNetworkSubnetId: subnetId
    outboundVnetRouting: { allTraffic: true }
    functionAppConfig: {
      runtime: { name: 'node', version: '24' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${runtimeBlobUrl}/${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identities.host.resourceId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReadyInstances == 0
          ? []
          : [{ name: 'function:backupVersion', instanceCount: alwaysReadyInstances }]
      }
    }
    siteConfig: {
      ftpsState: 'Disabled'
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      // From outside, where that is open at all, only the deployer comes in, and only to deploy.
      ipSecurityRestrictionsDefaultAction: 'Deny'
      scmIpSecurityRestrictionsUseMain: false
      scmIpSecurityRestrictionsDefaultAction: 'Deny'
      scmIpSecurityRestrictions: deployerAddressRange == ''
        ? []
        : [
            {
              name: 'deployer'
              action: 'Allow'
              priority: 100
              ipAddress: deployerAddressRange
            }
          ]
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, hostSettings, signInSettings)
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource auth 'config' = if (reportAccess != null) {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      httpSettings: { requireHttps: true }
      globalValidation: {
        requireAuthentication: true
        redirectToProvider: 'azureactivedirectory'
        unauthenticatedClientAction: 'RedirectToLoginPage'
        excludedPaths: ['/api/health']
      }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: reportAccess!.clientId
            clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          }
          validation: {
            allowedAudiences: ['api://${reportAccess!.clientId}', reportAccess!.clientId]
            defaultAuthorizationPolicy: { allowedPrincipals: { groups: reportAccess!.groupIds } }
          }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
    dependsOn: [appSettings]
  }
}
