metadata description = 'What the system topic of a vault may do: put events into the queue, and leave what it cannot deliver in the dead-letter container.'

@description('Required. Name of the system topic.')
param topicName string

@description('Required. Principal id of its system-assigned identity.')
param topicPrincipalId string

@description('Required. Name of the namespace.')
param namespaceName string

@description('Required. Name of the queue of changes.')
param queueName string

@description('Required. Name of the account of the dead letters.')
param deadLetterAccountName string

@description('Required. Name of the container of the dead letters.')
param deadLetterContainerName string

// The roles that Event Grid's documentation names; a narrower one is not known to work:
// https://learn.microsoft.com/azure/event-grid/add-identity-roles
var dataSender = '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39' // Azure Service Bus Data Sender
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: namespaceName

  resource changes 'queues' existing = { name: queueName }
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: deadLetterAccountName

  resource services 'blobServices' existing = {
    name: 'default'

    resource deadLetters 'containers' existing = { name: deadLetterContainerName }
  }
}

resource sends 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: namespace::changes
  name: guid(namespace::changes.id, topicName, dataSender)
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataSender)
    description: 'Key Vault backup: Event Grid delivers changes'
  }
}

resource deadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::services::deadLetters
  name: guid(account::services::deadLetters.id, topicName, blobDataContributor)
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    description: 'Key Vault backup: Event Grid leaves what it cannot deliver'
  }
}
