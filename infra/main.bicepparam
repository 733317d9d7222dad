using 'main.bicep'

// What `azd up` deploys: each parameter from the environment of azd. docs/deploy.md tells them all.

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param vaults = json(readEnvironmentVariable('KVB_VAULTS'))
param recipients = readEnvironmentVariable('KVB_RECIPIENTS')
param retentionDays = int(readEnvironmentVariable('KVB_RETENTION_DAYS'))
param retentionPolicyState = readEnvironmentVariable('KVB_RETENTION_POLICY_STATE', 'unlocked')
param lockConfirmed = readEnvironmentVariable('KVB_LOCK_CONFIRMED', '')
param deployerAddressRange = readEnvironmentVariable('KVB_DEPLOYER_ADDRESS_RANGE', '')
param egress = readEnvironmentVariable('KVB_EGRESS', 'privateLink')
param roleSource = readEnvironmentVariable('KVB_ROLE_SOURCE', 'custom')
param people = json(readEnvironmentVariable('KVB_PEOPLE', '{"verify":[],"restore":[]}'))
param alertEmails = json(readEnvironmentVariable('KVB_ALERT_EMAILS', '[]'))
