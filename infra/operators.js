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
  const ofFunction = (wanted) =>
    template.functions.filter(({ name }) => name === wanted).map(({ id }) => attribute(id));
  const ofLogGroups = (wanted) =>
    template
      .ofType('AWS::Logs::LogGroup')
      .filter(([, { LogGroupName }]) => wanted(LogGroupName))
      .map(([id]) => attribute(id));
  // Each by its id: another stage's names can begin with this one's.
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
    'the report function': ofFunction('daily-report'),
    "the feed's function": ofFunction('list-events'),
    'the triggers': template
      .ofType('AWS::Lambda::EventSourceMapping')
      .map(([id]) => arn('lambda', `event-source-mapping:\${${id}}`)),
    'the schedules': template.ofType('AWS::Events::Rule').map(([id]) => attribute(id)),
    "the functions' log groups": ofLogGroups((name) => name.startsWith('/aws/lambda/')),
    "the operations' log group": ofLogGroups((name) => name === `${stack}-operations`),
    '*': ['*'],
  };
  // A trigger that may be changed could otherwise be handed to any function.
  const conditions = {
    'the triggers': {
      ArnEquals: {
        'lambda:FunctionArn': template
          .ofType('AWS::Lambda::EventSourceMapping')
          .map(([, { FunctionName }]) => FunctionName),
      },
    },
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
        ...(place in conditions ? { Condition: conditions[place] } : {}),
      }));
  const policies = Object.entries(roles).map(([role, rights]) => [
    `${role[0].toUpperCase()}${role.slice(1)}Policy`,
    {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: {
        // An account's policies are the same in all its regions.
        ManagedPolicyName: { 'Fn::Sub': `${stack}-${role}-\${AWS::Region}` },
        PolicyDocument: { Version: '2012-10-17', Statement: statements(rights) },
      },
    },
  ]);
  return { Resources: Object.fromEntries(policies), Outputs: {} };
};
