metadata description = 'The Event Grid system topic of one vault, in the vault\'s resource group, new or there already.'

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Region of the vault.')
param location string

@description('Required. Name of the topic.')
param topicName string

@description('Required. Is the topic made here? False: it is there and has a system-assigned identity.')
param creates bool

@description('Required. Tags.')
param tags { *: string }

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = { name: vaultName }

resource newTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (creates) {
  name: topicName
  location: location
  tags: tags
  // User-assigned identities do not work where the destination has a firewall.
  identity: { type: 'SystemAssigned' }
  properties: {
    source: vault.id
    topicType: 'Microsoft.KeyVault.vaults'
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

@description('Principal id of the identity of the topic.')
output principalId string = creates ? newTopic!.identity.principalId : topic.identity.principalId
