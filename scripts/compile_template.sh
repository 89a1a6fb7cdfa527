#!/bin/sh
# Compiles the CloudFormation template of a stage, to look at: with an example issuer, no AWS
# credentials and no code. `compile_template.sh prod` writes to build/template/prod, with parameters
# such as `eventsTopic=true` to build/template/prod-eventsTopic-true.
set -eu
cd "$(dirname "$0")/.."
folder=build/template/$(printf %s "$*" | tr -c '[:alnum:]' -)
stage=$1
shift
for parameter in "$@"; do
    set -- "$@" --param="$parameter"
    shift
done
mkdir -p build/template
: > build/template/no-code.zip
export JWT_ISSUER=https://issuer.example.com/ JWT_AUDIENCE=orders \
    ORDERS_ARTIFACT=build/template/no-code.zip SLS_SCHEMA_CACHE_BASE_DIR=$PWD/.local/osls
# Whoever stops this stops osls.
exec node_modules/.bin/osls package --stage "$stage" --package "$folder" "$@" >&2
