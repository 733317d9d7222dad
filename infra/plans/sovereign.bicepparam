using '../main.bicep'

// The hosts of another cloud.
param environmentName = 'gov'
param location = 'usgovvirginia'
param vaults = [{ name: 'kv-gov-payments', source: 'new', permissionModel: 'roles' }]
param retentionDays = 365
param retentionPolicyState = 'unlocked'

// A public key; its private half was thrown away.
param recipients = loadTextContent('example.jwks.json')
param suffixes = {
  storage: 'core.usgovcloudapi.net'
  keyVault: '.vault.usgovcloudapi.net'
  serviceBus: 'servicebus.usgovcloudapi.net'
  webApp: 'azurewebsites.us'
  monitorZones: [
    'privatelink.monitor.azure.us'
    'privatelink.oms.opinsights.azure.us'
    'privatelink.ods.opinsights.azure.us'
    'privatelink.agentsvc.azure-automation.us'
  ]
}
