'use strict';

const { functionNames, logicalId, STREAM_CONSUMERS } = require('./functions');

/** What wakes somebody, and the topic that it wakes them through. docs/runbook.md has each. */
module.exports = async ({ resolveVariable }) => {
  const prefix = `orders-${await resolveVariable('sls:stage')}`;
  const namespace = await resolveVariable('self:custom.stage.metricsNamespace');
  const alarm = (name, description, metric) => ({
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${prefix}-${name}`,
      AlarmDescription: description,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 0,
      EvaluationPeriods: 1,
      Period: 300,
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ Ref: 'AlarmTopic' }],
      OKActions: [{ Ref: 'AlarmTopic' }],
      ...metric,
    },
  });
  const queueNotEmpty = (name, resource) =>
    alarm(`${name}-not-empty`, `A message lies in ${name}.`, {
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [resource, 'QueueName'] } }],
      Statistic: 'Maximum',
      Period: 60,
    });
  const ofFunction = (name, metricName, metric) => ({
    Namespace: 'AWS/Lambda',
    MetricName: metricName,
    Dimensions: [{ Name: 'FunctionName', Value: { Ref: logicalId(name) } }],
    ...metric,
  });
  const ofApi = (metricName, metric) => ({
    Namespace: 'AWS/ApiGateway',
    MetricName: metricName,
    Dimensions: [{ Name: 'ApiId', Value: { Ref: 'HttpApi' } }],
    ...metric,
  });

  const counted = (metricName) => ({
    Namespace: namespace,
    MetricName: metricName,
    Dimensions: [{ Name: 'service', Value: 'orders' }],
    Statistic: 'Sum',
  });

  const resources = {
    AlarmTopic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: `${prefix}-alarms` } },
    OrderEventsDeadLetterAlarm: queueNotEmpty('order-events-dlq', 'OrderEventsDeadLetterQueue'),
    OrderStreamDeadLetterAlarm: queueNotEmpty('order-stream-dlq', 'OrderStreamDeadLetterQueue'),
    OrdersUnreadableAlarm: alarm(
      'orders-unreadable',
      "A daily task passed over an order, because its row can't be read.",
      counted('OrdersUnreadable')
    ),
    ApiLatencyAlarm: alarm(
      'api-latency',
      'One request in twenty took longer than 300 ms for 15 minutes.',
      ofApi('Latency', {
        ExtendedStatistic: 'p95',
        Threshold: 300,
        EvaluationPeriods: 3,
        EvaluateLowSampleCountPercentile: 'ignore',
      })
    ),
    ApiErrorsAlarm: alarm('api-5xx', 'The API answered 5xx.', ofApi('5xx', { Statistic: 'Sum' })),
  };
  for (const name of STREAM_CONSUMERS) {
    resources[`${logicalId(name)}IteratorAgeAlarm`] = alarm(
      `${name}-iterator-age`,
      `${name} is more than a minute behind the table's stream, for 5 minutes.`,
      ofFunction(name, 'IteratorAge', {
        Statistic: 'Maximum',
        Threshold: 60000,
        Period: 60,
        EvaluationPeriods: 5,
      })
    );
  }
  for (const name of await functionNames(resolveVariable)) {
    for (const [metricName, happened] of [
      ['Errors', 'failed'],
      ['Throttles', 'was throttled'],
    ]) {
      resources[`${logicalId(name)}${metricName}Alarm`] = alarm(
        `${name}-${metricName.toLowerCase()}`,
        `${name} ${happened}.`,
        ofFunction(name, metricName, { Statistic: 'Sum' })
      );
    }
  }
  return { Resources: resources, Outputs: { AlarmTopicArn: { Value: { Ref: 'AlarmTopic' } } } };
};
