"""How does this installation run? Read from the environment; a bad value refuses to start."""

from pathlib import Path

from config import env
from config.lib import logs

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

# Where and as what
HOME = Path(env.text("SEALCAST_HOME", str(BASE_DIR / "var"))).resolve()
KEYRING_FILE = Path(env.text("SEALCAST_KEYRING_FILE", str(HOME / "keyring.json")))
# The key and the certificates by which videos are marked as made with AI (C2PA).
CONTENT_SIGNER_FILE = Path(
    env.text("SEALCAST_CONTENT_SIGNER_FILE", str(HOME / "content_signer.pem"))
)
DEBUG = env.flag("DEBUG")
# The demo seeds people of nobody, opens the page of sandbox phones, and allows plain http.
DEMO = env.flag("SEALCAST_DEMO")
LOCAL_URL = f"http://127.0.0.1:{env.whole('SEALCAST_PORT', 8000)}"
PUBLIC_URL = env.text("SEALCAST_PUBLIC_URL", LOCAL_URL if DEMO else "").rstrip("/")
# Who answers for the data: named in every consent record and receipt.
CONTROLLER = {
    "name": env.text("SEALCAST_CONTROLLER", "Sealcast"),
    "address": env.text("SEALCAST_CONTROLLER_ADDRESS"),
    "email": env.text("SEALCAST_CONTROLLER_EMAIL"),
    "data_protection_officer": env.text("SEALCAST_DPO_EMAIL"),
    "storage_country": env.text("SEALCAST_STORAGE_COUNTRY"),
}
# What no public source confirms of a provider can be corrected here (integrations/providers.py).
PROVIDER_FACTS = env.table("SEALCAST_PROVIDER_FACTS")
# In the demo, stand-ins on this machine can answer for the providers, at ports in this order.
# Never outside of it: whoever answers is handed client secrets.
STAND_INS = (
    *("hubspot", "salesforce", "zoho"),
    *("twilio", "wati", "gupshup", "sendgrid"),
    *("heygen", "synthesia", "tavus", "did"),
)
SIMULATORS = {
    name: f"http://127.0.0.1:{env.whole('SEALCAST_SIMULATOR_PORT', 8710) + number}"
    for number, name in enumerate(STAND_INS)
    if DEMO and env.flag("SEALCAST_SIMULATORS")
}
SECURE = PUBLIC_URL.startswith("https://") or not DEMO
SECRET_KEY = env.secret("SECRET_KEY", file=HOME / "secret_key")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost")
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "accounts",
    "integrations",
    "consent",
    "videos",
    "retention",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.idp.oidc",
    "django_cryptography",
    "django_htmx",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.middleware.headers",
    "accounts.middleware.sealed",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.second_factor",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.house",
            ]
        },
    }
]

# Data
DATABASES = {"default": env.database("DATABASE_URL", sqlite_file=HOME / "sealcast.sqlite3")}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
MEDIA_ROOT = HOME / "media"
# How many MiB of campaigns' common tails a web process keeps open in memory; 0 keeps none.
PLAYBACK_MEMORY_MIB = env.whole("SEALCAST_PLAYBACK_MEMORY_MIB", 128)
S3_BUCKET = env.text("S3_BUCKET")
STORAGES = {
    # Every object in it is ciphertext; it has no public address on either backend.
    "default": (
        {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": S3_BUCKET,
                "endpoint_url": env.text("S3_ENDPOINT_URL") or None,
                "region_name": env.text("S3_REGION") or None,
                "default_acl": None,
                "file_overwrite": False,
            },
        }
        if S3_BUCKET
        else {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": MEDIA_ROOT, "file_permissions_mode": 0o600},
        }
    ),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Without collected files (tests, a first look) the plain names are served by the finders.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MANIFEST_STRICT = False

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
MFA_ADAPTER = "accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Sealcast"
# A code that was read just before it changed is still taken (RFC 6238, section 5.2).
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO
ALLAUTH_TRUSTED_PROXY_COUNT = env.whole("TRUSTED_PROXY_COUNT", 0)
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

# Partners
IDP_OIDC_ADAPTER = "accounts.adapters.OidcAdapter"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 1800
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.PartnerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.PartnerThrottle"],
    "DEFAULT_THROTTLE_RATES": {"partner": "600/min"},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Sealcast partner API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {"ChannelEnum": [(name, name) for name in ("email", "sms", "whatsapp")]},
}

# Jobs: the queue row is written in the caller's transaction; tasks carry ids only.
Q_CLUSTER = {
    "name": "sealcast",
    "orm": "default",
    "workers": env.whole("SEALCAST_WORKERS", 2),
    "bulk": 1,
    "queue_limit": 2,
    "timeout": 300,
    "retry": 1500,
    "max_attempts": 5,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 250,
    "recycle": 200,
    "poll": 0.5,
    "label": "Jobs",
}

# What the browser is told
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 63072000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
# The pages of a recipient say no-referrer themselves; staff forms need their origin for CSRF.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "media-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 << 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 32 << 20
# An uploaded list of people stays in memory: a temporary file would be plain text on the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
LOGGING = logs.configuration(level=env.text("LOG_LEVEL", "INFO"))
