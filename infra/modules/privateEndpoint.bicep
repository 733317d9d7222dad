metadata description = 'One private endpoint and its names in the private DNS zones.'

@description('Required. Name of the endpoint.')
param name string

@description('Required. Region of the network.')
param location string

@description('Required. Tags.')
param tags { *: string }

@description('Required. Id of the subnet.')
param subnetId string

@description('Required. Id of the resource that is reached.')
param targetId string

@description('Required. Which part of the resource is reached, such as vault or blob.')
param groupId string

@description('Required. Names of the zones that get its names.')
@minLength(1)
param zoneNames string[]

@description('Required. Subscription of the zones.')
param zoneSubscriptionId string

@description('Required. Resource group of the zones.')
param zoneResourceGroupName string

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' existing = [
  for zoneName in zoneNames: {
    name: zoneName
    scope: resourceGroup(zoneSubscriptionId, zoneResourceGroupName)
  }
]

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    customNetworkInterfaceName: '${name}-nic'
    privateLinkServiceConnections: [
      {
        name: name
        properties: {
          privateLinkServiceId: targetId
          groupIds: [groupId]
        }
      }
    ]
  }

  resource names 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        for (zoneName, index) in zoneNames: {
          name: replace(zoneName, '.', '-')
          properties: { privateDnsZoneId: zones[index].id }
        }
      ]
    }
  }
}
