metadata description = 'The namespace with the queue of changes and the queue of messages that only a person can decide about.'

@description('Required. Name of the namespace.')
@minLength(6)
@maxLength(50)
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags { *: string }

@description('Required. Messaging units.')
param messagingUnits 1 | 2 | 4 | 8 | 16

@description('Required. disabled: public access is off, trusted services are admitted. trustedServicesOnly: it is on and every network is denied, trusted services are admitted.')
param access 'disabled' | 'trustedServicesOnly'

@description('Required. Name of the queue of changes.')
param queueName string

@description('Required. Name of the quarantine queue.')
param quarantineQueueName string

@description('Required. Does the queue of changes drop a second message of the same event? Fixed when the queue is made.')
param detectsDuplicates bool

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: 'Premium', tier: 'Premium', capacity: messagingUnits }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: access == 'disabled' ? 'Disabled' : 'Enabled'
    premiumMessagingPartitions: 1
  }

  resource rules 'networkRuleSets' = {
    name: 'default'
    properties: {
      defaultAction: 'Deny'
      ipRules: []
      virtualNetworkRules: []
      publicNetworkAccess: access == 'disabled' ? 'Disabled' : 'Enabled'
      // Event Grid delivers as a trusted service with the identity of its topic; it has no other way into a closed namespace.
      trustedServiceAccessEnabled: true
    }
  }

  resource changes 'queues' = {
    name: queueName
    properties: {
      // A crashed worker's messages come back after it; the host renews it for the living. See docs/host.md.
      lockDuration: 'PT1M'
      maxDeliveryCount: 10
      requiresSession: false
      requiresDuplicateDetection: detectsDuplicates
      duplicateDetectionHistoryTimeWindow: detectsDuplicates ? 'P1D' : null
      defaultMessageTimeToLive: 'P14D'
      deadLetteringOnMessageExpiration: true
      maxSizeInMegabytes: 5120
    }
  }

  resource quarantine 'queues' = {
    name: quarantineQueueName
    properties: {
      lockDuration: 'PT5M'
      // Every run of replay that leaves a message here costs it one delivery.
      maxDeliveryCount: 2000
      requiresSession: false
      requiresDuplicateDetection: false
      defaultMessageTimeToLive: 'P3650D'
      deadLetteringOnMessageExpiration: true
      maxSizeInMegabytes: 5120
    }
  }
}
