metadata description = 'The vault with the key that opens the backups and the key that signs the digests, away from the vaults that are backed up.'

@description('Required. Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags { *: string }

@description('Required. hsm: keys in a hardware security module, the vault is of the tier premium.')
param keyProtection 'hsm' | 'software'

@description('Required. Is the vault kept from deletion? As long as backups are held by a locked policy, they are of no use without it.')
param isKept bool

@description('Required. Name of the key that opens the backups.')
param recoveryKeyName string

@description('Required. Name of the key that signs the digests.')
param digestKeyName string

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: keyProtection == 'hsm' ? 'premium' : 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: 'Disabled'
    networkAcls: { bypass: 'None', defaultAction: 'Deny' }
  }

  resource recoveryKey 'keys' = {
    name: recoveryKeyName
    properties: {
      kty: keyProtection == 'hsm' ? 'RSA-HSM' : 'RSA'
      keySize: 4096
      keyOps: ['wrapKey', 'unwrapKey']
    }
  }

  resource digestKey 'keys' = {
    name: digestKeyName
    properties: {
      kty: keyProtection == 'hsm' ? 'EC-HSM' : 'EC'
      curveName: 'P-384'
      keyOps: ['sign', 'verify']
    }
  }
}

resource vaultLock 'Microsoft.Authorization/locks@2020-05-01' = if (isKept) {
  scope: vault
  name: 'recovery-keys-are-kept'
  properties: {
    level: 'CanNotDelete'
    notes: 'Without these keys the backups of Key Vault cannot be opened.'
  }
}
