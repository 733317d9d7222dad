metadata description = 'The virtual network: one subnet for the app, one for the private endpoints.'

import { egressType } from '../types.bicep'

@description('Required. Name of the network.')
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags { *: string }

@description('Required. Address space in CIDR form, /24 or larger.')
param addressSpace string

@description('Required. How calls leave the network.')
param egress egressType

@description('Optional. Route table of the app subnet, for egress firewall.')
param routeTableId string?

var functionPrefix = cidrSubnet(addressSpace, 26, 0)
var endpointPrefix = cidrSubnet(addressSpace, 26, 1)

var internetRule = egress == 'privateLink'
  ? []
  : [
      {
        name: 'allow-https-out'
        properties: {
          priority: 200
          direction: 'Outbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: functionPrefix
          sourcePortRange: '*'
          destinationAddressPrefix: 'Internet'
          destinationPortRange: '443'
        }
      }
    ]

resource functionRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${name}-function'
  location: location
  tags: tags
  properties: {
    securityRules: concat(
      [
        {
          name: 'allow-endpoints'
          properties: {
            priority: 100
            direction: 'Outbound'
            access: 'Allow'
            protocol: 'Tcp'
            sourceAddressPrefix: functionPrefix
            sourcePortRange: '*'
            destinationAddressPrefix: endpointPrefix
            destinationPortRanges: ['443', '5671']
          }
        }
      ],
      internetRule,
      [
        {
          name: 'deny-internet-out'
          properties: {
            priority: 4000
            direction: 'Outbound'
            access: 'Deny'
            protocol: '*'
            sourceAddressPrefix: '*'
            sourcePortRange: '*'
            destinationAddressPrefix: 'Internet'
            destinationPortRange: '*'
          }
        }
      ]
    )
  }
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: '${name}-endpoints'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'allow-network-in'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: endpointPrefix
          destinationPortRanges: ['443', '5671']
        }
      }
      {
        name: 'deny-rest-in'
        properties: {
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource outboundAddress 'Microsoft.Network/publicIPAddresses@2025-05-01' = if (egress == 'natGateway') {
  name: '${name}-outbound'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource natGateway 'Microsoft.Network/natGateways@2025-05-01' = if (egress == 'natGateway') {
  name: '${name}-nat'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: outboundAddress.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressSpace] }
    subnets: [
      {
        name: 'function'
        properties: {
          addressPrefix: functionPrefix
          defaultOutboundAccess: false
          networkSecurityGroup: { id: functionRules.id }
          natGateway: egress == 'natGateway' ? { id: natGateway.id } : null
          routeTable: egress == 'firewall' && routeTableId != null ? { id: routeTableId! } : null
          delegations: [
            {
              name: 'functions'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: endpointPrefix
          defaultOutboundAccess: false
          networkSecurityGroup: { id: endpointRules.id }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }

  resource functionSubnet 'subnets' existing = { name: 'function' }

  resource endpointSubnet 'subnets' existing = { name: 'endpoints' }
}

@description('Id of the network.')
output networkId string = network.id

@description('Id of the subnet of the app.')
output functionSubnetId string = network::functionSubnet.id

@description('Id of the subnet of the private endpoints.')
output endpointSubnetId string = network::endpointSubnet.id
