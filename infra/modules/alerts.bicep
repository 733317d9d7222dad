metadata description = 'The alerts: dead letters, what is not protected in time, what is silent, what failed. docs/runbook.md says what to do with each.'

@description('Required. What the names end with.')
param nameSuffix string

@description('Required. Region of the log alerts.')
param location string

@description('Required. Tags.')
param tags { *: string }

@description('Required. Mail addresses that are told.')
param alertEmails string[]

@description('Required. Ids of action groups that are there already and are told too.')
param actionGroupIds string[]

@description('Required. Id of the workspace with the logs.')
param workspaceId string

@description('Required. Id of the namespace.')
param namespaceId string

@description('Required. Name of the queue of changes.')
param queueName string

@description('Required. Name of the quarantine queue.')
param quarantineQueueName string

@description('Required. Seconds within which a change is to be stored.')
@minValue(1)
param objectiveSeconds int

@description('Required. Is a canary sent?')
param hasCanary bool

// The rules of docs/runbook.md, each by its name there. A rule of silence fires when its query finds nothing.
var logRulesByName = {
  'oldest-unprotected': {
    severity: 1
    window: 'PT15M'
    description: 'A change has waited longer than the objective to be stored.'
    query: 'AppTraces | where Message has "backlog.oldestUnprotected" | extend signal = parse_json(Message) | where toint(signal.ageSeconds) > ${objectiveSeconds}'
  }
  'dead-letters': {
    severity: 1
    window: 'PT15M'
    description: 'Messages were given up.'
    query: 'AppTraces | where Message has "backlog.deadLettered" | extend signal = parse_json(Message) | where toint(signal.count) > 0'
  }
  quarantine: {
    severity: 1
    window: 'PT15M'
    description: 'Messages wait for a person to decide.'
    query: 'AppTraces | where Message has "backlog.quarantined" | extend signal = parse_json(Message) | where toint(signal.count) > 0'
  }
  deferred: {
    severity: 2
    window: 'PT1H'
    description: 'Changes have been deferred for an hour.'
    query: 'AppTraces | where Message has "backlog.deferred" | extend signal = parse_json(Message) | where todatetime(signal.oldestAt) < ago(1h)'
  }
  'backlog-unknown': {
    severity: 2
    window: 'PT15M'
    description: 'The queues could not be looked into.'
    query: 'AppTraces | where Message has "backlog.unknown"'
  }
  'nobody-looks': {
    severity: 1
    window: 'PT15M'
    description: 'Nobody looked into the queues: nothing can be said about what waits.'
    query: 'AppTraces | where Message has "backlog.oldestUnprotected" | where TimeGenerated > ago(15m) | summarize rows = count() | where rows == 0'
  }
  'not-protected': {
    severity: 1
    window: 'PT15M'
    description: 'A version could not be backed up: disabled, without a value, gone, or a message that cannot be handled.'
    query: 'AppTraces | where Message has "backup.outcome" | extend signal = parse_json(Message) | where tostring(signal.outcome) in ("unreadable", "gone", "poison")'
  }
  'replay-failed': {
    severity: 2
    window: 'PT30M'
    description: 'A replay by itself failed.'
    query: 'AppTraces | where Message has "replay.failed"'
  }
  'missing-versions': {
    severity: 1
    window: 'PT1H'
    description: 'A vault had versions that the store had not.'
    query: 'AppTraces | where Message has "reconcile.done" | extend signal = parse_json(Message) | where toint(signal.missing) > 0'
  }
  'reconcile-incomplete': {
    severity: 2
    window: 'PT1H'
    description: 'A vault could not be compared to the end.'
    query: 'AppTraces | where Message has "reconcile.incomplete" | extend signal = parse_json(Message) | where tostring(signal.reason) != "budget"'
  }
  'digest-failed': {
    severity: 1
    window: 'PT1H'
    description: 'A day of the ledger is not signed yet.'
    query: 'AppTraces | where Message has "digest.failed"'
  }
  paused: {
    severity: 3
    window: 'PT1H'
    description: 'The worker started paused.'
    query: 'AppTraces | where Message has "start.paused"'
  }
  'telemetry-failed': {
    severity: 2
    window: 'PT1H'
    description: 'Metrics and traces do not get out; backups go on.'
    query: 'AppTraces | where Message has_any ("telemetry.exportFailed", "telemetry.notStarted")'
  }
  failures: {
    severity: 2
    window: 'PT15M'
    description: 'Functions failed more than three times.'
    query: 'AppRequests | where Success == false | summarize failed = count() by OperationName | where failed > 3'
  }
  'not-immutable': {
    severity: 0
    window: 'PT15M'
    description: 'The worker refuses to write: the container has no retention policy.'
    query: 'union isfuzzy=true AppTraces, AppExceptions | where Message has "ERR_STORE_NOT_IMMUTABLE" or OuterMessage has "ERR_STORE_NOT_IMMUTABLE"'
  }
  'digest-silent': {
    severity: 2
    window: 'P2D'
    description: 'No digest was written, and none was found up to date, for two days.'
    query: 'AppTraces | where Message has_any ("digest.written", "digest.upToDate") | summarize rows = count() | where rows == 0'
  }
}
var canaryRulesByName = {
  'canary-late': {
    severity: 1
    window: 'PT1H'
    description: 'A canary was not stored in time.'
    query: 'AppTraces | where Message has "canary.late"'
  }
  'canary-failed': {
    severity: 2
    window: 'PT1H'
    description: 'A canary could not be set, or not be looked for.'
    query: 'AppTraces | where Message has "canary.failed"'
  }
  'canary-old': {
    severity: 1
    window: 'PT1H'
    description: 'No change has gone the whole way for 70 minutes.'
    query: 'AppTraces | where Message has "canary.age" | extend signal = parse_json(Message) | where toint(signal.ageSeconds) > 4200'
  }
  'no-canary': {
    severity: 0
    window: 'PT2H'
    description: 'Nothing proves that changes get through: backups, or the telemetry about them, have stopped.'
    query: 'AppTraces | where Message has "canary.proved" | where TimeGenerated > ago(75m) | summarize rows = count() | where rows == 0'
  }
}
var allLogRules = items(union(logRulesByName, hasCanary ? canaryRulesByName : {}))
resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmails)) {
  name: 'ag-${nameSuffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'kvbackup'
    enabled: true
    emailReceivers: [
      for (address, index) in alertEmails: {
        name: 'mail-${index}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

var told = concat(empty(alertEmails) ? [] : [people.id], actionGroupIds)
var toldActions = [for id in told: { actionGroupId: id }]

resource queueDeadLetters 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'queue-dead-letters-${nameSuffix}'
  location: 'global'
  tags: tags
  properties: {
    description: 'There are dead letters in a queue.'
    severity: 1
    enabled: true
    autoMitigate: true
    scopes: [namespaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dead letters'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          dimensions: [{ name: 'EntityName', operator: 'Include', values: [queueName, quarantineQueueName] }]
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: toldActions
  }
}

resource quarantineFilled 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'quarantine-filled-${nameSuffix}'
  location: 'global'
  tags: tags
  properties: {
    description: 'There are messages in quarantine.'
    severity: 2
    enabled: true
    autoMitigate: true
    scopes: [namespaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'messages in quarantine'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'ActiveMessages'
          dimensions: [{ name: 'EntityName', operator: 'Include', values: [quarantineQueueName] }]
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: toldActions
  }
}

resource logRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in allLogRules: {
    name: '${rule.key}-${nameSuffix}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Key Vault backup: ${rule.key}'
      description: rule.value.description
      severity: rule.value.severity
      enabled: true
      autoMitigate: true
      // A new app has no tables yet; the query is not asked whether they are there.
      skipQueryValidation: true
      scopes: [workspaceId]
      evaluationFrequency: rule.value.window == 'P2D' ? 'PT1H' : 'PT5M'
      windowSize: rule.value.window
      criteria: {
        allOf: [
          {
            query: rule.value.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: told }
    }
  }
]
