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

@description('Required. Id of the component with the telemetry.')
param componentId string

@description('Required. Id of the namespace.')
param namespaceId string

@description('Required. Name of the queue of changes.')
param queueName string

@description('Required. Name of the quarantine queue.')
param quarantineQueueName string

@description('Required. Ids of the system topics.')
param topicIds string[]

@description('Required. Seconds within which a change is to be stored.')
@minValue(1)
param objectiveSeconds int

@description('Required. Is a canary sent?')
param hasCanary bool

// One log line a signal, as JSON in the message: docs/runbook.md and docs/telemetry.md.
var signals = 'traces | where message has "\\"event\\":" | extend signal = parse_json(message) | extend event = tostring(signal.event), level = tostring(signal.level)'

var logAlerts = {
  'objective-breach': {
    severity: 1
    window: 'PT15M'
    description: 'A change has waited longer than the objective to be stored.'
    query: '${signals} | where event == "backlog.oldestUnprotected" and toint(signal.ageSeconds) > ${objectiveSeconds}'
  }
  'slow-changes': {
    severity: 2
    window: 'PT30M'
    description: 'On average, changes were stored later than the objective.'
    query: 'customMetrics | where name == "kvbackup.change.latency" | summarize seconds = sum(valueSum) / sum(valueCount) | where seconds > ${objectiveSeconds}'
  }
  'watch-silent': {
    severity: 1
    window: 'PT30M'
    description: 'Nobody looked into the queues: watchBacklog wrote nothing, and nothing can be said about what waits.'
    query: '${signals} | where event == "backlog.oldestUnprotected" | summarize lines = count() | where lines == 0'
  }
  'backlog-unknown': {
    severity: 2
    window: 'PT15M'
    description: 'The queues could not be looked into.'
    query: '${signals} | where event == "backlog.unknown"'
  }
  'deferred-long': {
    severity: 2
    window: 'PT15M'
    description: 'Changes have been deferred for an hour.'
    query: '${signals} | where event == "backlog.deferred" and todatetime(signal.oldestAt) < ago(1h)'
  }
  gaps: {
    severity: 1
    window: 'PT15M'
    description: 'A version could not be backed up: it was disabled, without a value, or gone.'
    query: 'customMetrics | where name == "kvbackup.changes" and tostring(customDimensions["kvbackup.outcome"]) in ("unreadable", "gone") and valueSum > 0'
  }
  'reconcile-gaps': {
    severity: 1
    window: 'PT1H'
    description: 'The daily comparison found versions that are gone for good, or could not be ended.'
    query: '${signals} | where (event == "reconcile.done" and toint(signal.lost) > 0) or (event == "reconcile.incomplete" and level == "error")'
  }
  quarantined: {
    severity: 1
    window: 'PT15M'
    description: 'A message went to quarantine: only a person can decide about it.'
    query: '${signals} | where event == "message.quarantined"'
  }
  failures: {
    severity: 2
    window: 'PT15M'
    description: 'Functions failed.'
    query: 'requests | where success == false | summarize failed = count() by operation_Name | where failed > 3'
  }
  'replay-failed': {
    severity: 2
    window: 'PT30M'
    description: 'A replay by itself failed.'
    query: '${signals} | where event == "replay.failed"'
  }
  'not-immutable': {
    severity: 0
    window: 'PT15M'
    description: 'The worker refuses to write: the container has no retention policy.'
    query: 'union isfuzzy=true traces, exceptions | where message has "ERR_STORE_NOT_IMMUTABLE" or outerMessage has "ERR_STORE_NOT_IMMUTABLE"'
  }
  'digest-silent': {
    severity: 2
    window: 'P2D'
    description: 'No digest was written, and none was found up to date, for two days.'
    query: '${signals} | where event in ("digest.written", "digest.upToDate") | summarize lines = count() | where lines == 0'
  }
  'digest-failed': {
    severity: 1
    window: 'PT1H'
    description: 'The digest of a day was not signed, or does not fit the ledger.'
    query: '${signals} | where event startswith "digest." and level == "error"'
  }
}
var canaryAlerts = {
  'canary-late': {
    severity: 1
    window: 'PT30M'
    description: 'A canary was not stored in time, or could not be set.'
    query: '${signals} | where event in ("canary.late", "canary.failed")'
  }
  'canary-silent': {
    severity: 0
    window: 'PT2H'
    description: 'No canary was proved for two hours: backups, or the telemetry about them, have stopped.'
    query: '${signals} | where event == "canary.proved" | summarize proofs = count() | where proofs == 0'
  }
}
var allLogAlerts = items(union(logAlerts, hasCanary ? canaryAlerts : {}))

var topicLossKinds = flatten(map(topicIds, topicId => [
  {
    topicId: topicId
    name: 'event-grid-dead-letters'
    metricName: 'DeadLetteredCount'
    severity: 1
    description: 'Event Grid could not deliver events and left them as dead letters.'
  }
  {
    topicId: topicId
    name: 'event-grid-drops'
    metricName: 'DroppedEventCount'
    severity: 0
    description: 'Event Grid dropped events: they could not even be left as dead letters. kvbackup reconcile finds their versions.'
  }
]))

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

resource topicLosses 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for loss in topicLossKinds: {
    name: '${loss.name}-${last(split(loss.topicId, '/'))}'
    location: 'global'
    tags: tags
    properties: {
      description: loss.description
      severity: loss.severity
      enabled: true
      autoMitigate: true
      scopes: [loss.topicId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: loss.name
            criterionType: 'StaticThresholdCriterion'
            metricNamespace: 'Microsoft.EventGrid/systemTopics'
            metricName: loss.metricName
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      actions: toldActions
    }
  }
]

resource logRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in allLogAlerts: {
    name: '${alert.key}-${nameSuffix}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Key Vault backup: ${alert.key}'
      description: alert.value.description
      severity: alert.value.severity
      enabled: true
      autoMitigate: true
      // A new app has no tables yet; the query is not asked whether they are there.
      skipQueryValidation: true
      scopes: [componentId]
      evaluationFrequency: alert.value.window == 'P2D' ? 'PT1H' : 'PT5M'
      windowSize: alert.value.window
      criteria: {
        allOf: [
          {
            query: alert.value.query
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
