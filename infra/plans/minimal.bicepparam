using '../main.bicep'

// The least: keys in software, no canary, no instance that is always ready, a deployer from outside, a NAT gateway.
param environmentName = 'dev'
param location = 'westeurope'
param vaults = [{ name: 'kv-dev', source: 'new', permissionModel: 'roles' }]
param canaryVaultName = ''
param recoveryKeyProtection = 'software'
param alwaysReadyInstances = 0
param backupRedundancy = 'LRS'
param supportRedundancy = 'LRS'
param deployerAddressRange = '203.0.113.7/32'
param egress = 'natGateway'
param retentionDays = 7
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
