'use strict';

/** What the parameter eventsTopic adds: a topic that gets every event too, for whoever subscribes. */
module.exports = (topicName, publishActions) => ({
  functions: {
    // Merged with infra/background-functions.yml, lists by position.
    'publish-order-events': {
      environment: { TOPIC_ARN: { Ref: 'OrderEventsTopic' } },
      iamRoleStatements: [
        {}, // of the queues
        { Effect: 'Allow', Action: publishActions, Resource: { Ref: 'OrderEventsTopic' } },
      ],
    },
  },
  resources: {
    Resources: {
      OrderEventsTopic: {
        Type: 'AWS::SNS::Topic',
        Properties: {
          TopicName: topicName,
          // AWS's own key for SNS: whoever may publish may use it, and it has no monthly fee. SNS
          // decrypts what it delivers, so subscribers need no right to it.
          KmsMasterKeyId: 'alias/aws/sns',
        },
      },
    },
    Outputs: { OrderEventsTopicArn: { Value: { Ref: 'OrderEventsTopic' } } },
  },
});
