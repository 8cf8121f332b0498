"""Rows of connections to other systems, of what they sent us, and of the two local providers."""

import uuid

from django.db import models

from accounts.fields import SealedJSONField
from config.lib import ids


class Connection(models.Model):
    """One account at one provider."""

    class Kind(models.TextChoices):
        CRM = "crm", "CRM"
        MESSAGING = "messaging", "Messaging"
        VIDEO = "video", "AI video"

    class AuthKind(models.TextChoices):
        NONE = "none", "None (stays on this machine)"
        OAUTH_CODE = "oauth_code", "OAuth 2.0 authorisation code with PKCE"
        OAUTH_CLIENT = "oauth_client", "OAuth 2.0 client credentials"
        BEARER = "bearer", "Bearer token"
        KEY = "key", "API key"

    class State(models.TextChoices):
        ACTIVE = "active", "Connected"
        NOT_CONNECTED = "not_connected", "Not connected"
        RECONNECT_NEEDED = "reconnect_needed", "Reconnect needed"
        DISABLED = "disabled", "Switched off"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    provider = models.CharField(max_length=24)
    label = models.CharField(max_length=80)
    auth_kind = models.CharField(max_length=16, choices=AuthKind.choices)
    state = models.CharField(max_length=20, choices=State.choices, default=State.ACTIVE)
    hosts = models.JSONField(default=list)
    scopes = models.JSONField(default=list)
    # Of an AI vendor (GDPR Art. 28): "agreement_id", "region", "expires_on".
    terms = models.JSONField(default=dict)
    credentials_sealed = SealedJSONField(label="integrations_connection.credentials", null=True)
    webhook_index = models.CharField(max_length=64, unique=True, null=True, blank=True)
    created_at = models.DateTimeField()
    tested_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)
    # Until when its vendor's rate is used up, by all processes together.
    paced_until = models.DateTimeField(null=True)
    # When its WhatsApp templates were read, whole, and what went wrong the last time.
    templates_read_at = models.DateTimeField(null=True)
    templates_problem = models.CharField(max_length=200, blank=True)
    # Since when a job is to read them; none: nobody waits for it.
    templates_asked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.label

    @property
    def public_id(self) -> str:
        return ids.public("cnx", self.id)


class OAuthGrant(models.Model):
    """What a connection by OAuth holds: a dance under way, tokens, and the turn to refresh them.

    One row a connection. A dance that starts anew ends the one before it.
    """

    connection = models.OneToOneField(
        Connection, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    # The dance under way: found by its state, bound to the browser and the person who began it.
    state_index = models.CharField(max_length=64, unique=True, null=True, blank=True)
    browser_index = models.CharField(max_length=64, blank=True)
    flow_expires_at = models.DateTimeField(null=True)
    # {"verifier", "client_id", "client_secret", "redirect_uri"}: kept until the dance ends.
    flow_sealed = SealedJSONField(label="integrations_oauthgrant.flow", null=True)
    flow_login_host = models.CharField(max_length=255, blank=True)
    # Pinned when the connection was made: whatever an answer names later must be these.
    login_host = models.CharField(max_length=255, blank=True)
    token_host = models.CharField(max_length=255, blank=True)
    api_host = models.CharField(max_length=255, blank=True)
    account_id = models.CharField(max_length=64, blank=True)
    connected_at = models.DateTimeField(null=True)
    # {"id", "secret"} of the app, and {"access", "refresh", "previous"}.
    client_sealed = SealedJSONField(label="integrations_oauthgrant.client", null=True)
    tokens_sealed = SealedJSONField(label="integrations_oauthgrant.tokens", null=True)
    access_expires_at = models.DateTimeField(null=True)
    # Counts sets of tokens: whoever stores a set must have started from the one before it.
    generation = models.IntegerField(default=0)
    lease_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    retry_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"grant of {self.connection_id}"


class CrmSync(models.Model):
    """How far the reading of a CRM's contacts has come; one row a connection.

    `cursor` is written in the transaction that keeps the page it follows, so that a reader killed
    anywhere goes on with nothing lost and nothing twice.
    """

    class State(models.TextChoices):
        OFF = "off", "Not set up"
        WAITING = "waiting", "Waiting"
        READING = "reading", "Reading"
        STUCK = "stuck", "Needs attention"

    class Mode(models.TextChoices):
        FULL = "full", "Everything"
        DELTA = "delta", "What changed"

    connection = models.OneToOneField(
        Connection, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    # Whether what was sent is noted there: a disclosure that somebody has to want.
    writes_notes = models.BooleanField(default=False)
    # The account that was read: of another one everything is read anew.
    account_id = models.CharField(max_length=64, blank=True)
    # Our name of a field, and the CRM's: nothing else is asked for.
    fields = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OFF)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.FULL)
    # The provider's own place in its list; none: no round is under way.
    cursor = models.JSONField(null=True)
    # Counts pages for ever: whoever stores one must have started from the one before it.
    step = models.BigIntegerField(default=0)
    # What changed after this instant is read next; none: everything is.
    since_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    lease_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    # Of the round under way, or the last one: {"read": 5, "new": 3, ...}.
    counts = models.JSONField(default=dict)
    problem = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"reading of {self.connection_id}"


class CrmChannel(models.Model):
    """How a CRM that can be asked to post to us was asked; one row a connection."""

    connection = models.OneToOneField(
        Connection, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    # Until when it posts, as it said; none: it does not.
    until_at = models.DateTimeField(null=True)
    # When it was asked last, and when it is asked next.
    asked_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField()
    failures = models.IntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"channel of {self.connection_id}"


class MessageTemplate(models.Model):
    """A WhatsApp template as its provider last told of it: words with slots, and of nobody."""

    class State(models.TextChoices):
        APPROVED = "approved", "Approved"
        PENDING = "pending", "Waits for Meta"
        REJECTED = "rejected", "Rejected"
        PAUSED = "paused", "Paused by Meta"
        DISABLED = "disabled", "Disabled by Meta"
        UNKNOWN = "unknown", "Not told"
        GONE = "gone", "No longer there"

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    # By which name it is asked for when a message is sent.
    code = models.CharField(max_length=120)
    title = models.CharField(max_length=120)
    language = models.CharField(max_length=16, blank=True)
    category = models.CharField(max_length=24, blank=True)
    state = models.CharField(max_length=12, choices=State.choices)
    quality = models.CharField(max_length=24, blank=True)
    words = models.TextField(blank=True)
    # Why Meta rejected it, in the provider's words.
    reason = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="messagetemplate_once", fields=["connection", "code", "language"]
            )
        ]

    def __str__(self) -> str:
        return self.title


class InboxItem(models.Model):
    """One event a provider sent: verified, stored, answered 200; acted upon later."""

    class Kind(models.TextChoices):
        INBOUND_MESSAGE = "inbound_message"
        DELIVERY_REPORT = "delivery_report"
        OTHER = "other"

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    dedupe_key = models.CharField(max_length=128)
    body_sealed = SealedJSONField(label="integrations_inboxitem.body", null=True)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=40, blank=True)
    attempts = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="inboxitem_taken_once", fields=["connection", "dedupe_key"]
            )
        ]
        indexes = [
            models.Index(
                name="inboxitem_waiting",
                fields=["id"],
                condition=models.Q(processed_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class SandboxMessage(models.Model):
    """What the sandbox messaging provider keeps: a message on a phone that nobody owns."""

    class Direction(models.TextChoices):
        TO_PHONE = "to_phone"
        FROM_PHONE = "from_phone"
        # No message: the sender told the provider that this person stopped.
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=12, choices=Direction.choices)
    channel = models.CharField(max_length=12)
    # Sealed as the provider's own store: {"address", "subject", "text", "headers"}.
    content_sealed = SealedJSONField(label="integrations_sandboxmessage.content", null=True)
    address_index = models.CharField(max_length=64, db_index=True)
    idempotency_key = models.CharField(max_length=64, blank=True, db_index=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"


class LocalVideoJob(models.Model):
    """What the local AI video provider keeps of one job; its file lies in the vendor folder."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RENDERING = "rendering"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    request = models.JSONField()
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"local video job {self.pk}"
