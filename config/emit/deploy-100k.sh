<%
const all = regions.split(",");
// The other regions take over when one fails.
const share = (whole) => Math.ceil(whole / Math.max(1, all.length - 1));
-%>
#!/bin/sh
# <%= writtenBy %>
# Deploys drover-tables.yaml, drover-region.yaml, drover-alarms.yaml and drover-edge.yaml, which are next to this script (drover emit
# cloudformation, drover emit cloudwatch). Without --run it prints the commands and changes nothing. Not run here: read it first.
#
#   CODE_BUCKET=my-code CODE_KEY=app-1.zip sh deploy-100k.sh          # dry run
#   CODE_BUCKET=my-code CODE_KEY=app-1.zip sh deploy-100k.sh --run
#
# CODE_BUCKET is a prefix: Lambda reads code from its own region, so each region has its bucket, CODE_BUCKET-REGION.
# EMAIL gets the alarms. HOST_NAME with HOSTED_ZONE_ID and CERTIFICATE_ARN_<region with _> turns on latency routing.
# Account and credentials are those of your AWS CLI: this file holds no account id and no ARN.
#
# Before: drover plan --preset internet. 20,300 USD a month is 74,194 for the same 3 billion requests, which are 8.3 hours at 100,000 a second.
set -eu

NAME=<%= name %>
REGIONS='<%= all.join(" ") %>'
FIRST_REGION=<%= all[0] %>
CODE_BUCKET=${CODE_BUCKET:?the prefix of the buckets with the code}
CODE_KEY=${CODE_KEY:?the key of the code, another one for each release}
EMAIL=${EMAIL:-}
HOST_NAME=${HOST_NAME:-}
HOSTED_ZONE_ID=${HOSTED_ZONE_ID:-}
# Per region: the share of 100,000 requests a second and 20,000 executions that is left when another region fails.
THROTTLE_RATE=<%= share(100000) %>
THROTTLE_BURST=<%= 2 * share(100000) %>
RESERVED=<%= share(20000) %>
PROVISIONED=<%= share(5000) %>
# The reserved executions, and 100 that Lambda keeps for all other functions.
CONCURRENCY_QUOTA=<%= share(20000) + 100 %>

case "$HOST_NAME" in
*[!A-Za-z0-9.-]*) echo "HOST_NAME $HOST_NAME: expected a host name, such as api.example.org" >&2; exit 64 ;;
esac

cd "$(dirname "$0")"
run=no
case "${1:-}" in
'') ;;
--run) run=yes ;;
*) echo "usage: sh $0 [--run]" >&2; exit 64 ;;
esac

# Prints a command; runs it only with --run.
step() {
  printf '+'
  printf ' %s' "$@"
  printf '\n'
  if [ "$run" = yes ]; then "$@"; fi
}

deploy() { # region, stack, file, parameters
  region=$1 stack=$2 file=$3
  shift 3
  step aws cloudformation deploy --region "$region" --stack-name "$stack" --template-file "$file" \
    --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset --parameter-overrides "$@"
}

# Quotas are raised by AWS on request, which takes days: a deployment below them would throttle. The burst quota can't be requested.
quota() { # region, service, code, needed
  if [ "$run" = no ]; then
    echo "+ aws service-quotas get-service-quota --region $1 --service-code $2 --quota-code $3   # expected: $4 or more"
    return
  fi
  value=$(aws service-quotas get-service-quota --region "$1" --service-code "$2" --quota-code "$3" --query Quota.Value --output text)
  if [ "${value%.*}" -ge "$4" ]; then return; fi
  echo "$1: quota $3 of $2 is $value (expected $4 or more). Ask for it, wait until it is granted, then start again:" >&2
  echo "  aws service-quotas request-service-quota-increase --region $1 --service-code $2 --quota-code $3 --desired-value $4" >&2
  exit 75
}

for file in drover-tables.yaml drover-region.yaml drover-alarms.yaml drover-edge.yaml; do
  if [ ! -r "$file" ]; then echo "$file is missing: drover emit cloudformation; drover emit cloudwatch" >&2; exit 64; fi
done

echo '# 1. Quotas: requests a second of API Gateway (default 10,000), concurrent executions of Lambda (default 1,000)'
for region in $REGIONS; do
  quota "$region" apigateway L-8A5B8E43 "$THROTTLE_RATE"
  quota "$region" lambda L-B99A9384 "$CONCURRENCY_QUOTA"
done

echo '# 2. Tables, once: replicas are made in the other regions'
deploy "$FIRST_REGION" "$NAME-tables" drover-tables.yaml "Name=$NAME"

echo '# 3. Every region: gateway, function with a version behind an alias, alarms'
for region in $REGIONS; do
  certificate=''
  if [ -n "$HOST_NAME" ]; then
    variable=CERTIFICATE_ARN_$(printf %s "$region" | tr - _)
    eval "certificate=\${$variable:?the certificate of $region for $HOST_NAME}"
  fi
  deploy "$region" "$NAME-region" drover-region.yaml "Name=$NAME" "CodeBucket=$CODE_BUCKET-$region" "CodeKey=$CODE_KEY" \
    "ThrottleRate=$THROTTLE_RATE" "ThrottleBurst=$THROTTLE_BURST" "ReservedConcurrency=$RESERVED" "ProvisionedConcurrency=$PROVISIONED" \
    "HostName=$HOST_NAME" "HostedZoneId=$HOSTED_ZONE_ID" "CertificateArn=$certificate"
  deploy "$region" "$NAME-alarms" drover-alarms.yaml "Name=$NAME" "ConcurrencyThreshold=<%= Math.floor(share(20000) * 0.9) %>" "Email=$EMAIL"
done

echo '# 4. The edge, in us-east-1. Its origin: the name with latency routing, or the gateway of the first region'
if [ -n "$HOST_NAME" ]; then
  origin=$HOST_NAME path=
elif [ "$run" = yes ]; then
  origin=$(aws cloudformation describe-stacks --region "$FIRST_REGION" --stack-name "$NAME-region" \
    --query "Stacks[0].Outputs[?OutputKey=='ApiDomain'].OutputValue" --output text)
  path=/staging
else
  origin="API-OF-$FIRST_REGION" path=/staging
fi
deploy us-east-1 "$NAME-edge" drover-edge.yaml "OriginDomain=$origin" "OriginPath=$path" "Email=$EMAIL"

echo '# 5. Then measure, in steps, from several machines: drover emit k6 --users 100000 --split 4'
if [ "$run" = no ]; then echo '# Dry run: nothing was changed. --run executes these commands.'; fi
