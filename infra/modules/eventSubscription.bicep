metadata description = 'What the system topic of one vault sends where. Made last: the roles of the topic must be there.'

import { backedUpEventType } from '../types.bicep'

@description('Required. Name of the topic.')
param topicName string

@description('Required. Name of the subscription.')
param subscriptionName string

@description('Required. Id of the queue of changes.')
param queueId string

@description('Required. Id of the account of the dead letters.')
param deadLetterAccountId string

@description('Required. Name of the container of the dead letters.')
param deadLetterContainerName string

var eventTypes backedUpEventType[] = [
  'Microsoft.KeyVault.SecretNewVersionCreated'
  'Microsoft.KeyVault.CertificateNewVersionCreated'
]

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = { name: topicName }

resource changes 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: subscriptionName
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: { includedEventTypes: eventTypes }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deliveryWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      destination: {
        endpointType: 'ServiceBusQueue'
        properties: {
          resourceId: queueId
          // The id of the event, so that duplicate detection can tell a repetition where it is on.
          deliveryAttributeMappings: [
            {
              name: 'MessageId'
              type: 'Dynamic'
              properties: { sourceField: 'id' }
            }
          ]
        }
      }
    }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: deadLetterAccountId, blobContainerName: deadLetterContainerName }
      }
    }
  }
}
