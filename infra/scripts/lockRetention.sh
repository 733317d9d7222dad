#!/usr/bin/env bash
# Locks the retention policy of the container with the backups. THIS CANNOT BE UNDONE, by nobody.
# Without --execute it only tells what it would do. Needs the Azure CLI, signed in as somebody who may write to the account.
set -euo pipefail

api_version=2025-06-01
subscription=''
resource_group=''
account=''
container=keyvault-backups
executes=false

usage() {
  cat <<'USAGE'
Usage: lockRetention.sh --resource-group GROUP --account ACCOUNT [--container NAME] [--subscription ID] [--execute]

  --container     default keyvault-backups
  --subscription  default: the one that az has chosen
  --execute       lock the policy, after the name of the container was typed; without it nothing is changed

Exit codes: 0 done, or nothing to do; 1 failed; 2 usage; 3 not confirmed.
USAGE
}

fail() {
  printf '%s\n' "$1" >&2
  exit "${2:-1}"
}

while [ $# -gt 0 ]; do
  case "$1" in
    --help)
      usage
      exit 0
      ;;
    --execute)
      executes=true
      shift
      ;;
    --subscription | --resource-group | --account | --container)
      [ $# -ge 2 ] || fail "$1 needs a value" 2
      case "$1" in
        --subscription) subscription=$2 ;;
        --resource-group) resource_group=$2 ;;
        --account) account=$2 ;;
        --container) container=$2 ;;
      esac
      shift 2
      ;;
    *)
      usage >&2
      fail "Unknown argument: $1" 2
      ;;
  esac
done

if [ -z "$resource_group" ] || [ -z "$account" ]; then
  usage >&2
  fail 'Both --resource-group and --account are needed.' 2
fi
command -v az >/dev/null || fail 'There is no az: https://learn.microsoft.com/cli/azure/install-azure-cli'
if [ -z "$subscription" ]; then subscription=$(az account show --query id --output tsv); fi

policy="/subscriptions/$subscription/resourceGroups/$resource_group/providers/Microsoft.Storage/storageAccounts/$account"
policy="$policy/blobServices/default/containers/$container/immutabilityPolicies/default"
fields="join('|', [properties.state, to_string(properties.immutabilityPeriodSinceCreationInDays), etag])"

read_policy() {
  az rest --method get --url "$policy?api-version=$api_version" --query "$fields" --output tsv
}

found=$(read_policy) || fail "The policy of $container could not be read: nothing was changed."
IFS='|' read -r state days etag <<<"$found"
if [ -z "$etag" ] || [ "$days" = null ]; then fail "The container $container has no retention policy. Deploy first."; fi

printf 'Account    %s\nContainer  %s\nState      %s\nRetention  %s days from the creation of each blob\n' \
  "$account" "$container" "$state" "$days"
if [ "$state" = Locked ]; then
  printf 'It is locked already. Nothing to do.\n'
  exit 0
fi
[ "$state" = Unlocked ] || fail "The state $state is unknown: nothing was changed."

cat <<WARNING

Locking CANNOT BE UNDONE, not by an owner of the subscription and not by Microsoft:
- no blob can be changed or deleted for $days days after it was made, and you pay for it as long;
- the retention can be made longer, five times at the most, and never shorter;
- the container, the account and the resource group cannot be deleted while a blob is held: azd down fails.
WARNING

if [ "$executes" = false ]; then
  printf '\nDry run: nothing was changed. With --execute this would be sent:\n  POST %s/lock?api-version=%s\n  If-Match: %s\n' \
    "$policy" "$api_version" "$etag"
  exit 0
fi

printf '\nType the name of the container to lock it for %s days: ' "$days"
IFS= read -r typed || typed=''
[ "$typed" = "$container" ] || fail 'That is not its name: nothing was changed.' 3

# The etag: if anybody changed the policy since it was shown, Azure refuses.
az rest --method post --url "$policy/lock?api-version=$api_version" --headers "If-Match=$etag" --output none ||
  fail 'Azure did not lock it. Run this again without --execute to see what holds now.'

locked=$(read_policy) || fail 'It was locked, but the policy could not be read again. Look at it before you go on.'
case "$locked" in
  "Locked|$days|"*) ;;
  *) fail "Azure answered, but the policy is not as expected: $locked" ;;
esac
cat <<NEXT
Locked for $days days.
Tell the deployment, which then leaves the policy alone:
  azd env set KVB_RETENTION_POLICY_STATE locked
  azd env set KVB_LOCK_CONFIRMED $container
NEXT
