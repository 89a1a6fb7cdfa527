#!/bin/sh
# Compiles the CloudFormation template of a stage into build/template/STAGE, to look at: with an
# example issuer, no AWS credentials and no code.
set -eu
cd "$(dirname "$0")/.."
stage=$1
mkdir -p build/template
: > build/template/no-code.zip
export JWT_ISSUER=https://issuer.example.com/ JWT_AUDIENCE=orders \
    ORDERS_ARTIFACT=build/template/no-code.zip SLS_SCHEMA_CACHE_BASE_DIR=$PWD/.local/osls
# Whoever stops this stops osls.
exec node_modules/.bin/osls package --stage "$stage" --package "build/template/$stage" >&2
