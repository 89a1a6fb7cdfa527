'use strict';

const WIDTH = 8;
const HEIGHT = 6;
const COLUMNS = 3;

/** One page: what clients see, how the functions fare, how far behind the events are. */
module.exports = (template, { metricsNamespace }) => {
  const { functions, queues, stage, streamReaders } = template;
  const api = (metric, options) => ['AWS/ApiGateway', metric, 'ApiId', '${HttpApi}', options];
  const lambda = (metric, stat) => ({ id }) => [
    'AWS/Lambda',
    metric,
    'FunctionName',
    `\${${id}}`,
    { stat },
  ];
  const waiting = ({ id }) => [
    'AWS/SQS',
    'ApproximateNumberOfMessagesVisible',
    'QueueName',
    `\${${id}.QueueName}`,
    { stat: 'Maximum' },
  ];
  const table = (metric) => [
    'AWS/DynamoDB',
    metric,
    'TableName',
    '${OrdersTable}',
    { stat: 'Sum' },
  ];

  const widgets = [
    [
      'Requests',
      [
        api('Count', { stat: 'Sum' }),
        api('4xx', { stat: 'Sum' }),
        api('5xx', { stat: 'Sum' }),
      ],
    ],
    ['Latency (ms)', ['p50', 'p95', 'p99'].map((stat) => api('Latency', { stat }))],
    [
      'Orders, events, payments',
      [[{ expression: `SEARCH('Namespace="${metricsNamespace}"', 'Sum', 300)` }]],
    ],
    ['Function errors', functions.map(lambda('Errors', 'Sum'))],
    ['Function throttles', functions.map(lambda('Throttles', 'Sum'))],
    ['Function duration, p95 (ms)', functions.map(lambda('Duration', 'p95'))],
    ['Behind the stream (ms)', streamReaders.map(lambda('IteratorAge', 'Maximum'))],
    ['Messages waiting', queues.map(waiting)],
    [
      'Table: capacity and conflicts',
      [
        table('ConsumedReadCapacityUnits'),
        table('ConsumedWriteCapacityUnits'),
        table('TransactionConflict'),
      ],
    ],
  ].map(([title, metrics], index) => ({
    type: 'metric',
    x: (index % COLUMNS) * WIDTH,
    y: Math.floor(index / COLUMNS) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties: { title, metrics, region: '${AWS::Region}', period: 300, view: 'timeSeries' },
  }));

  return {
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: {
          // An account's dashboards are the same in all its regions.
          DashboardName: { 'Fn::Sub': `orders-${stage}-\${AWS::Region}` },
          DashboardBody: { 'Fn::Sub': JSON.stringify({ widgets }) },
        },
      },
    },
  };
};
