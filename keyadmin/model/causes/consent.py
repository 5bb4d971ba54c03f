"""What Google's sign-in page says in the languages it has: its own sentences, as people paste them.

The English ones stand in the cause's entry. https://accounts.google.com with `hl=de`, `fr` ...; collected from public
repositories whose readers met them.
"""

from __future__ import annotations

from typing import Final

# "Access blocked: this app's request is invalid", "... authorization error"
REQUEST: Final = (
    *("zugriff blockiert: die anfrage", "zugriff blockiert: autorisierungsfehler", "zugriff blockiert: * ungültig"),
    *("accès bloqué : la demande", "accès bloqué : erreur d'autorisation", "accès bloqué: la demande"),
    *("acceso bloqueado: la solicitud de", "acceso bloqueado: error de autorización"),
    *("acesso bloqueado: a solicitação", "acesso bloqueado: o pedido", "acesso bloqueado: erro de autorização"),
    *("accesso bloccato: la richiesta", "accesso bloccato: errore di autorizzazione"),
    *(
        "アクセスをブロック: このアプリのリクエスト",
        "アクセスをブロック: 認証エラー",
        "アクセスをブロック: * のリクエストは無効",
    ),
    *("액세스 차단됨: 이 앱의 요청", "액세스 차단됨: 승인 오류", "액세스 차단됨: * 요청이"),
    *("禁止访问：此应用的请求无效", "访问被阻止：此应用的请求无效", "禁止访问：授权错误", "无法登录，因为此应用发送的请求无效"),
    *("已封鎖存取權：這個應用程式的要求無效", "存取遭到封鎖：這個應用程式", "已封鎖存取權：授權錯誤", "已封鎖存取權：「"),
    *("доступ заблокирован: недопустимый запрос", "доступ заблокирован: ошибка авторизации"),
    *("dostęp zablokowany: błąd autoryzacji", "dostęp zablokowany: żądanie", "dostęp zablokowany: nieprawidłowe żądanie"),
    *("erişim engellendi: bu uygulamanın isteği", "erişim engellendi: yetkilendirme hatası"),
    *("akses diblokir: permintaan aplikasi", "akses diblokir: error otorisasi", "akses diblokir: kesalahan otorisasi"),
    *("đã chặn quyền truy cập: yêu cầu của ứng dụng", "truy cập bị chặn: yêu cầu của ứng dụng"),
    *("toegang geblokkeerd: het verzoek van", "toegang geblokkeerd: autorisatiefout"),
)
# "This app is blocked"
BLOCKED: Final = (
    *(
        "此应用已被阻止",
        "此應用程式已遭封鎖",
        "此應用程式遭到封鎖",
        "このアプリはブロックされます",
        "このアプリはブロックされています",
    ),
    *("이 앱은 차단되었습니다", "이 앱이 차단되었습니다", "diese app ist blockiert", "diese app wurde blockiert"),
    *("cette application est bloquée", "esta aplicación está bloqueada", "se bloqueó esta app", "este app está bloqueado"),
    *(
        "esta aplicação está bloqueada",
        "questa app è bloccata",
        "это приложение заблокировано",
        "ta aplikacja jest zablokowana",
    ),
    *("bu uygulama engellendi", "aplikasi ini diblokir", "ứng dụng này bị chặn", "deze app is geblokkeerd"),
)
# "... has not completed the Google verification process"
TESTING: Final = (
    *("überprüfungsprozess von google", "bestätigungsprozess von google", "überprüfung durch google nicht abgeschlossen"),
    *("terminé la procédure de validation de google", "terminé la procédure de vérification de google"),
    *("completado el proceso de verificación de google", "concluiu o processo de verificação do google"),
    *("concluiu o processo de validação da google", "completato la procedura di verifica di google"),
    *(
        "google の審査プロセスを完了",
        "googleの審査プロセスを完了",
        "google の確認プロセスを完了",
        "google 인증 절차를 완료하지",
    ),
    *("尚未完成 google 验证", "未完成 google 验证", "尚未完成google验证", "尚未完成 google 驗證", "未完成 google 驗證程序"),
    *("не завершило процесс проверки google", "не прошло проверку google", "не прошло процесс проверки google"),
    *("nie ukończyła procesu weryfikacji google", "nie przeszła procesu weryfikacji google"),
    *("google doğrulama sürecini tamamlamadı", "belum menyelesaikan proses verifikasi google"),
    *("hoàn tất quy trình xác minh của google", "verificatieproces van google nog niet"),
)
