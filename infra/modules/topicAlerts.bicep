metadata description = 'The alerts on what Event Grid could not deliver, beside the system topic: a metric alert belongs in the subscription of what it watches.'

@description('Required. Name of the system topic.')
param topicName string

@description('Required. Tags.')
param tags { *: string }

@description('Required. Ids of the action groups that are told.')
param actionGroupIds string[]

var losses = [
  {
    name: 'event-grid-dead-letters'
    metricName: 'DeadLetteredCount'
    severity: 1
    description: 'Event Grid could not deliver events and left them as dead letters.'
  }
  {
    name: 'event-grid-drops'
    metricName: 'DroppedEventCount'
    severity: 0
    description: 'Event Grid dropped events: they could not even be left as dead letters. kvbackup reconcile finds their versions.'
  }
]

var actions = [for id in actionGroupIds: { actionGroupId: id }]

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = { name: topicName }

resource alerts 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for loss in losses: {
    name: '${loss.name}-${topicName}'
    location: 'global'
    tags: tags
    properties: {
      description: loss.description
      severity: loss.severity
      enabled: true
      autoMitigate: true
      scopes: [topic.id]
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
      actions: actions
    }
  }
]
