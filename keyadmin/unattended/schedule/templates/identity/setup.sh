#!/bin/sh
# Makes the account that @DOES@ and a role of exactly the permissions it needs, and binds it where @ITS_KEYS@ are.
# Run it as somebody who may administer roles there. It may be run again at any time: what is there is brought up to date.
set -eu

HOME_PROJECT="@PROJECT@"
ACCOUNT="@ACCOUNT@"
# The projects whose keys are @DONE@.
PROJECTS="@PROJECTS@"
#if SECRETS_FILE
# Other projects that hold secrets which keys are handed to; the account gets a role for the secrets there.
SECRET_PROJECTS="@SECRET_PROJECTS@"
#end
# Or whole folders and organisations, by number. A role for folders is kept in their organisation: name that too.
FOLDERS="@FOLDERS@"
ORGANIZATION="@ORGANIZATION@"
WHOLE_ORGANIZATION="@WHOLE_ORGANIZATION@" # yes = all projects of ORGANIZATION
ROLE_FILES="@ROLE_FILES@"
@PATTERNS@
cd "$(dirname "$0")"

stop() {
  echo "setup.sh: $*" >&2
  exit 1
}

# put_role --project=ID|--organization=N ROLE FILE: make the role, bring it back, or bring it up to date.
put_role() {
  deleted=$(gcloud iam roles describe "$2" "$1" --format="value(deleted)" 2>/dev/null) || deleted=absent
  if [ "$deleted" = absent ]; then
    gcloud iam roles create "$2" "$1" --file="$3" >/dev/null ||
      stop "the role $2 cannot be made ($1): it takes iam.roles.create there (roles/iam.roleAdmin)"
  else
    [ "$deleted" != True ] || gcloud iam roles undelete "$2" "$1" >/dev/null
    gcloud iam roles update "$2" "$1" --file="$3" --quiet >/dev/null ||
      stop "the role $2 cannot be changed ($1): it takes iam.roles.update there (roles/iam.roleAdmin)"
  fi
  echo "The role $2 is as it should be ($1)."
}

# bind ROLE NAME COMMAND...: give the account the role. A new account is not known everywhere at once, hence several tries.
bind() {
  role=$1 name=$2 tries=0
  shift 2
  until "$@" add-iam-policy-binding "$name" --condition=None --member="serviceAccount:$ACCOUNT" --role="$role" >/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 6 ] || stop "$name: the role $role cannot be given: it takes setIamPolicy there (roles/owner or the like)"
    sleep 10
  done
  echo "$ACCOUNT has $role on $name."
}

command -v gcloud >/dev/null || stop "gcloud is not installed: see https://cloud.google.com/sdk/docs/install"
for file in $ROLE_FILES; do
  [ -r "$file" ] || stop "$file is not beside this script: print it again with keyadmin @JOB@ schedule"
done
for project in "$HOME_PROJECT" $PROJECTS@AND_SECRET_PROJECTS@; do
  gcloud projects describe "$project" --format="value(projectId)" >/dev/null ||
    stop "project $project: it does not exist or you may not see it (resourcemanager.projects.get)"
done
if [ -n "$FOLDERS$WHOLE_ORGANIZATION" ] && [ -z "$ORGANIZATION" ]; then
  stop "ORGANIZATION is empty: name the organisation (its number), in which the role for folders is kept"
fi
if [ -z "$PROJECTS$FOLDERS$WHOLE_ORGANIZATION" ]; then
  stop "PROJECTS is empty: name the projects whose keys are @DONE@, or FOLDERS, or ORGANIZATION with WHOLE_ORGANIZATION=yes"
fi

# A service account's calls are charged to its own project, whatever project they are about: the APIs have to be on there.
gcloud services enable @APIS@ --project="$HOME_PROJECT" >/dev/null ||
  stop "the APIs cannot be enabled in $HOME_PROJECT: it takes serviceusage.services.enable"

gcloud iam service-accounts describe "$ACCOUNT" --project="$HOME_PROJECT" >/dev/null 2>&1 ||
  gcloud iam service-accounts create @ACCOUNT_ID@ --project="$HOME_PROJECT" --display-name="keyadmin @JOB@" >/dev/null ||
  stop "the account $ACCOUNT cannot be made: it takes iam.serviceAccounts.create in $HOME_PROJECT"

for project in $PROJECTS; do
  put_role --project="$project" @ROLE@ @ROLE_FILE@
  bind "projects/$project/roles/@ROLE@" "$project" gcloud projects
done
#if SECRETS_FILE
for project in $SECRET_PROJECTS; do
  put_role --project="$project" @SECRETS_ROLE@ @SECRETS_FILE@
  bind "projects/$project/roles/@SECRETS_ROLE@" "$project" gcloud projects
done
#end
if [ -n "$FOLDERS$WHOLE_ORGANIZATION" ]; then
  put_role --organization="$ORGANIZATION" @ROLE@ @ROLE_FILE@
  for folder in $FOLDERS; do
    bind "organizations/$ORGANIZATION/roles/@ROLE@" "$folder" gcloud resource-manager folders
  done
  if [ -n "$WHOLE_ORGANIZATION" ]; then
    bind "organizations/$ORGANIZATION/roles/@ROLE@" "$ORGANIZATION" gcloud organizations
  fi
fi
