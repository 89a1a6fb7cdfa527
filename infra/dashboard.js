'use strict';

const { functionNames, functionsStartedBy, logicalId } = require('./functions');

const WIDTH = 8;
const HEIGHT = 6;
const COLUMNS = 3;

/** One page: what clients see, how the functions fare, how far behind the events are. */
module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const namespace = await resolveVariable('self:custom.stage.metricsNamespace');
  const names = await functionNames(resolveVariable);
  const streamReaders = await functionsStartedBy('stream', resolveVariable);
  const api = (metric, options) => ['AWS/ApiGateway', metric, 'ApiId', '${HttpApi}', options];
  const lambda = (metric, name, options) => [
    'AWS/Lambda',
    metric,
    'FunctionName',
    `\${${logicalId(name)}}`,
    options,
  ];
  const queue = (resource) => [
    'AWS/SQS',
    'ApproximateNumberOfMessagesVisible',
    'QueueName',
    `\${${resource}.QueueName}`,
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
      [[{ expression: `SEARCH('Namespace="${namespace}"', 'Sum', 300)` }]],
    ],
    ['Function errors', names.map((name) => lambda('Errors', name, { stat: 'Sum' }))],
    ['Function throttles', names.map((name) => lambda('Throttles', name, { stat: 'Sum' }))],
    ['Function duration, p95 (ms)', names.map((name) => lambda('Duration', name, { stat: 'p95' }))],
    [
      'Behind the stream (ms)',
      streamReaders.map((name) => lambda('IteratorAge', name, { stat: 'Maximum' })),
    ],
    [
      'Messages waiting',
      [
        queue('OrderEventsQueue'),
        queue('OrderEventsDeadLetterQueue'),
        queue('OrderStreamDeadLetterQueue'),
      ],
    ],
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
          DashboardName: `orders-${stage}`,
          DashboardBody: { 'Fn::Sub': JSON.stringify({ widgets }) },
        },
      },
    },
  };
};
