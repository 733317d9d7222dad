using '../main.bicep'

// Zones and way out are those of a hub; the namespace is open to trusted services in the other way.
param environmentName = 'hub'
param location = 'westeurope'
param vaults = [{ name: 'kv-hub-payments', source: 'new', permissionModel: 'roles' }]
param hubDns = {
  subscriptionId: '44444444-4444-4444-8444-444444444444'
  resourceGroupName: 'rg-hub-dns'
  linksNetwork: true
}
param egress = 'firewall'
param firewallRouteTableId = '/subscriptions/44444444-4444-4444-8444-444444444444/resourceGroups/rg-hub/providers/Microsoft.Network/routeTables/rt-spokes'
param addressSpace = '10.20.8.0/24'
param serviceBusAccess = 'trustedServicesOnly'
param retentionDays = 365
param retentionPolicyState = 'unlocked'
param heartbeatUrl = 'https://status.example.com/keyvault-backup'
param reportAccess = {
  clientId: '66666666-0000-4000-8000-000000000001'
  groupIds: ['66666666-0000-4000-8000-000000000002']
}

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
