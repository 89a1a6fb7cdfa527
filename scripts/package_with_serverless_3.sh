#!/bin/sh
# Packages the service with the last Serverless Framework v3 instead of osls and compares the two
# templates, which are to be the same but for the time in the code's address. It takes one setting:
# v3's schema ends at python3.11, so that its complaint about python3.13 must be a warning.
set -eu
cd "$(dirname "$0")/.."
home=build/serverless-3
mkdir -p "$home"
cp -R serverless.yml infra "$home/"
cat > "$home/package.json" <<'JSON'
{
  "private": true,
  "devDependencies": {
    "serverless": "3.40.0",
    "serverless-iam-roles-per-function": "3.2.0",
    "serverless-offline": "14.8.2"
  }
}
JSON
# serverless-offline asks for v4 as its peer; for packaging any will do.
(cd "$home" && npm install --silent --no-package-lock --legacy-peer-deps --ignore-scripts)
scripts/compile_template.sh prod
: > "$home/no-code.zip"
(cd "$home" && CONFIG_VALIDATION_MODE=warn SLS_TELEMETRY_DISABLED=1 ORDERS_ARTIFACT=no-code.zip \
    JWT_ISSUER=https://issuer.example.com/ JWT_AUDIENCE=orders \
    node_modules/.bin/serverless package --stage prod --package template)

comparable() {
    sed 's#serverless/orders/prod/[^/]*/#serverless/orders/prod/TIME/#' \
        "$1/cloudformation-template-update-stack.json" | python3 -m json.tool --sort-keys
}
comparable build/template/prod > "$home/osls.json"
comparable "$home/template" > "$home/serverless-3.json"
diff "$home/osls.json" "$home/serverless-3.json"
echo "serverless 3.40.0 compiles the same template: $(wc -l < "$home/osls.json") lines."
