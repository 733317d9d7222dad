using '../main.bicep'

// For a tenant where no role may be made.
param environmentName = 'builtin'
param location = 'westeurope'
param vaults = [{ name: 'kv-builtin-payments', source: 'new', permissionModel: 'roles' }]
param roleSource = 'builtIn'
param people = {
  verify: [{ principalId: '55555555-0000-4000-8000-000000000001', principalType: 'Group' }]
  restore: [{ principalId: '55555555-0000-4000-8000-000000000002', principalType: 'Group' }]
}
param retentionDays = 365
param retentionPolicyState = 'unlocked'

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
