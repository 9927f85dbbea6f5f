"""Every setting of Export UI, read top to bottom; the defaults run on this machine with no credentials."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from environ import Env

from exportui import environment

# --- Where we are -------------------------------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

EXPORTUI_ENV = environment.choice(
    "EXPORTUI_ENV", env.str("EXPORTUI_ENV", default="local"), of=("local", "production", "test")
)
PRODUCTION = EXPORTUI_ENV == "production"
TEST = EXPORTUI_ENV == "test"
if not TEST and (BASE_DIR / ".env").exists():
    Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("EXPORTUI_DEBUG", default=False)
EXPORTUI_DATA_DIR = environment.data_dir(env.str("EXPORTUI_DATA_DIR", default=str(BASE_DIR / "var")))
EXPORTUI_PUBLIC_URL = environment.origin(
    "EXPORTUI_PUBLIC_URL", env.str("EXPORTUI_PUBLIC_URL", default="http://127.0.0.1:8000")
)
EXPORTUI_TIME_ZONE = environment.time_zone("EXPORTUI_TIME_ZONE", env.str("EXPORTUI_TIME_ZONE", default="UTC"))

# --- Secrets: given, or made once in the data directory -----------------------------------------------------------

# Not read through `env`, which takes a value that starts with "$" for the name of another variable.
SECRET_KEY = environment.secret(
    "SECRET_KEY",
    env.ENVIRON.get("SECRET_KEY", ""),
    path=EXPORTUI_DATA_DIR / "secret_key",
    make=environment.new_secret_key,
    required=PRODUCTION,
)
# Fernet keys, newest first: the first encrypts, all decrypt.
EXPORTUI_FIELD_KEYS = [
    key.strip()
    for key in environment.secret(
        "EXPORTUI_FIELD_KEYS",
        env.str("EXPORTUI_FIELD_KEYS", default=""),
        path=EXPORTUI_DATA_DIR / "field_keys",
        make=environment.new_field_key,
        required=PRODUCTION,
    ).split(",")
]

# --- Hosts, cookies, headers --------------------------------------------------------------------------------------

PUBLIC_HOST = urlsplit(EXPORTUI_PUBLIC_URL).hostname or "127.0.0.1"
LOCAL_HOSTS = [] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[PUBLIC_HOST, *LOCAL_HOSTS])
CSRF_TRUSTED_ORIGINS = [EXPORTUI_PUBLIC_URL]

# Cookies know no ports: two copies on one machine need two names.
COPY = hashlib.sha256(str(EXPORTUI_DATA_DIR).encode()).hexdigest()[:6]
SESSION_COOKIE_NAME = "__Host-session" if PRODUCTION else f"session_{COPY}"
CSRF_COOKIE_NAME = "__Host-csrf" if PRODUCTION else f"csrf_{COPY}"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# In production one proxy ends TLS before us and sets these two headers itself.
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if PRODUCTION else 0
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from inside, past the proxy
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # HSTS preload is the domain owner's decision, not ours

X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# --- What is installed and what every request passes through ------------------------------------------------------

INSTALLED_APPS = [
    "exportui.apps.ExportUIConfig",
    "jobs",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "exportui.apps.PublishedFilesConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "exportui.urls"
WSGI_APPLICATION = "exportui.wsgi.application"

# --- Templates: Jinja2 for our pages, Django's engine for the admin -----------------------------------------------

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "exportui.jinja.environment",
            "context_processors": [
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "jobs.context.frame",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database, shared memory, tasks -------------------------------------------------------------------------------

DATABASES = {
    "default": environment.database(
        env.str("DATABASE_URL", default=f"sqlite:///{EXPORTUI_DATA_DIR}/exportui.sqlite3")
    )
}
DATABASES["default"]["ATOMIC_REQUESTS"] = False
if DATABASES["default"]["ENGINE"] == environment.SQLITE:
    # A file, as in real life: the test server's threads each have their own connection.
    DATABASES["default"]["TEST"] = {"NAME": EXPORTUI_DATA_DIR / "test.sqlite3"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

VALKEY_SOCKET = EXPORTUI_DATA_DIR / "valkey" / "valkey.sock"
REDIS_URL = environment.redis_url(env.str("REDIS_URL", default=""), socket=VALKEY_SOCKET)
CACHES = {
    "default": {
        "BACKEND": "exportui.cache.SharedCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "exportui",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
}

CELERY_BROKER_URL = environment.broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker that gave up would need somebody to notice
# Unacknowledged tasks of a dead worker come back after `visibility_timeout`; the other two make the broker's restart
# a matter of seconds. No task may run longer than this, and none has an ETA: due times are columns.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "global_keyprefix": "exportui:",
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
# The one clock: everything that is due is found by the tick. A tick nobody took is worthless after its successor.
CELERY_BEAT_SCHEDULE = {"tick": {"task": "jobs.tasks.tick", "schedule": 2.0, "options": {"expires": 4}}}

# --- People -------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if TEST:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"

ACCOUNT_ADAPTER = "exportui.accounts.ClosedAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
}
MFA_ADAPTER = "exportui.accounts.EncryptingMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Export UI"

# --- Time and language: UTC inside, EXPORTUI_TIME_ZONE on the page ------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"

# --- Static files: hashed, compressed, immutable; straight from the source in tests -------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = EXPORTUI_DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TEST
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = TEST
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("map", "png", "jpg", "gif", "webp", "woff", "woff2", "gz", "br", "zip")

# --- Logs: one line a record, UTC, to standard error, without secrets ---------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "exportui.logs.Redact"}},
    "formatters": {"line": {"()": "exportui.logs.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        "celery.worker.strategy": {"level": "WARNING"},  # "Task … received", every two seconds
        "celery.app.trace": {"level": "WARNING"},  # "Task … succeeded", likewise
        "py.warnings": {"level": "ERROR"},  # libraries' words to developers
        "celery.beat": {"level": "WARNING"},  # "Sending due task …", likewise
    },
}
