metadata description = 'Conditions of role assignments at blob containers. An action that a condition does not name is not limited by it.'

// The syntax: https://learn.microsoft.com/azure/role-based-access-control/conditions-format
// Listing is reading with the suboperation Blob.List; what stands after OR must hold for every other read.

@export()
@description('No blob: names of containers are lower case.')
func neverMatches() string =>
  '@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals \'NONE\''

@export()
@description('The blobs below any of these prefixes.')
func isBelow(prefixes string[]) string =>
  join(
    map(
      prefixes,
      prefix =>
        '@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringLike \'${prefix}/*\''
    ),
    ' OR '
  )

@export()
@description('Exactly this blob.')
func isBlob(name string) string =>
  '@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringEquals \'${name}\''

@export()
@description('Lists everything, reads only where the expression holds.')
func readsOnly(expression string) string =>
  '((!(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read\'} AND NOT SubOperationMatches{\'Blob.List\'})) OR (${expression}))'

@export()
@description('Does these actions, each by its last words such as read, only where the expression holds.')
func doesOnly(actions string[], expression string) string =>
  '((${join(map(actions, action => '!(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${action}\'})'), ' AND ')}) OR (${expression}))'
