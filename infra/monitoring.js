'use strict';

const alarms = require('./alarms');
const dashboard = require('./dashboard');
const operators = require('./operators');
const Template = require('./template');
const throttles = require('./throttles');

/**
 * Adds to the compiled template what follows from it: alarms, the dashboard, throttles and the
 * policies of operators.
 *
 * Whatever function, queue, topic or public route somebody adds is watched without being named
 * here.
 */
class Monitoring {
  constructor(serverless) {
    this.hooks = {
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        const { provider, custom } = serverless.service;
        const document = provider.compiledCloudFormationTemplate;
        const template = new Template(document, provider.stage);
        throttles(template, document.Resources.HttpApiStage);
        for (const { Resources, Outputs } of [
          alarms(template, custom.stage),
          dashboard(template, custom.stage),
          operators(template, custom.stage),
        ]) {
          Object.assign(document.Resources, Resources);
          Object.assign(document.Outputs, Outputs);
        }
      },
    };
  }
}

module.exports = Monitoring;
