"""What `--help` shows as examples, by command. Read when help is asked for; a test types every line."""

from __future__ import annotations

from typing import Final

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "doctor": (
        "keyadmin doctor my-project",
        "keyadmin doctor my-project --for rotate --message",
        "keyadmin doctor my-project --apply --member user:newcomer@example.com",
    ),
    "explain": (
        "keyadmin explain 'API key expired. Please renew the API key.'",
        "terraform apply 2>&1 | keyadmin explain -",
    ),
    "audit": (
        "keyadmin audit --organization example.com",
        "keyadmin audit --projects shop,web --fail-on medium --output audit.sarif",
        "keyadmin audit --group-by owner --min-severity high",
        "keyadmin audit --baseline monday.json --fail-on low",
    ),
    "audit accept": (
        "keyadmin audit accept map --rule key-too-old --reason kiosk --until 180d",
        "keyadmin audit accept -p shop --rule too-many-keys --reason 'few' --until 90d",
    ),
    "audit fix": (
        "keyadmin audit fix --organization example.com --out plan.json",
        "keyadmin audit fix --apply plan.json --wave 10% --only",
        "keyadmin audit fix -p my-project --clients clients.csv",
    ),
    "audit undo": (
        "keyadmin audit undo plan.json --dry-run",
        "keyadmin audit undo plan.json --key web",
    ),
    "audit diff": (
        "keyadmin audit diff monday.json today.json",
        "keyadmin audit diff monday.json today.json --format html",
    ),
    "audit history": ("keyadmin audit history --format csv",),
    "audit schedule": (
        "keyadmin audit schedule cron -p my-project --every weekly",
        "keyadmin audit schedule kubernetes --folder 12 --account-project my-project",
        "keyadmin audit schedule cron -p my-project --notify webhook-from-env:HOOK",
    ),
    "scan": (
        "keyadmin scan . --history",
        "keyadmin scan src tests --offline --allow .keyadmin-allow",
    ),
    "snippet": (
        "keyadmin snippet python",
        "keyadmin snippet rest --api generate-content",
    ),
    "completion": (
        'eval "$(keyadmin completion bash)"',
        "keyadmin completion zsh --install",
    ),
    "keys create": (
        "keyadmin keys create --name web --to env-file:.env",
        "keyadmin keys create --name web -p my-project --key-id web --if-absent",
        "keyadmin keys create --name map --standard --api-target places.googleapis.com",
    ),
    "keys clone": ("keyadmin keys clone web --into other-project",),
    "keys list": (
        "keyadmin keys list --all-projects --all --format csv",
        "keyadmin keys list --filter 'keyType=standard age>90d' --sort ~age",
        "keyadmin keys list --all --fields displayName,restrictions.apiTargets.service",
    ),
    "keys describe": ("keyadmin keys describe web",),
    "keys restrict": (
        "keyadmin keys restrict web",
        "keyadmin keys restrict web --allowed-ips 192.0.2.0/24,198.51.100.7",
        "keyadmin keys restrict maps --api-target maps-backend.googleapis.com",
    ),
    "keys unrestrict": ("keyadmin keys unrestrict web --clients",),
    "keys rename": ("keyadmin keys rename web 'Web server'",),
    "keys annotate": (
        "keyadmin keys annotate web team=search stage=prod",
        "keyadmin keys annotate web --remove stage",
    ),
    "keys delete": ("keyadmin keys delete web",),
    "keys undelete": (
        "keyadmin keys undelete web",
        "keyadmin keys undelete --key-from-env GEMINI_API_KEY",
    ),
    "keys rotate": ("keyadmin keys rotate web --to secret-manager:projects/my-shop/secrets/gemini",),
    "keys migrate": ("keyadmin keys migrate old-key --to env-file:.env --grace 7d",),
    "keys compromised": ("keyadmin keys compromised web --to env-file:.env",),
    "keys usage": (
        "keyadmin keys usage",
        "keyadmin keys usage web",
    ),
    "keys hand-over": ("keyadmin keys hand-over web --to env-file:.env:GOOGLE_API_KEY",),
    "keys show": ("KEY=$(keyadmin keys show web)",),
    "keys verify": (
        "keyadmin keys verify web",
        "keyadmin keys verify --key-from-env GEMINI_API_KEY",
    ),
    "keys lookup": ("pass gemini | keyadmin keys lookup -",),
    "rotation init": ("keyadmin rotation init", "keyadmin rotation init --schema --force"),
    "rotation plan": ("keyadmin rotation plan --only web",),
    "rotation run": (
        "keyadmin rotation run --dry-run",
        "keyadmin rotation run --limit 50 --notify 'exec:notify-send keyadmin'",
    ),
    "rotation status": ("keyadmin rotation status --format json",),
    "rotation migrate": (
        "keyadmin rotation migrate --organization 123456789012 --dry-run",
        "keyadmin rotation migrate --projects shop --to 'env-file:{name}.env' --dry-run",
    ),
    "rotation adopt": ("keyadmin rotation adopt web",),
    "rotation rollback": ("keyadmin rotation rollback web --to env-file:.env",),
    "rotation schedule": (
        "keyadmin rotation schedule cron --every weekly",
        "keyadmin rotation schedule cloud-run -p my-project --output deploy",
    ),
    "guard plan": (
        "keyadmin guard plan --organization 123456789012 --rehearse",
        "keyadmin guard plan --folder 123 --constraint gemini-alone --as terraform",
    ),
    "guard apply": (
        "keyadmin guard apply --organization 123456789012",
        "keyadmin guard apply --folder 123 --except-tag 123456789012/env=lab",
    ),
    "guard status": ("keyadmin guard status --organization 123456789012",),
    "guard remove": ("keyadmin guard remove --folder 123 --dry-run",),
    "projects list": ("keyadmin projects list --all --apis --keys",),
    "projects search": (
        "keyadmin projects search shop",
        "keyadmin projects search 'labels.team:blue'",
    ),
    "projects describe": ("keyadmin projects describe my-project",),
    "projects import": (
        "keyadmin projects import shop-prod shop-test",
        "keyadmin projects import --search shop",
    ),
    "projects forget": ("keyadmin projects forget shop-test",),
    "projects use": ("keyadmin projects use my-project",),
    "projects default": ("keyadmin projects default --yes",),
    "projects create": (
        "keyadmin projects create my-shop --name 'My shop' --with-key web",
        "keyadmin projects create --count 5 --name Lab --parent folders/123",
    ),
    "projects rename": ("keyadmin projects rename my-shop 'The new shop'",),
    "projects enable": (
        "keyadmin projects enable my-shop",
        "keyadmin projects enable my-shop translate.googleapis.com",
    ),
    "projects disable": ("keyadmin projects disable my-shop translate.googleapis.com",),
    "projects delete": ("keyadmin projects delete my-shop",),
    "projects undelete": ("keyadmin projects undelete my-shop",),
    "env show": ("keyadmin env show",),
    "env set": (
        "keyadmin env set web",
        "keyadmin env set web --shell dotenv --variable GOOGLE_API_KEY",
    ),
    "env restore": ("keyadmin env restore ~/.bashrc", "keyadmin env restore --list"),
    "env unset": ("keyadmin env unset --shell dotenv",),
    "tokens create": ("TOKEN=$(keyadmin tokens create web --uses 1 --expire 30m)",),
    "sandbox serve": (
        "keyadmin sandbox serve --rest-port 8080 --state sandbox.db",
        "keyadmin sandbox serve --ready-file ready.json --latency recorded",
    ),
    "sandbox seed": ("keyadmin sandbox seed projects.json",),
    "sandbox reset": ("keyadmin sandbox reset --yes",),
    "sandbox env": ('eval "$(keyadmin sandbox env --ready-file ready.json)"',),
    "config get": ("keyadmin config get project",),
    "config set": (
        "keyadmin config set project my-project",
        "keyadmin config set quota-project ''",
    ),
    "config list": ("keyadmin config list",),
}
