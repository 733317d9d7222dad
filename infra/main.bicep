metadata description = 'Backup of every new version of a secret or certificate in Key Vault to an immutable container, over private endpoints and by identities alone.'

targetScope = 'subscription'

import {
  changeSenderType
  egressType
  hubDnsType
  peopleType
  recoveryVaultType
  reportAccessType
  resourceInstanceType
  roleSourceType
  suffixesType
  vaultType
} from 'types.bicep'

@description('Required. Name of the environment. Part of the names of the resources.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('Required. Region.')
param location string

@description('Optional. Resource group of everything but existing vaults and the recovery vault.')
@minLength(1)
@maxLength(80)
param resourceGroupName string = 'rg-keyvault-backup-${environmentName}'

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

@description('Required. The vaults that are backed up.')
@minLength(1)
param vaults vaultType[]

@description('Required. Public keys that records are sealed to: BACKUP_RECIPIENTS of docs/settings.md, as JSON.')
@minLength(2)
param recipients string

@description('Optional. Name patterns that are not backed up.')
param excludedNames string[] = []

@description('Optional. Name of the vault whose secret kvbackup-canary is set every half hour to prove that backups work. Empty: no canary.')
param canaryVaultName string = vaults[0].name

@description('Optional. Is called after each canary that was proved. Needs an egress other than privateLink.')
param heartbeatUrl string = ''

@description('Optional. The vault with the keys that open the backups and sign the digests.')
param recoveryVault recoveryVaultType = { source: 'new' }

@description('Optional. hsm: the keys of a new recovery vault lie in a hardware security module.')
param recoveryKeyProtection 'hsm' | 'software' = 'hsm'

@description('Optional. Who may verify and restore. Their rights are wide; give them to groups.')
param people peopleType = { verify: [], restore: [] }

@description('Optional. Who else may send changes to the queue, such as a Logic App.')
param changeSenders changeSenderType[] = []

@description('Optional. Resources that the firewall of the backups admits by name, such as a Logic App.')
param allowedResourceInstances resourceInstanceType[] = []

@description('Optional. Where the roles come from.')
param roleSource roleSourceType = 'custom'

@description('Required. Days that a backup cannot be changed or deleted once the policy is locked.')
@minValue(1)
@maxValue(146000)
param retentionDays int

@description('Required. unlocked: the deployment sets the retention policy. locked: it was locked by infra/scripts/lockRetention.sh.')
param retentionPolicyState 'unlocked' | 'locked'

@description('Conditional. The name of the container of the backups, as a sign that its policy is locked. Required when retentionPolicyState is locked.')
param lockConfirmed string = ''

@description('Optional. Days after which a backup is deleted. More than retentionDays. 0: never.')
@minValue(0)
@maxValue(99999)
param deleteBackupsAfterDays int = 0

@description('Optional. Where the copies of the backups lie.')
param backupRedundancy 'LRS' | 'ZRS' | 'GRS' | 'GZRS' | 'RAGRS' | 'RAGZRS' = 'ZRS'

@description('Optional. Where the copies of the other two accounts lie. LRS for regions without zones.')
param supportRedundancy 'LRS' | 'ZRS' = 'ZRS'

@description('Optional. Days that dead letters of Event Grid are kept.')
@minValue(7)
@maxValue(365)
param deadLetterDays int = 30

@description('Optional. Address space of the network in CIDR form, /24 or larger.')
param addressSpace string = '10.90.0.0/24'

@description('Optional. Private DNS zones of a hub. Absent: they are made here.')
param hubDns hubDnsType?

@description('Optional. How telemetry and other calls leave the network.')
param egress egressType = 'privateLink'

@description('Conditional. Id of the route table of the app subnet. Required when egress is firewall.')
param firewallRouteTableId string?

@description('Optional. Messaging units of Service Bus Premium.')
param messagingUnits 1 | 2 | 4 | 8 | 16 = 1

@description('Optional. disabled: public access of the namespace is off. trustedServicesOnly: on, with every network denied, for where Event Grid cannot deliver otherwise.')
param serviceBusAccess 'disabled' | 'trustedServicesOnly' = 'disabled'

@description('Optional. Does the queue of changes drop a second message of one event? Fixed when the queue is made.')
param detectsDuplicates bool = false

@description('Optional. Instances that are always ready.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int = 1

@description('Optional. The most instances.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Optional. Address range from which the app may be deployed from outside the network, in CIDR form. Empty: none.')
param deployerAddressRange string = ''

@description('Optional. Who may open the latency report of the app. Absent: nobody.')
param reportAccess reportAccessType?

@description('Optional. True: the worker takes no messages; they wait in the queue.')
param isPaused bool = false

@description('Optional. True: what failed for a passing cause is replayed by itself.')
param replaysByItself bool = false

@description('Optional. Which share of changes is to be stored in time, in percent.')
@minValue(1)
@maxValue(99)
param objectivePercentile int = 99

@description('Optional. Seconds within which a change is to be stored.')
@minValue(1)
param objectiveSeconds int = 60

@description('Optional. Mail addresses that alerts go to.')
param alertEmails string[] = []

@description('Optional. Ids of action groups that alerts go to.')
param actionGroupIds string[] = []

@description('Optional. Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Optional. Host names of the cloud. The default fits the public one.')
param suffixes suffixesType = {
  storage: environment().suffixes.storage
  keyVault: environment().suffixes.keyvaultDns
  serviceBus: 'servicebus.windows.net'
  webApp: 'azurewebsites.net'
  monitorZones: [
    'privatelink.monitor.azure.com'
    'privatelink.oms.opinsights.azure.com'
    'privatelink.ods.opinsights.azure.com'
    'privatelink.agentsvc.azure-automation.net'
  ]
}

var token = uniqueString(subscription().id, environmentName, location)
var allTags = union(tags, { 'azd-env-name': environmentName })
var names = {
  network: 'vnet-kvb-${token}'
  identityPrefix: 'id-kvb-${token}'
  backupAccount: 'stkvbb${token}'
  runtimeAccount: 'stkvbr${token}'
  deadLetterAccount: 'stkvbd${token}'
  namespace: 'sb-kvb-${token}'
  plan: 'plan-kvb-${token}'
  app: 'func-kvb-${token}'
  linkScope: 'ampls-kvb-${token}'
  suffix: 'kvb-${token}'
  eventSubscription: 'keyvault-backup-${token}'
  container: 'keyvault-backups'
  stateContainer: 'keyvault-backup-state'
  deadLetterContainer: 'eventgrid-dead-letters'
  packageContainer: 'app-package'
  queue: 'keyvault-changes'
  quarantineQueue: 'keyvault-changes-quarantine'
  canarySecret: 'kvbackup-canary'
  recoveryKey: 'backup-recovery'
  digestKey: 'backup-digest'
}

// What would go wrong later, or cannot be undone, is refused before anything is made.
var policyState = retentionPolicyState == 'locked' && lockConfirmed != names.container
  ? fail('retentionPolicyState is locked: this deployment then sets no retention policy. Lock it with infra/scripts/lockRetention.sh first, and set lockConfirmed to the name of the container.')
  : retentionPolicyState
var deleteAfterDays = deleteBackupsAfterDays > 0 && deleteBackupsAfterDays <= retentionDays
  ? fail('deleteBackupsAfterDays must be more than retentionDays: what the policy holds cannot be deleted.')
  : deleteBackupsAfterDays
var heartbeatSetting = heartbeatUrl == ''
  ? {}
  : egress == 'privateLink'
      ? fail('heartbeatUrl needs an egress: with privateLink nothing leaves the network.')
      : { BACKUP_HEARTBEAT_URL: heartbeatUrl }
var routeTableId = egress == 'firewall' && firewallRouteTableId == null
  ? fail('egress firewall needs firewallRouteTableId.')
  : firewallRouteTableId
var places = [
  for vault in vaults: {
    name: vault.name
    isNew: vault.source == 'new'
    decidesBy: vault.source == 'new' && vault.permissionModel == 'accessPolicies'
      ? fail('A new vault decides by roles.')
      : vault.permissionModel
    subscriptionId: vault.source == 'existing'
      ? vault.?subscriptionId ?? subscription().subscriptionId
      : subscription().subscriptionId
    resourceGroupName: vault.source == 'existing'
      ? vault.?resourceGroupName ?? fail('An existing vault needs resourceGroupName.')
      : resourceGroupName
    location: vault.?location ?? location
    topicName: vault.?systemTopicName ?? 'evgt-kvb-${vault.name}'
    hasTopic: vault.?systemTopicName != null
    canarySecretName: vault.name == canaryVaultName ? names.canarySecret : ''
  }
]
var roleGroups = roleSource == 'builtIn'
  ? []
  : union(
      map(filter(places, place => place.decidesBy == 'roles'), place => {
        subscriptionId: place.subscriptionId
        resourceGroupName: place.resourceGroupName
      }),
      []
    )
var topics = map(places, place => {
  resourceId: resourceId(
    place.subscriptionId,
    place.resourceGroupName,
    'Microsoft.EventGrid/systemTopics',
    place.topicName
  )
  tenantId: tenant().tenantId
})
var recovery = {
  isNew: recoveryVault.source == 'new'
  name: recoveryVault.?name ?? (recoveryVault.source == 'new'
    ? 'kv-kvbr-${token}'
    : fail('An existing recovery vault needs name.'))
  subscriptionId: recoveryVault.source == 'existing'
    ? recoveryVault.?subscriptionId ?? subscription().subscriptionId
    : subscription().subscriptionId
  resourceGroupName: recoveryVault.?resourceGroupName ?? (recoveryVault.source == 'new'
    ? '${resourceGroupName}-recovery'
    : fail('An existing recovery vault needs resourceGroupName.'))
  location: recoveryVault.?location ?? location
}

var zones = {
  vault: 'privatelink${replace(suffixes.keyVault, '.vault.', '.vaultcore.')}'
  blob: 'privatelink.blob.${suffixes.storage}'
  queue: 'privatelink.queue.${suffixes.storage}'
  table: 'privatelink.table.${suffixes.storage}'
  serviceBus: 'privatelink.${suffixes.serviceBus}'
  webApp: 'privatelink.${suffixes.webApp}'
}
var zonePlace = {
  subscriptionId: hubDns.?subscriptionId ?? subscription().subscriptionId
  resourceGroupName: hubDns.?resourceGroupName ?? resourceGroupName
}
var endpoints = [
  {
    name: 'backups-blob'
    targetId: resourceId(
      subscription().subscriptionId,
      resourceGroupName,
      'Microsoft.Storage/storageAccounts',
      names.backupAccount
    )
    groupId: 'blob'
    zone: zones.blob
  }
  {
    name: 'runtime-blob'
    targetId: resourceId(
      subscription().subscriptionId,
      resourceGroupName,
      'Microsoft.Storage/storageAccounts',
      names.runtimeAccount
    )
    groupId: 'blob'
    zone: zones.blob
  }
  {
    name: 'runtime-queue'
    targetId: resourceId(
      subscription().subscriptionId,
      resourceGroupName,
      'Microsoft.Storage/storageAccounts',
      names.runtimeAccount
    )
    groupId: 'queue'
    zone: zones.queue
  }
  {
    name: 'runtime-table'
    targetId: resourceId(
      subscription().subscriptionId,
      resourceGroupName,
      'Microsoft.Storage/storageAccounts',
      names.runtimeAccount
    )
    groupId: 'table'
    zone: zones.table
  }
  {
    name: 'dead-letters-blob'
    targetId: resourceId(
      subscription().subscriptionId,
      resourceGroupName,
      'Microsoft.Storage/storageAccounts',
      names.deadLetterAccount
    )
    groupId: 'blob'
    zone: zones.blob
  }
  {
    name: 'service-bus'
    targetId: resourceId(
      subscription().subscriptionId,
      resourceGroupName,
      'Microsoft.ServiceBus/namespaces',
      names.namespace
    )
    groupId: 'namespace'
    zone: zones.serviceBus
  }
  {
    name: 'recovery-vault'
    targetId: resourceId(
      recovery.subscriptionId,
      recovery.resourceGroupName,
      'Microsoft.KeyVault/vaults',
      recovery.name
    )
    groupId: 'vault'
    zone: zones.vault
  }
]

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
  location: location
  tags: allTags
}

resource recoveryGroup 'Microsoft.Resources/resourceGroups@2025-04-01' = if (recovery.isNew) {
  name: recovery.resourceGroupName
  location: recovery.location
  tags: allTags
}

module network 'modules/network.bicep' = {
  scope: group
  params: {
    name: names.network
    location: location
    tags: allTags
    addressSpace: addressSpace
    egress: egress
    routeTableId: routeTableId
  }
}

module dnsZones 'modules/dnsZones.bicep' = {
  scope: resourceGroup(zonePlace.subscriptionId, zonePlace.resourceGroupName)
  params: {
    zoneNames: union(map(items(zones), zone => zone.value), egress == 'privateLink' ? suffixes.monitorZones : [])
    creates: hubDns == null
    links: hubDns.?linksNetwork ?? true
    networkId: network.outputs.networkId
    linkName: names.network
    tags: allTags
  }
}

module identities 'modules/identities.bicep' = {
  scope: group
  params: { namePrefix: names.identityPrefix, location: location, tags: allTags }
}

var principalIds = {
  host: identities.outputs.identities.host.principalId
  backup: identities.outputs.identities.backup.principalId
  reconcile: identities.outputs.identities.reconcile.principalId
  audit: identities.outputs.identities.audit.principalId
  replay: identities.outputs.identities.replay.principalId
  canary: identities.outputs.identities.canary.principalId
}

module newVaults 'modules/vault.bicep' = [
  for place in places: if (place.isNew) {
    scope: group
    params: { name: place.name, location: location, tags: allTags }
  }
]

module recoveryKeys 'modules/recoveryVault.bicep' = if (recovery.isNew) {
  scope: resourceGroup(recovery.subscriptionId, recovery.resourceGroupName)
  params: {
    name: recovery.name
    location: recovery.location
    tags: allTags
    keyProtection: recoveryKeyProtection
    isKept: policyState == 'locked'
    recoveryKeyName: names.recoveryKey
    digestKeyName: names.digestKey
  }
  dependsOn: [recoveryGroup]
}

module backupStorage 'modules/backupStorage.bicep' = {
  scope: group
  params: {
    name: names.backupAccount
    location: location
    tags: allTags
    redundancy: backupRedundancy
    containerName: names.container
    stateContainerName: names.stateContainer
    retentionDays: retentionDays
    policyState: policyState
    deleteAfterDays: deleteAfterDays
    allowedResourceInstances: allowedResourceInstances
  }
}

module runtimeStorage 'modules/runtimeStorage.bicep' = {
  scope: group
  params: {
    name: names.runtimeAccount
    location: location
    tags: allTags
    redundancy: supportRedundancy
    packageContainerName: names.packageContainer
    hostIdentityName: '${names.identityPrefix}-host'
    principalIds: principalIds
  }
}

module deadLetterStorage 'modules/deadLetterStorage.bicep' = {
  scope: group
  params: {
    name: names.deadLetterAccount
    location: location
    tags: allTags
    redundancy: supportRedundancy
    containerName: names.deadLetterContainer
    systemTopics: topics
    keptDays: deadLetterDays
  }
}

module serviceBus 'modules/serviceBus.bicep' = {
  scope: group
  params: {
    name: names.namespace
    location: location
    tags: allTags
    messagingUnits: messagingUnits
    access: serviceBusAccess
    queueName: names.queue
    quarantineQueueName: names.quarantineQueue
    detectsDuplicates: detectsDuplicates
  }
}

module storeAccess 'modules/access/storeAccess.bicep' = {
  scope: group
  params: {
    accountName: names.backupAccount
    containerName: names.container
    stateContainerName: names.stateContainer
    deadLetterAccountName: names.deadLetterAccount
    deadLetterContainerName: names.deadLetterContainer
    identityNamePrefix: names.identityPrefix
    principalIds: principalIds
    people: people
    roleSource: roleSource
  }
  dependsOn: [backupStorage, deadLetterStorage]
}

module queueAccess 'modules/access/queueAccess.bicep' = {
  scope: group
  params: {
    namespaceName: names.namespace
    queueName: names.queue
    quarantineQueueName: names.quarantineQueue
    identityNamePrefix: names.identityPrefix
    principalIds: principalIds
    changeSenders: changeSenders
    roleSource: roleSource
  }
  dependsOn: [serviceBus]
}

module recoveryAccess 'modules/access/recoveryAccess.bicep' = {
  scope: resourceGroup(recovery.subscriptionId, recovery.resourceGroupName)
  params: {
    vaultName: recovery.name
    recoveryKeyName: names.recoveryKey
    digestKeyName: names.digestKey
    identityNamePrefix: names.identityPrefix
    principalIds: principalIds
    people: people
    roleSource: roleSource
  }
  dependsOn: [recoveryKeys]
}

module vaultRoles 'modules/access/vaultRoles.bicep' = [
  for roleGroup in roleGroups: {
    scope: resourceGroup(roleGroup.subscriptionId, roleGroup.resourceGroupName)
    dependsOn: [group]
  }
]

module vaultAccess 'modules/access/vaultAccess.bicep' = [
  for place in places: if (place.decidesBy == 'roles') {
    scope: resourceGroup(place.subscriptionId, place.resourceGroupName)
    params: {
      vaultName: place.name
      identityNamePrefix: names.identityPrefix
      principalIds: principalIds
      people: people
      canarySecretName: place.canarySecretName
      roleSource: roleSource
    }
    dependsOn: [newVaults, vaultRoles]
  }
]

module vaultPolicies 'modules/access/vaultPolicies.bicep' = [
  for place in places: if (place.decidesBy == 'accessPolicies') {
    scope: resourceGroup(place.subscriptionId, place.resourceGroupName)
    params: {
      vaultName: place.name
      principalIds: principalIds
      people: people
      hasCanary: place.canarySecretName != ''
    }
  }
]

module systemTopics 'modules/systemTopic.bicep' = [
  for place in places: {
    scope: resourceGroup(place.subscriptionId, place.resourceGroupName)
    params: {
      vaultName: place.name
      topicName: place.topicName
      creates: !place.hasTopic
      location: place.location
      tags: allTags
    }
    dependsOn: [newVaults]
  }
]

module topicAccess 'modules/access/topicAccess.bicep' = [
  for (place, index) in places: {
    scope: group
    params: {
      topicName: place.topicName
      topicPrincipalId: systemTopics[index].outputs.principalId
      namespaceName: names.namespace
      queueName: names.queue
      deadLetterAccountName: names.deadLetterAccount
      deadLetterContainerName: names.deadLetterContainer
    }
    dependsOn: [serviceBus, deadLetterStorage]
  }
]

module eventSubscriptions 'modules/eventSubscription.bicep' = [
  for (place, index) in places: {
    scope: resourceGroup(place.subscriptionId, place.resourceGroupName)
    params: {
      topicName: place.topicName
      subscriptionName: names.eventSubscription
      queueId: resourceId(
        subscription().subscriptionId,
        resourceGroupName,
        'Microsoft.ServiceBus/namespaces/queues',
        names.namespace,
        names.queue
      )
      deadLetterAccountId: resourceId(
        subscription().subscriptionId,
        resourceGroupName,
        'Microsoft.Storage/storageAccounts',
        names.deadLetterAccount
      )
      deadLetterContainerName: names.deadLetterContainer
    }
    dependsOn: [topicAccess[index]]
  }
]

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    nameSuffix: names.suffix
    location: location
    tags: allTags
    egress: egress
    retentionDays: logRetentionDays
    hostIdentityName: '${names.identityPrefix}-host'
    principalIds: principalIds
  }
}

module dataEndpoints 'modules/privateEndpoint.bicep' = [
  for endpoint in endpoints: {
    scope: group
    params: {
      name: 'pe-${endpoint.name}'
      location: location
      tags: allTags
      subnetId: network.outputs.endpointSubnetId
      targetId: endpoint.targetId
      groupId: endpoint.groupId
      zoneNames: [endpoint.zone]
      zoneSubscriptionId: zonePlace.subscriptionId
      zoneResourceGroupName: zonePlace.resourceGroupName
    }
    dependsOn: [backupStorage, runtimeStorage, deadLetterStorage, serviceBus, recoveryKeys, dnsZones]
  }
]

module vaultEndpoints 'modules/privateEndpoint.bicep' = [
  for place in places: {
    scope: group
    params: {
      name: 'pe-vault-${place.name}'
      location: location
      tags: allTags
      subnetId: network.outputs.endpointSubnetId
      targetId: resourceId(place.subscriptionId, place.resourceGroupName, 'Microsoft.KeyVault/vaults', place.name)
      groupId: 'vault'
      zoneNames: [zones.vault]
      zoneSubscriptionId: zonePlace.subscriptionId
      zoneResourceGroupName: zonePlace.resourceGroupName
    }
    dependsOn: [newVaults, dnsZones]
  }
]

module monitorEndpoint 'modules/privateEndpoint.bicep' = if (egress == 'privateLink') {
  scope: group
  params: {
    name: 'pe-monitor'
    location: location
    tags: allTags
    subnetId: network.outputs.endpointSubnetId
    targetId: resourceId(
      subscription().subscriptionId,
      resourceGroupName,
      'Microsoft.Insights/privateLinkScopes',
      names.linkScope
    )
    groupId: 'azuremonitor'
    zoneNames: concat(suffixes.monitorZones, [zones.blob])
    zoneSubscriptionId: zonePlace.subscriptionId
    zoneResourceGroupName: zonePlace.resourceGroupName
  }
  dependsOn: [monitoring, dnsZones]
}

var storeUrl = 'https://${names.backupAccount}.blob.${suffixes.storage}'
var deadLetterUrl = 'https://${names.deadLetterAccount}.blob.${suffixes.storage}'
var vaultUrls = join(map(places, place => 'https://${place.name}${suffixes.keyVault}'), ',')
var recoveryVaultUrl = 'https://${recovery.name}${suffixes.keyVault}'
var canarySetting = canaryVaultName == ''
  ? {}
  : { BACKUP_CANARY_SECRET: 'https://${canaryVaultName}${suffixes.keyVault}/secrets/${names.canarySecret}' }

module function 'modules/function.bicep' = {
  scope: group
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: allTags
    subnetId: network.outputs.functionSubnetId
    identities: identities.outputs.identities
    identityNamePrefix: names.identityPrefix
    runtimeBlobUrl: 'https://${names.runtimeAccount}.blob.${suffixes.storage}'
    runtimeAccountName: names.runtimeAccount
    packageContainerName: names.packageContainer
    componentName: 'appi-${names.suffix}'
    settings: union(
      {
        BACKUP_MODE: 'production'
        BACKUP_VAULTS: vaultUrls
        BACKUP_EXCLUDE: join(excludedNames, ',')
        BACKUP_STORE_URL: storeUrl
        BACKUP_STORE_CONTAINER: names.container
        BACKUP_STATE_CONTAINER: names.stateContainer
        BACKUP_STORE_MIN_RETENTION_DAYS: string(retentionDays)
        BACKUP_RECIPIENTS: trim(recipients)
        BACKUP_QUEUE: names.queue
        BACKUP_QUARANTINE_QUEUE: names.quarantineQueue
        BackupServiceBus__fullyQualifiedNamespace: '${names.namespace}.${suffixes.serviceBus}'
        BACKUP_DEADLETTER_URL: deadLetterUrl
        BACKUP_DEADLETTER_CONTAINER: names.deadLetterContainer
        BACKUP_OBJECTIVE: 'p${objectivePercentile}=${objectiveSeconds}s'
        BACKUP_DIGEST_KEY: '${recoveryVaultUrl}/keys/${names.digestKey}'
        BACKUP_PAUSED: toLower(string(isPaused))
        BACKUP_AUTO_REPLAY: toLower(string(replaysByItself))
      },
      canarySetting,
      heartbeatSetting
    )
    alwaysReadyInstances: alwaysReadyInstances
    maximumInstances: maximumInstances
    deployerAddressRange: deployerAddressRange
    reportAccess: reportAccess
  }
  dependsOn: [
    monitoring
    runtimeStorage
    dataEndpoints
    vaultEndpoints
    monitorEndpoint
    storeAccess
    queueAccess
    vaultAccess
    vaultPolicies
    recoveryAccess
  ]
}

module appEndpoint 'modules/privateEndpoint.bicep' = {
  scope: group
  params: {
    name: 'pe-app'
    location: location
    tags: allTags
    subnetId: network.outputs.endpointSubnetId
    targetId: resourceId(subscription().subscriptionId, resourceGroupName, 'Microsoft.Web/sites', names.app)
    groupId: 'sites'
    zoneNames: [zones.webApp]
    zoneSubscriptionId: zonePlace.subscriptionId
    zoneResourceGroupName: zonePlace.resourceGroupName
  }
  dependsOn: [function, dnsZones]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    nameSuffix: names.suffix
    location: location
    tags: allTags
    alertEmails: alertEmails
    actionGroupIds: actionGroupIds
    workspaceId: resourceId(
      subscription().subscriptionId,
      resourceGroupName,
      'Microsoft.OperationalInsights/workspaces',
      'log-${names.suffix}'
    )
    namespaceId: resourceId(
      subscription().subscriptionId,
      resourceGroupName,
      'Microsoft.ServiceBus/namespaces',
      names.namespace
    )
    queueName: names.queue
    quarantineQueueName: names.quarantineQueue
    objectiveSeconds: objectiveSeconds
    hasCanary: canaryVaultName != ''
  }
  dependsOn: [monitoring, serviceBus]
}

module topicAlerts 'modules/topicAlerts.bicep' = [
  for place in places: {
    scope: resourceGroup(place.subscriptionId, place.resourceGroupName)
    params: {
      topicName: place.topicName
      tags: allTags
      actionGroupIds: concat(
        empty(alertEmails)
          ? []
          : [
              resourceId(
                subscription().subscriptionId,
                resourceGroupName,
                'Microsoft.Insights/actionGroups',
                'ag-${names.suffix}'
              )
            ],
        actionGroupIds
      )
    }
    dependsOn: [alerts, systemTopics]
  }
]

var foreignGroups = union(
  map(filter(places, place => !place.isNew), place => '${place.subscriptionId}/${place.resourceGroupName}'),
  hubDns == null ? [] : ['${zonePlace.subscriptionId}/${zonePlace.resourceGroupName}'],
  recovery.isNew ? [] : ['${recovery.subscriptionId}/${recovery.resourceGroupName}']
)

// `azd env get-values` prints these: what kvbackup and the lock script need.
@description('Resource group of the backups.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Account of the backups, for infra/scripts/lockRetention.sh.')
output BACKUP_ACCOUNT_NAME string = names.backupAccount

@description('Setting of kvbackup.')
output BACKUP_VAULTS string = vaultUrls

@description('Setting of kvbackup.')
output BACKUP_STORE_URL string = storeUrl

@description('Setting of kvbackup.')
output BACKUP_DEADLETTER_URL string = deadLetterUrl

@description('Setting of kvbackup.')
output BackupServiceBus__fullyQualifiedNamespace string = '${names.namespace}.${suffixes.serviceBus}'

@description('Key that opens the backups, for kvbackup keys public.')
output RECOVERY_KEY_URL string = '${recoveryVaultUrl}/keys/${names.recoveryKey}'

@description('What the retention policy of the container says.')
output RETENTION_POLICY_STATE string = backupStorage.outputs.policyStateFound

@description('Resource groups of others that hold something of this deployment, as SUBSCRIPTION/NAME: azd down must not delete them. infra/scripts/guardDown.sh reads it.')
output FOREIGN_RESOURCE_GROUPS string = join(foreignGroups, ',')
