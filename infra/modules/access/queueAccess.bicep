metadata description = 'Who may send to and receive from the two queues.'

import { changeSenderType, principalIdsType, roleSourceType } from '../../types.bicep'

@description('Required. Name of the namespace.')
param namespaceName string

@description('Required. Name of the queue of changes.')
param queueName string

@description('Required. Name of the quarantine queue.')
param quarantineQueueName string

@description('Required. What the names of the identities begin with.')
param identityNamePrefix string

@description('Required. Principal ids of the app.')
param principalIds principalIdsType

@description('Required. Who else sends changes.')
param changeSenders changeSenderType[]

@description('Required. Where the roles come from.')
param roleSource roleSourceType

var dataActions = {
  receive: ['Microsoft.ServiceBus/namespaces/messages/receive/action']
  send: ['Microsoft.ServiceBus/namespaces/messages/send/action']
}
var roleNames = {
  receive: roleSource == 'builtIn'
    ? '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0' // Azure Service Bus Data Receiver
    : guid(resourceGroup().id, 'keyvault-backup', 'queues', 'receive')
  send: roleSource == 'builtIn'
    ? '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39' // Azure Service Bus Data Sender
    : guid(resourceGroup().id, 'keyvault-backup', 'queues', 'send')
}

// audit receives only to look: there is no smaller right. replay takes dead letters out and sends them again.
var changesGrants = [
  { job: 'backup', role: 'receive' }
  { job: 'backup', role: 'send' }
  { job: 'reconcile', role: 'send' }
  { job: 'audit', role: 'receive' }
  { job: 'replay', role: 'receive' }
  { job: 'replay', role: 'send' }
]
var quarantineGrants = [
  { job: 'backup', role: 'send' }
  { job: 'audit', role: 'receive' }
  { job: 'replay', role: 'receive' }
  { job: 'replay', role: 'send' }
]

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in items(dataActions): if (roleSource == 'custom') {
    name: guid(resourceGroup().id, 'keyvault-backup', 'queues', role.key)
    properties: {
      roleName: 'Key Vault backup: ${role.key} at queues ${uniqueString(resourceGroup().id)}'
      description: 'What the Key Vault backup does with a queue: ${role.key}.'
      type: 'CustomRole'
      assignableScopes: [resourceGroup().id]
      permissions: [{ actions: [], notActions: [], dataActions: role.value, notDataActions: [] }]
    }
  }
]

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: namespaceName

  resource changes 'queues' existing = { name: queueName }

  resource quarantine 'queues' existing = { name: quarantineQueueName }
}

resource changesAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in changesGrants: {
    scope: namespace::changes
    name: guid(namespace::changes.id, '${identityNamePrefix}-${grant.job}', grant.role)
    properties: {
      principalId: principalIds[grant.job]
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames[grant.role])
      description: 'Key Vault backup: ${grant.job}'
    }
    dependsOn: [definitions]
  }
]

resource quarantineAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in quarantineGrants: {
    scope: namespace::quarantine
    name: guid(namespace::quarantine.id, '${identityNamePrefix}-${grant.job}', grant.role)
    properties: {
      principalId: principalIds[grant.job]
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames[grant.role])
      description: 'Key Vault backup: ${grant.job}'
    }
    dependsOn: [definitions]
  }
]

resource senderAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for sender in changeSenders: {
    scope: namespace::changes
    name: guid(namespace::changes.id, 'sender', sender.name, 'send')
    properties: {
      principalId: sender.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames.send)
      description: 'Key Vault backup: changes from ${sender.name}'
    }
    dependsOn: [definitions]
  }
]
