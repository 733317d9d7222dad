using '../main.bicep'

// One vault that is made here, with everything at its default, and people who verify and restore.
param environmentName = 'new'
param location = 'westeurope'
param vaults = [{ name: 'kv-new-payments', source: 'new', permissionModel: 'roles' }]
param retentionDays = 365
param retentionPolicyState = 'unlocked'
param people = {
  verify: [{ principalId: '55555555-0000-4000-8000-000000000001', principalType: 'Group' }]
  restore: [{ principalId: '55555555-0000-4000-8000-000000000002', principalType: 'Group' }]
}
param alertEmails = ['platform@example.com']

// A public key; its private half was thrown away.
param recipients = loadTextContent('example.jwks.json')
param suffixes = {
  storage: 'core.windows.net'
  keyVault: '.vault.azure.net'
  serviceBus: 'servicebus.windows.net'
  webApp: 'azurewebsites.net'
  monitorZones: [
    'privatelink.monitor.azure.com'
    'privatelink.oms.opinsights.azure.com'
    'privatelink.ods.opinsights.azure.com'
    'privatelink.agentsvc.azure-automation.net'
  ]
}
