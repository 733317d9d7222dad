metadata description = 'The types of the parameters that main.bicep and its modules share.'

@export()
@description('A vault whose changes are backed up.')
type vaultType = {
  @description('Required. Name of the vault.')
  @minLength(3)
  @maxLength(24)
  name: string

  @description('Required. Is the vault made by this deployment, or there already?')
  source: 'new' | 'existing'

  @description('Optional. Subscription of an existing vault. Absent: the one of the deployment.')
  subscriptionId: string?

  @description('Conditional. Resource group of an existing vault. Required when source is existing.')
  resourceGroupName: string?

  @description('Optional. Region of an existing vault: its system topic must be there too. Absent: the one of the deployment.')
  location: string?

  @description('Required. How the vault decides who may do what. A new vault uses roles.')
  permissionModel: 'roles' | 'accessPolicies'

  @description('Optional. Name of the Event Grid system topic that the vault has already, in the vault\'s resource group, with a system-assigned identity. Absent: one is made. A vault can have only one.')
  systemTopicName: string?
}

@export()
@description('Principal ids of the identities of the function app, by job. host is what the Functions host itself runs as.')
type principalIdsType = {
  host: string
  backup: string
  reconcile: string
  audit: string
  replay: string
  canary: string
}

@export()
@description('An identity of the function app.')
type identityType = {
  resourceId: string
  clientId: string
  principalId: string
}

@export()
@description('The identities of the function app, by job.')
type identitiesType = {
  host: identityType
  backup: identityType
  reconcile: identityType
  audit: identityType
  replay: identityType
  canary: identityType
}

@export()
@description('A person, or better a group of them.')
type personType = {
  @description('Required. Object id.')
  principalId: string

  @description('Required. What the object id names.')
  principalType: 'Group' | 'User'
}

@export()
@description('Who may do what belongs to people and to no app.')
type peopleType = {
  @description('Required. They compare records with the vaults, as kvbackup verify.')
  verify: personType[]

  @description('Required. They write versions back, as kvbackup restore.')
  restore: personType[]
}

@export()
@description('Somebody else who may send changes to the queue, such as a Logic App.')
type changeSenderType = {
  @description('Required. A name, for the name of the role assignment.')
  name: string

  @description('Required. Object id of its managed identity.')
  principalId: string
}

@export()
@description('One Azure resource that a storage firewall admits, such as a Logic App.')
type resourceInstanceType = {
  @description('Required. Id of the resource.')
  resourceId: string

  @description('Required. Tenant of the resource. Must be the tenant of the storage account.')
  tenantId: string
}

@export()
@description('Private DNS zones that are there already, all in one resource group of a hub.')
type hubDnsType = {
  @description('Required. Subscription of the zones.')
  subscriptionId: string

  @description('Required. Resource group of the zones.')
  resourceGroupName: string

  @description('Required. Does this deployment link the zones to its network? False: the network asks the hub, by its own DNS servers.')
  linksNetwork: bool
}

@export()
@description('The vault with the keys that open the backups and sign the digests.')
type recoveryVaultType = {
  @description('Required. Is the vault made by this deployment, in a resource group of its own, or there already with both keys?')
  source: 'new' | 'existing'

  @description('Conditional. Name of the vault. Required when source is existing.')
  name: string?

  @description('Optional. Subscription of an existing vault. Absent: the one of the deployment.')
  subscriptionId: string?

  @description('Conditional. Resource group. Required when source is existing.')
  resourceGroupName: string?

  @description('Optional. Region of a new vault. Absent: the one of the deployment.')
  location: string?
}

@export()
@description('Who may open the pages of the app, by Microsoft Entra ID.')
type reportAccessType = {
  @description('Required. Client id of the app registration.')
  clientId: string

  @description('Required. Object ids of the groups whose members may read.')
  @minLength(1)
  groupIds: string[]
}

@export()
@description('How telemetry and other calls leave the network. privateLink: Azure Monitor Private Link Scope, and nothing else leaves. natGateway: to the internet on port 443. firewall: by a route table of yours.')
type egressType = 'privateLink' | 'natGateway' | 'firewall'

@export()
@description('The event types that are backed up. There is no other.')
type backedUpEventType =
  | 'Microsoft.KeyVault.SecretNewVersionCreated'
  | 'Microsoft.KeyVault.CertificateNewVersionCreated'

@export()
@description('Where the roles come from. custom: least privilege, made by this deployment. builtIn: for tenants where no role may be made; wider, see docs/deploy.md.')
type roleSourceType = 'custom' | 'builtIn'

@export()
@description('Host names of the cloud.')
type suffixesType = {
  @description('Required. Such as core.windows.net.')
  storage: string

  @description('Required. Such as .vault.azure.net, with the dot.')
  keyVault: string

  @description('Required. Such as servicebus.windows.net.')
  serviceBus: string

  @description('Required. Such as azurewebsites.net.')
  webApp: string

  @description('Required. Zones of Azure Monitor over private link, without the one of blobs.')
  monitorZones: string[]
}
