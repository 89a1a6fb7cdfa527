'use strict';

const DEAD_LETTERS = ['deadLetterTargetArn', 'DeadLetterConfig', 'OnFailure'];

/** The compiled template, as alarms, dashboard and throttles ask for it. */
class Template {
  constructor({ Resources: resources }, stage) {
    this.resources = resources;
    this.stage = stage;
  }

  /** Pairs of logical id and properties. */
  ofType(type) {
    return Object.entries(this.resources)
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties }]) => [id, Properties]);
  }

  /** `{ id, name }` of each function; its name is the one in serverless.yml. */
  get functions() {
    return this.ofType('AWS::Lambda::Function').map(([id, { FunctionName }]) => ({
      id,
      name: FunctionName.replace(`orders-${this.stage}-`, ''),
    }));
  }

  get streamReaders() {
    return this.functionsOf(this.mappings.filter(({ from: [, kind] }) => kind === 'StreamArn'));
  }

  get queueConsumers() {
    return this.functionsOf(this.mappings.filter(({ from: [, kind] }) => kind === 'Arn'));
  }

  get scheduled() {
    const targets = this.ofType('AWS::Events::Rule').flatMap(([, rule]) => rule.Targets);
    return this.functionsOf(targets.map(({ Arn }) => ({ id: Arn['Fn::GetAtt'][0] })));
  }

  /** `{ id, name, deadLetters }` of each queue; its name has no stage at its end. */
  get queues() {
    const deadLetters = new Set(deadLetterTargets(this.resources));
    return this.ofType('AWS::SQS::Queue').map(([id, { QueueName }]) => ({
      id,
      name: this.withoutStage(QueueName),
      deadLetters: deadLetters.has(id),
    }));
  }

  /** `{ id, name }` of each topic. */
  get topics() {
    return this.ofType('AWS::SNS::Topic').map(([id, { TopicName }]) => ({
      id,
      name: this.withoutStage(TopicName),
    }));
  }

  /** `{ id, key }` of each route that asks for no token, such as `GET /health` or `$default`. */
  get publicRoutes() {
    return this.ofType('AWS::ApiGatewayV2::Route')
      .filter(([, { AuthorizationType = 'NONE' }]) => AuthorizationType === 'NONE')
      .map(([id, { RouteKey }]) => ({ id, key: RouteKey }));
  }

  get mappings() {
    return this.ofType('AWS::Lambda::EventSourceMapping').map(([, mapping]) => ({
      id: mapping.FunctionName['Fn::GetAtt'][0],
      from: mapping.EventSourceArn['Fn::GetAtt'],
    }));
  }

  functionsOf(triggers) {
    const ids = new Set(triggers.map(({ id }) => id));
    return this.functions.filter(({ id }) => ids.has(id));
  }

  withoutStage(name) {
    const ending = `-${this.stage}`;
    return name.endsWith(ending) ? name.slice(0, -ending.length) : name;
  }
}

/** The logical ids of what any resource names as the place for what failed. */
function* deadLetterTargets(value) {
  if (value === null || typeof value !== 'object') return;
  for (const [key, inner] of Object.entries(value)) {
    const reference = inner?.['Fn::GetAtt'] ?? (inner?.Destination ?? inner?.Arn)?.['Fn::GetAtt'];
    if (DEAD_LETTERS.includes(key) && reference) yield reference[0];
    else yield* deadLetterTargets(inner);
  }
}

module.exports = Template;
