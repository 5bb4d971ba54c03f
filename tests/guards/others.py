"""Sinks of other systems, and those of other packages."""

from __future__ import annotations

from tests.guards.guard import Guard

K8S = "tests/handover/test_kubernetes.py"
GITHUB = "tests/handover/test_github_actions.py"
VAULT = "tests/handover/test_vault.py"
AWS = "tests/handover/test_aws.py"
FILE = "tests/handover/test_file.py"
PLUGINS = "tests/handover/test_plugins.py"
_KUBERNETES = "handover/sinks/kubernetes.py"
_GITHUB = "handover/sinks/github_actions.py"
_VAULT = "handover/sinks/vault.py"
_AWS = "handover/sinks/aws_secrets_manager.py"
_PLUGINS = "handover/plugins.py"

GUARDS = [
    Guard(
        "another manager's entry is not taken over",
        _KUBERNETES,
        "fieldManager={MANAGER}&force=false",
        "fieldManager={MANAGER}&force=true",
        (f"{K8S}::test_another_managers_entry_is_named_and_not_taken_over",),
    ),
    Guard(
        "immutable Secrets are refused",
        _KUBERNETES,
        'if secret.get("immutable"):',
        "if False:",
        (f"{K8S}::test_immutable_secrets_and_other_types_are_refused_before_anything",),
    ),
    Guard(
        "a restart is made once a change",
        _KUBERNETES,
        'if (template.get("annotations") or {}).get(_RESTARTED) == version:',
        "if False:",
        (f"{K8S}::test_a_workload_restarts_once_for_a_change",),
    ),
    Guard(
        "a context is taken once",
        _KUBERNETES,
        "if not found.context and not config.in_cluster():",
        "if False:",
        (f"{K8S}::test_a_context_is_taken_once_and_is_part_of_the_sink",),
    ),
    Guard(
        "an unverified cluster gets no key",
        "handover/kubernetes/config.py",
        'if described.get("insecure-skip-tls-verify"):',
        "if False:",
        (f"{K8S}::test_unverified_clusters_and_plain_http_elsewhere_are_refused",),
    ),
    Guard(
        "credentials programs inherit no key",
        "handover/kubernetes/exec_plugin.py",
        "env=environment() | variables,",
        "env={**__import__('os').environ, **variables},",
        (f"{K8S}::test_a_credentials_program_is_run_and_gets_no_key",),
    ),
    Guard(
        "something else than the system is told apart",
        "handover/http.py",
        "    if answer.data is None:\n        return Problem(",
        "    if False:\n        return Problem(",
        (f"{K8S}::test_something_else_than_kubernetes_is_told_apart",),
    ),
    Guard(
        "a key does not cross the network in the clear",
        "handover/http.py",
        'if parts.scheme != "https" and not is_loopback(parts.hostname or ""):',
        "if False:",
        (f"{VAULT}::test_settings_that_do_not_work_are_said",),
    ),
    Guard(
        "all pages of repositories are kept",
        _GITHUB,
        "if len(found) < _PAGE:",
        "if True:",
        (f"{GITHUB}::test_an_organisations_secret_keeps_its_repositories",),
    ),
    Guard(
        "names of any case are one place",
        _GITHUB,
        "{parse(value).written().lower()}",
        "{parse(value).written()}",
        (f"{GITHUB}::test_names_of_any_case_are_one_place",),
    ),
    Guard(
        "the other fields of a secret in Vault are kept",
        _VAULT,
        '"data": {**found.fields, self._field: key.reveal()}}',
        '"data": {self._field: key.reveal()}}',
        (f"{VAULT}::test_the_field_is_written_and_the_others_kept",),
    ),
    Guard(
        "what others write in between is kept",
        _VAULT,
        'body = {"options": {"cas": found.version}, ',
        'body = {"options": {}, ',
        (f"{VAULT}::test_what_others_write_in_between_is_kept",),
    ),
    Guard(
        "engines without versions are refused",
        _VAULT,
        'if described.get("type") not in (None, "kv") or version != "2":',
        "if False:",
        (f"{VAULT}::test_engines_without_versions_are_refused",),
    ),
    Guard(
        "an unverified Vault gets no key",
        "handover/vault.py",
        'if _variable("SKIP_VERIFY").lower() in ("1", "true", "t"):',
        "if False:",
        (f"{VAULT}::test_settings_that_do_not_work_are_said",),
    ),
    Guard(
        "going back makes a version of its own",
        _AWS,
        'f"{before}\\n{text}"',
        "text",
        (f"{AWS}::test_a_former_key_becomes_the_current_one_again",),
    ),
    Guard(
        "a parameter in the clear is refused",
        "handover/sinks/aws_ssm.py",
        'if parameter.get("Type") != "SecureString":',
        "if False:",
        (f"{AWS}::test_a_parameter_in_the_clear_is_refused",),
    ),
    Guard(
        "boto's records do not hold the key",
        "handover/aws.py",
        "logging.getLogger(name).setLevel(logging.WARNING)",
        "logging.getLogger(name).setLevel(logging.DEBUG)",
        (f"{AWS}::test_nothing_that_boto_logs_holds_the_key",),
    ),
    Guard(
        "a file of something else is not replaced",
        "handover/sinks/file.py",
        "if len(words) > 1:",
        "if False:",
        (f"{FILE}::test_a_file_of_something_else_is_not_replaced",),
    ),
    Guard(
        "plug-ins leave the sandbox with the flag alone",
        _PLUGINS,
        "        outside = True\n",
        "        outside = bool(inner.outside)\n",
        (f"{PLUGINS}::test_a_sandbox_key_leaves_with_the_flag_alone",),
    ),
]
