metadata description = 'The private DNS zones of the endpoints, new or in a hub, and their links to the network.'

@description('Required. Names of the zones.')
param zoneNames string[]

@description('Required. Are the zones made here? False: they are there already.')
param creates bool

@description('Required. Is each zone linked to the network?')
param links bool

@description('Required. Id of the network.')
param networkId string

@description('Required. Name of the links.')
param linkName string

@description('Required. Tags.')
param tags { *: string }

resource newZones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zoneName in zoneNames: if (creates) {
    name: zoneName
    location: 'global'
    tags: tags
  }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' existing = [for zoneName in zoneNames: { name: zoneName }]

resource zoneLinks 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zoneName, index) in zoneNames: if (links) {
    parent: zones[index]
    name: linkName
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
    dependsOn: [newZones[index]]
  }
]
