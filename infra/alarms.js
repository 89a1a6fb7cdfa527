'use strict';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Of the requests of 30 days, so many percent don't fail, and don't take longer than so long. */
const AVAILABILITY = 99.9;
const FAST_ENOUGH = 99;
const FAST_MS = 1000;

/**
 * How many times as fast as the objective allows the error budget may burn, over a long window and
 * still over a short one (Site Reliability Workbook, chapter 5).
 *
 * No period of CloudWatch is longer than a day: the longest window is three of them, each over.
 */
const FAST_BURNS = [
  { burn: 14.4, long: HOUR, short: 5 * MINUTE },
  { burn: 6, long: 6 * HOUR, short: 30 * MINUTE },
];
const SLOW_BURNS = [
  { burn: 3, long: DAY, short: 2 * HOUR },
  { burn: 1, long: DAY, periods: 3, short: 6 * HOUR },
];

/**
 * What wakes somebody (`page`) and what can wait for the morning (`ticket`).
 *
 * docs/runbook.md has each, and in how many minutes it rings. CloudWatch evaluates an alarm every
 * minute, over periods that end in that minute; one that looks back more than a day every hour, over
 * full hours.
 */
module.exports = (template, { metricsNamespace: namespace, metricMath }) => {
  const prefix = `orders-${template.stage}`;
  const consumers = template.queueConsumers.map(({ name }) => name);

  const metric = (Namespace, MetricName, Dimensions, Statistic) => ({
    Namespace,
    MetricName,
    Dimensions: Object.entries(Dimensions).map(([Name, Value]) => ({ Name, Value })),
    Statistic,
  });
  const counted = (name) => metric(namespace, name, { service: 'orders' }, 'Sum');
  const refused = (name) => metric(namespace, name, {}, 'Sum');
  const ofApi = (name, statistic) =>
    metric('AWS/ApiGateway', name, { ApiId: { Ref: 'HttpApi' } }, statistic);
  const ofFunction = ({ id }, name, statistic = 'Sum') =>
    metric('AWS/Lambda', name, { FunctionName: { Ref: id } }, statistic);
  const ofQueue = ({ id }, name) =>
    metric('AWS/SQS', name, { QueueName: { 'Fn::GetAtt': [id, 'QueueName'] } }, 'Maximum');
  const ofTopic = ({ id }, name) =>
    metric('AWS/SNS', name, { TopicName: { 'Fn::GetAtt': [id, 'TopicName'] } }, 'Sum');

  /** Expressions by id over metrics by id; what the alarm watches is the last one. */
  const math = (Period, metrics, expressions) => ({
    Metrics: [
      ...Object.entries(metrics).map(([Id, { Statistic: Stat, ...Metric }]) => ({
        Id,
        MetricStat: { Metric, Period, Stat },
        ReturnData: false,
      })),
      ...Object.entries(expressions).map(([Id, Expression], index, all) => ({
        Id,
        Expression,
        ReturnData: index === all.length - 1,
      })),
    ],
  });
  /** `some` is more than so many percent of `all`, and not just one or two. */
  const rate = (Period, percent, atLeast, metrics, all) => ({
    ...math(Period, metrics, { rate: `IF(FILL(some, 0) >= ${atLeast}, 100 * some / (${all}), 0)` }),
    Threshold: percent,
  });

  const watch = (name, description, settings) => ({
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${prefix}-${name}`,
      AlarmDescription: description,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 0,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
      ...settings,
    },
  });
  const told = (topic) => ({ AlarmActions: [{ Ref: topic }], OKActions: [{ Ref: topic }] });
  const see = (description, section) => `${description} See docs/runbook.md#${section}`;
  const alarm =
    (topic) =>
    (name, description, settings, section = name) =>
      watch(name, see(description, section), { ...settings, ...told(topic) });
  const page = alarm('PageTopic');
  const ticket = alarm('TicketTopic');

  /** Rings while any of the burn rates is exceeded, in both windows of it. */
  const burning = (topic, name, description, section, objective, metrics, burns) => {
    const windows = burns.map(({ burn, long, short, periods = 1 }) => {
      const percent = Number((burn * (100 - objective)).toFixed(2));
      return [
        [long, 5, periods],
        [short, 1, 1],
      ].map(([period, atLeast, EvaluationPeriods]) =>
        watch(
          `${name}-${burn}x-${period / MINUTE}-min`,
          `A part of ${prefix}-${name}.`,
          {
            ...rate(period, percent, atLeast, metrics, 'requests'),
            EvaluationPeriods,
          }
        )
      );
    });
    const rings = ({ Properties }) => `ALARM("\${${alarmLogicalId(Properties.AlarmName, prefix)}}")`;
    const rule = windows.map((pair) => `(${pair.map(rings).join(' AND ')})`).join(' OR ');
    return [
      ...windows.flat(),
      {
        Type: 'AWS::CloudWatch::CompositeAlarm',
        Properties: {
          AlarmName: `${prefix}-${name}`,
          AlarmDescription: see(description, section),
          AlarmRule: { 'Fn::Sub': rule },
          ...told(topic),
        },
      },
    ];
  };
  const requests = ofApi('Count', 'Sum');
  const failing = { some: ofApi('5xx', 'Sum'), requests };
  // How many took longer.
  const slow = { some: ofApi('Latency', `TC(${FAST_MS}:)`), requests };

  const alarms = [
    // A period in which something was recorded and nothing published is 1, any other in which
    // something happened 0, and an empty one repeats the one before. So an event that never comes
    // out stays 1, and one that comes out in the next period was 1 for no more than one of them.
    // The factor makes any publication outweigh all that a period records: running sums would
    // drift with each redelivery, and CloudWatch warns against them in alarms. `ignore` keeps the
    // alarm on when the event has left the window, until something is published.
    page('events-not-published', 'Orders change, and for 15 minutes no event was published.', {
      ...math(
        5 * MINUTE,
        { recorded: counted('EventsRecorded'), published: counted('EventsPublished') },
        {
          silent: 'recorded > 1000000 * published',
          stillSilent: 'FILL(silent, REPEAT)',
        }
      ),
      EvaluationPeriods: 3,
      TreatMissingData: 'ignore',
    }),
    ...template.streamReaders.map((reader) =>
      page(
        `${reader.name}-iterator-age`,
        `${reader.name} was more than a minute behind the table's stream for 15 minutes.`,
        {
          ...ofFunction(reader, 'IteratorAge', 'Maximum'),
          Threshold: MINUTE * 1000,
          Period: 5 * MINUTE,
          EvaluationPeriods: 3,
        },
        'iterator-age'
      )
    ),
    ...template.queues
      .filter(({ deadLetters }) => !deadLetters)
      .map((queue) =>
        page(
          `${queue.name}-not-consumed`,
          `A message has waited in ${queue.name} for 30 minutes.`,
          {
            ...ofQueue(queue, 'ApproximateAgeOfOldestMessage'),
            Threshold: 30 * MINUTE,
            Period: 5 * MINUTE,
          },
          'queue-not-consumed'
        )
      ),
    page(
      'settlement-failing',
      'Of the payments tried in 15 minutes, more than half will have to be tried again.',
      rate(
        15 * MINUTE,
        50,
        10,
        {
          some: counted('EventsRetried'),
          paid: counted('PaymentPaid'),
          declined: counted('PaymentDeclined'),
          outOfStock: counted('PaymentOutOfStock'),
        },
        'some + paid + declined + outOfStock'
      )
    ),
    ...burning(
      'PageTopic',
      'api-failing',
      'Requests fail so fast that the error budget of 30 days is gone within 5 days.',
      'api-failing',
      AVAILABILITY,
      failing,
      FAST_BURNS
    ),
    ...[
      ['callers-unauthenticated', 'RequestsUnauthenticated', 401, 20],
      ['callers-throttled', 'RequestsThrottled', 429, 5],
    ].map(([name, counter, status, percent]) =>
      page(
        name,
        `For 15 minutes more than ${percent} % of the requests were refused with ${status}.`,
        {
          ...rate(
            5 * MINUTE,
            percent,
            20,
            { some: refused(counter), requests },
            'requests'
          ),
          EvaluationPeriods: 3,
        }
      )
    ),
    ...template.queues
      .filter(({ deadLetters }) => deadLetters)
      .map((queue) =>
        ticket(
          `${queue.name}-not-empty`,
          `The dead-letter queue ${queue.name} has a message.`,
          { ...ofQueue(queue, 'ApproximateNumberOfMessagesVisible'), Period: 5 * MINUTE },
          'queue-not-empty'
        )
      ),
    ...template.topics.map((topic) =>
      ticket(
        `${topic.name}-not-delivered`,
        `SNS gave up delivering a message of ${topic.name} to a subscriber.`,
        { ...ofTopic(topic, 'NumberOfNotificationsFailed'), Period: 5 * MINUTE },
        'topic-not-delivered'
      )
    ),
    ...[
      ['records-set-aside', 'RecordsSetAside', 'A stream record could not be published.'],
      ['orders-unreadable', 'OrdersUnreadable', "An order was left out: its row can't be read."],
      ['customer-rows-mended', 'CustomerRowsMended', 'A row of a customer differed from its order.'],
      ['orders-left-to-expire', 'OrdersLeftToExpire', 'A run left stale orders for the next day.'],
    ].map(([name, counter, description]) =>
      ticket(name, description, { ...counted(counter), Period: 5 * MINUTE })
    ),
    // FILL, or CloudWatch would judge by the last run, however old, instead of by its absence.
    ...template.scheduled.map((daily) =>
      ticket(
        `${daily.name}-not-run`,
        `${daily.name}, which runs every day, has not run for 26 hours.`,
        {
          ...math(HOUR, { runs: ofFunction(daily, 'Invocations') }, { ran: 'FILL(runs, 0)' }),
          ComparisonOperator: 'LessThanThreshold',
          Threshold: 1,
          EvaluationPeriods: 26,
          TreatMissingData: 'breaching',
        },
        'schedule-not-run'
      )
    ),
    ...burning(
      'TicketTopic',
      'api-failing-slowly',
      'More requests fail than the error budget allows, for a day or for days.',
      'api-failing',
      AVAILABILITY,
      failing,
      SLOW_BURNS
    ),
    ...burning(
      'TicketTopic',
      'api-slow',
      `More requests take longer than ${FAST_MS} ms than the error budget allows.`,
      'api-slow',
      FAST_ENOUGH,
      slow,
      [...FAST_BURNS, ...SLOW_BURNS]
    ),
    // A daily function is tried three times in all, within a quarter of an hour. Nothing else
    // reports a consumer that can't start: it counts no retry, and SQS leaves messages that were
    // received three times out of the oldest message's age.
    ...template.functions.flatMap((one) => [
      (consumers.includes(one.name) ? page : ticket)(
        `${one.name}-errors`,
        `More than 10 % of ${one.name}'s invocations of 30 minutes, and at least 3, failed.`,
        rate(
          30 * MINUTE,
          10,
          3,
          { some: ofFunction(one, 'Errors'), invocations: ofFunction(one, 'Invocations') },
          'invocations'
        ),
        'function-errors'
      ),
      ticket(
        `${one.name}-throttles`,
        `More than 10 % of ${one.name}'s invocations of 30 minutes, and at least 10, were throttled.`,
        rate(
          30 * MINUTE,
          10,
          10,
          { some: ofFunction(one, 'Throttles'), invocations: ofFunction(one, 'Invocations') },
          'some + invocations'
        ),
        'function-throttles'
      ),
    ]),
  ];

  /** The gateway's metrics have no statuses. */
  const filter = (MetricName, ...conditions) => ({
    Type: 'AWS::Logs::MetricFilter',
    Properties: {
      LogGroupName: { Ref: 'HttpApiLogGroup' },
      FilterPattern: `{ ${conditions.map((condition) => `(${condition})`).join(' && ')} }`,
      MetricTransformations: [
        { MetricNamespace: namespace, MetricName, MetricValue: '1', Unit: 'Count' },
      ],
    },
  });
  const topic = (name) => ({
    Type: 'AWS::SNS::Topic',
    Properties: { TopicName: `${prefix}-${name}` },
  });

  return {
    Resources: {
      PageTopic: topic('page'),
      TicketTopic: topic('ticket'),
      UnauthenticatedFilter: filter('RequestsUnauthenticated', '$.status = "401"'),
      // A loop over a public page is throttled to be ignored.
      ThrottledFilter: filter(
        'RequestsThrottled',
        '$.status = "429"',
        ...template.publicRoutes.map(({ key }) => `$.route != "${key}"`)
      ),
      ...Object.fromEntries(
        alarms
          .filter(({ Properties }) => metricMath || 'MetricName' in Properties)
          .map((one) => [alarmLogicalId(one.Properties.AlarmName, prefix), one])
      ),
    },
    Outputs: {
      PageTopicArn: { Value: { Ref: 'PageTopic' } },
      TicketTopicArn: { Value: { Ref: 'TicketTopic' } },
    },
  };
};

/** `orders-prod-api-slow` is `ApiSlowAlarm`. */
function alarmLogicalId(name, prefix) {
  const words = name.slice(prefix.length + 1).split(/[-.]/);
  return `${words.map((word) => word[0].toUpperCase() + word.slice(1)).join('')}Alarm`;
}
