"""Settings of the emulator; the command line (`__main__.py`) fills the environment they are read from."""

from __future__ import annotations

import os
from pathlib import Path

DATA_DIR = Path(os.environ.get("EMULATOR_DATA_DIR", "var/emulator"))
SPEED = float(os.environ.get("EMULATOR_SPEED", "20"))
START_JOBS = int(os.environ.get("EMULATOR_JOBS", "400"))
SEED = int(os.environ.get("EMULATOR_SEED", "1"))
ARRIVALS_PER_HOUR = float(os.environ.get("EMULATOR_ARRIVALS", "1.5"))
PROFILES = int(os.environ.get("EMULATOR_PROFILES", "100000"))
AT_ONCE = int(os.environ.get("EMULATOR_AT_ONCE", "2"))
TOKEN_LIFETIME_S = int(os.environ.get("EMULATOR_TOKEN_LIFETIME", "86399"))
QUIRKS = list(filter(None, os.environ.get("EMULATOR_QUIRKS", "").split(",")))
FAULTS = list(filter(None, os.environ.get("EMULATOR_FAULTS", "").split(",")))  # NAME or NAME:chance

SECRET_KEY = "the emulator signs nothing"  # it keeps no session and no cookie
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]  # a page of another host cannot reach it by rebinding a name
DEBUG = False
DEBUG_PROPAGATE_EXCEPTIONS = True  # a reset on order has to reach the server, see faults.py

INSTALLED_APPS = ["emulator"]
ROOT_URLCONF = "emulator.urls"
APPEND_SLASH = False
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "emulator.journal.JournalMiddleware",
    "emulator.faults.FaultMiddleware",
    "emulator.gateway.GatewayMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "emulator.sqlite3",
        "CONN_MAX_AGE": None,  # a thread serves one client connection and closes its own when that ends
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-500;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
USE_TZ = True
USE_I18N = False
LOGGING_CONFIG = None  # what arrived is in the journal
