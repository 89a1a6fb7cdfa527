'use strict';

/**
 * Leaves the template with the functions' own roles only, bounded if there is a boundary, and keeps
 * the stages of this machine off AWS.
 *
 * The framework always writes one role with the union of all permissions;
 * serverless-iam-roles-per-function copies from it and leaves it behind, unused. It also lets each
 * function make its log group, which the template has made, with its retention.
 */
class Safeguards {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = {
      'before:package:finalize': () => {
        this.removeUnionRole();
        this.removeLogGroupCreation();
      },
      'after:aws:package:finalize:mergeCustomProviderResources': () => this.boundRoles(),
      'before:deploy:deploy': () => {
        this.refuseAnotherStagesPackage();
        this.refuseStandInsOnAws();
      },
    };
  }

  removeUnionRole() {
    const { Resources: resources } =
      this.serverless.service.provider.compiledCloudFormationTemplate;
    delete resources.IamRoleLambdaExecution;
    const dangling = Object.entries(resources)
      .filter(([, resource]) => JSON.stringify(resource).includes('"IamRoleLambdaExecution"'))
      .map(([name]) => name);
    if (dangling.length > 0) {
      throw new this.serverless.classes.Error(
        `Without a role of their own (give each function iamRoleStatements): ${dangling.join(', ')}`
      );
    }
  }

  removeLogGroupCreation() {
    const { Resources: resources } =
      this.serverless.service.provider.compiledCloudFormationTemplate;
    for (const role of Object.values(resources).filter(({ Type }) => Type === 'AWS::IAM::Role')) {
      for (const statement of role.Properties.Policies[0].PolicyDocument.Statement) {
        statement.Action = statement.Action.filter((action) => action !== 'logs:CreateLogGroup');
      }
    }
  }

  boundRoles() {
    const { provider, custom } = this.serverless.service;
    const boundary = custom.stage.permissionsBoundary;
    if (boundary === null) return;
    const { Resources: resources } = provider.compiledCloudFormationTemplate;
    for (const role of Object.values(resources).filter(({ Type }) => Type === 'AWS::IAM::Role')) {
      role.Properties.PermissionsBoundary = boundary;
    }
  }

  /** With `--package` the template is that of the stage it was packaged for, names and issuer. */
  refuseAnotherStagesPackage() {
    const stage = this.serverless.getProvider('aws').getStage();
    const packagedFor = this.serverless.service.provider.stage;
    if (packagedFor !== stage) {
      throw new this.serverless.classes.Error(
        `This was packaged for the stage "${packagedFor}": package it for "${stage}" first.`
      );
    }
  }

  refuseStandInsOnAws() {
    const stage = this.serverless.getProvider('aws').getStage();
    // One service's own address, as AWS_ENDPOINT_URL_CLOUDFORMATION, goes before the common one.
    const endpoints = Object.entries(process.env)
      .filter(([name]) => name === 'AWS_ENDPOINT_URL' || name.startsWith('AWS_ENDPOINT_URL_'))
      .map(([, url]) => url);
    const emulated =
      'AWS_ENDPOINT_URL' in process.env &&
      endpoints.every((url) => url.startsWith('http://127.0.0.1:'));
    if (stage === 'offline' || (stage === 'local' && !emulated)) {
      throw new this.serverless.classes.Error(
        'A stand-in token issuer cannot go to AWS: use `make up` or `make offline`, or package ' +
          'another stage.'
      );
    }
  }
}

module.exports = Safeguards;
