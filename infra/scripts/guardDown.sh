#!/usr/bin/env bash
# Runs before `azd down`, which deletes every resource group that the deployment put something into, with all that is in
# it: also the group of a vault or of DNS zones that were there before. https://github.com/Azure/azure-dev/issues/2916
set -euo pipefail

# Written by azd from the outputs of main.bicep.
if [ -z "${FOREIGN_RESOURCE_GROUPS+set}" ]; then
  printf '%s\n' 'azd down is refused: it is not known which resource groups belong to others, as no deployment has ended well.' \
    'Delete the groups of this environment by name: az group delete --name NAME' >&2
  exit 1
fi
if [ -n "$FOREIGN_RESOURCE_GROUPS" ]; then
  printf '%s\n' 'azd down is refused: it would also delete these resource groups, which belong to others:' >&2
  printf '%s\n' "${FOREIGN_RESOURCE_GROUPS//,/$'\n'}" >&2
  printf '%s\n' 'docs/deploy.md tells how to take this deployment away without them.' >&2
  exit 1
fi
