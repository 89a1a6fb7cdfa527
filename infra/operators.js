'use strict';

const { readFileSync } = require('fs');
const { join } = require('path');

/**
 * A managed policy for each role of the operator's command, to attach to the roles of people.
 *
 * operators.json says what each role may do, generated from the commands; this says to what.
 */
module.exports = (template, { batched }) => {
  const roles = JSON.parse(readFileSync(join(__dirname, 'operators.json'), 'utf8'));
  const stack = `orders-${template.stage}`;
  const arn = (service, name) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${name}`,
  });
  const attribute = (id, name = 'Arn') => ({ 'Fn::GetAtt': [id, name] });
  const queues = (deadLetters) =>
    template.queues
      .filter((queue) => queue.deadLetters === deadLetters)
      .map(({ id }) => attribute(id));
  const resources = {
    'the stack': [arn('cloudformation', `stack/${stack}/*`)],
    'the table': [attribute('OrdersTable')],
    'the index': [{ 'Fn::Sub': '${OrdersTable.Arn}/index/*' }],
    'a restored table': [{ 'Fn::Sub': '${OrdersTable.Arn}-restored*' }],
    'the queues': queues(false),
    'the dead-letter queues': queues(true),
    'any queue': [arn('sqs', '*')],
    'the events topic': template
      .ofType('AWS::SNS::Topic')
      .filter(([id]) => id === 'OrderEventsTopic')
      .map(([id]) => ({ Ref: id })),
    'the functions': [arn('lambda', `function:${stack}-*`)],
    'the triggers': template
      .ofType('AWS::Lambda::EventSourceMapping')
      .map(([id]) => arn('lambda', `event-source-mapping:\${${id}}`)),
    'the schedules': template.ofType('AWS::Events::Rule').map(([id]) => attribute(id)),
    "the functions' log groups": [arn('logs', `log-group:/aws/lambda/${stack}-*`)],
    "the operations' log group": [arn('logs', `log-group:${stack}-operations*`)],
    '*': ['*'],
  };
  const statements = (rights) =>
    Object.entries(rights)
      .filter(([place]) => {
        if (place in resources) return resources[place].length > 0;
        throw new Error(`infra/operators.js doesn't know what "${place}" is.`);
      })
      .map(([place, actions]) => ({
        Effect: 'Allow',
        Action: actions.flatMap((action) => batched[action] ?? action),
        Resource: resources[place],
      }));
  const policies = Object.entries(roles).map(([role, rights]) => [
    `${role[0].toUpperCase()}${role.slice(1)}Policy`,
    {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: {
        ManagedPolicyName: `${stack}-${role}`,
        PolicyDocument: { Version: '2012-10-17', Statement: statements(rights) },
      },
    },
  ]);
  return { Resources: Object.fromEntries(policies), Outputs: {} };
};
