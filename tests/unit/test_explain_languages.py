"""explain(): what decides in any language - ids of constraints, names of permissions - and the names beside it."""

from __future__ import annotations

import random

import pytest

from keyadmin.access.explain import explain
from keyadmin.data import all_permissions, org_constraints
from keyadmin.model.problem import Cause

POLICY_SENTENCES = (
    "組織のポリシーで許可されていません。制約: {}",
    "操作被组织政策拒绝（{}）。",
    "Vorgang durch Organisationsrichtlinie {} abgelehnt.",
)


@pytest.mark.parametrize("constraint", sorted(org_constraints()))
def test_each_constraint_decides_by_its_bare_id(constraint: str) -> None:
    for sentence in POLICY_SENTENCES:
        found = explain(sentence.format(constraint))
        assert found.cause.value.startswith("org-policy-")
        assert found.cause is not Cause.ORG_POLICY_CONSTRAINT or found.found.constraint == constraint


@pytest.mark.parametrize(
    "sentence",
    [
        "Required '{}' permission for 'projects/demo-shop-1'",
        "Caller is missing IAM permission {} on resource projects/demo-shop-1",
        "Google Cloud: 缺少权限 {}",
        "Для этого действия нужно разрешение {} в проекте",
        "Fehlende Berechtigungen: {}",
        "Vous ne disposez pas de l'autorisation {} sur ce projet",
        "この操作には {} の権限が必要です",
    ],
)
def test_each_permission_that_a_role_holds_is_read_in_any_sentence(sentence: str) -> None:
    names = sorted(
        name for name in all_permissions() if "/" not in name and name.count(".") == 2 and len(name.split(".")[0]) > 2
    )
    looked = {"resourcemanager.projects.get", "serviceusage.services.use", "serviceusage.services.enable"}
    for name in random.Random(15).sample([each for each in names if each not in looked], 40):
        found = explain(sentence.format(name))
        assert found.permission == name
        assert found.cause is Cause.MISSING_IAM_PERMISSION


@pytest.mark.parametrize(
    "text",
    [
        "INFO compute.instances.list took 212 ms",
        "AttributeError: module 'compute.instances.list' has no attribute 'x'",
        "storage.buckets.list() permission",
        "INVALID_ARGUMENT: Permission resourcemanager.projects.create is not valid for this resource.",
    ],
)
def test_a_permissions_name_alone_is_no_refusal(text: str) -> None:
    assert explain(text).cause is not Cause.MISSING_IAM_PERMISSION


@pytest.mark.parametrize(
    ("text", "project"),
    [
        ("Sie benötigen Zugriff auf das Projekt: demo-shop-1. Fehlende Berechtigungen: storage.buckets.list", "demo-shop-1"),
        ("você não tem a permissão run.services.get no projeto 'demo-shop-1'", "demo-shop-1"),
        ("compute.firewalls.create の権限が必要です（プロジェクト「demo-shop-1」）", "demo-shop-1"),
        ("нет разрешения run.services.get в проекте demo-shop-1", "demo-shop-1"),
        ("프로젝트 demo-shop-1에 run.services.get 권한이 없습니다", "demo-shop-1"),
        ("Le projet « demo-shop-1 » : autorisation run.services.get", "demo-shop-1"),
        (
            "ERROR: (gcloud.projects.add-iam-policy-binding) [someone@example.com] does not have permission to access projects "
            "instance [demo-shop-1:setIamPolicy] (or it may not exist): Policy update access denied.",
            "demo-shop-1",
        ),
    ],
)
def test_the_project_is_read_in_other_languages(text: str, project: str) -> None:
    assert explain(text).project == project


@pytest.mark.parametrize(
    "page",
    [
        "Accès bloqué : la demande de cette application n'est pas valide\nErreur 400 : redirect_uri_mismatch",
        "액세스 차단됨\n403 오류: access_denied",
        "Zugriff blockiert: Diese App wurde nicht überprüft\nFehler 403: access_denied",
        "Error 401: deleted_client",
        "禁止访问：此应用的请求无效\n错误 400：redirect_uri_mismatch",
        "エラー 403: org_internal",
    ],
)
def test_the_sign_in_page_names_its_error_in_every_language(page: str) -> None:
    assert explain(page).cause is Cause.OAUTH_CLIENT_MISCONFIGURED


@pytest.mark.parametrize(
    "sentence",
    [
        "Sie sind nicht berechtigt, in diesem Projekt einen Schlüssel zu erstellen",
        "Du hast keine Berechtigung, in diesem Projekt einen API-Schlüssel zu erstellen",
        "Vous n'avez pas l'autorisation nécessaire pour créer une clé dans ce projet",
        "Não tem autorização para criar uma chave neste projeto",
        "No tienes autorización para crear claves en este proyecto",
        "Nie masz uprawnień do tworzenia klucza w tym projekcie",
        "Je hebt geen toestemming om een sleutel te maken in dit project",
        "Bạn không có quyền tạo khoá trong dự án này",
        "คุณไม่มีสิทธิ์สร้างคีย์ในโปรเจ็กต์นี้",
        "您沒有在這個專案中建立金鑰的權限",
        "ليس لديك إذن لإنشاء مفتاح في هذا المشروع",
    ],
)
def test_ai_studios_button_in_more_languages(sentence: str) -> None:
    found = explain(sentence)
    assert found.cause is Cause.MISSING_IAM_PERMISSION
    assert "keyadmin doctor" in found.fix[0]
