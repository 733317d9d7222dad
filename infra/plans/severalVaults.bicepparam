using '../main.bicep'

// Two new vaults, and two of one group elsewhere: one decides by roles, one by access policies and has the canary.
param environmentName = 'several'
param location = 'westeurope'
param vaults = [
  { name: 'kv-several-a', source: 'new', permissionModel: 'roles' }
  { name: 'kv-several-b', source: 'new', permissionModel: 'roles' }
  { name: 'kv-team-roles', source: 'existing', resourceGroupName: 'rg-team', permissionModel: 'roles' }
  { name: 'kv-team-policies', source: 'existing', resourceGroupName: 'rg-team', permissionModel: 'accessPolicies' }
]
param canaryVaultName = 'kv-team-policies'
param people = {
  verify: [{ principalId: '55555555-0000-4000-8000-000000000001', principalType: 'Group' }]
  restore: [{ principalId: '55555555-0000-4000-8000-000000000002', principalType: 'User' }]
}
param detectsDuplicates = true
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
