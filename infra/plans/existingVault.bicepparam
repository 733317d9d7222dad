using '../main.bicep'

// A vault of another subscription that has its system topic already; a Logic App keeps its place.
param environmentName = 'existing'
param location = 'westeurope'
param vaults = [
  {
    name: 'kv-elsewhere'
    source: 'existing'
    subscriptionId: '22222222-2222-4222-8222-222222222222'
    resourceGroupName: 'rg-payments'
    location: 'northeurope'
    permissionModel: 'roles'
    systemTopicName: 'evgt-payments'
  }
]
param recoveryVault = {
  source: 'existing'
  name: 'kv-security-recovery'
  subscriptionId: '33333333-3333-4333-8333-333333333333'
  resourceGroupName: 'rg-security'
}
param retentionDays = 90
param retentionPolicyState = 'unlocked'
param canaryVaultName = ''
param excludedNames = ['temp-*']
param changeSenders = [{ name: 'logic-payments', principalId: '55555555-0000-4000-8000-000000000003' }]
param allowedResourceInstances = [
  {
    resourceId: '/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-payments/providers/Microsoft.Logic/workflows/logic-payments'
    tenantId: '00000000-0000-4000-8000-0000000000aa'
  }
]
param actionGroupIds = [
  '/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-operations/providers/Microsoft.Insights/actionGroups/ag-operations'
]

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
