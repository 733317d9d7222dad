using '../main.bicep'

// The retention policy was locked by infra/scripts/lockRetention.sh; copies lie in a second region.
param environmentName = 'locked'
param location = 'westeurope'
param vaults = [{ name: 'kv-locked-payments', source: 'new', permissionModel: 'roles' }]
param retentionDays = 2555
param retentionPolicyState = 'locked'
param lockConfirmed = 'keyvault-backups'
param deleteBackupsAfterDays = 2600
param backupRedundancy = 'GZRS'
param replaysByItself = true

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
