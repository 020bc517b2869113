"""Words of names: how a name is split and styled, which words are verbs, which nouns are singular.

English only, and only words that are hardly anything else: a word that is not known here is never told to be wrong.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


METHOD_OF = {
    "get": "GET", "fetch": "GET", "retrieve": "GET", "find": "GET", "list": "GET",
    "create": "POST", "insert": "POST", "add": "POST", "save": "POST",
    "update": "PATCH", "edit": "PATCH", "modify": "PATCH", "upsert": "PUT", "set": "PUT",
    "delete": "DELETE", "remove": "DELETE", "destroy": "DELETE",
}  # fmt: skip
"""Verbs that an HTTP method says already."""

_ONLY_LEADING = frozenset({"list", "set"})
"""Nouns when they stand alone: a list, a set."""
_ALSO_NOUNS = frozenset({"update", "edit", "save"})
"""An update can be read; what is only read under such a name may well be one."""
_ALWAYS_COMPOUND = frozenset({("add", "on"), ("add", "ons"), ("add", "in"), ("add", "ins"), ("get", "started")})
_COMPOUND_NOUNS = word_set(
    "protection policy policies history marker markers window windows channel channels manager agent agents "
    "center centre frequency interval schedule rate rates requests events logs token tokens queue queues"
)
"""What makes a noun of the verb before it, where a hyphen joins them: a delete marker, the update frequency."""
_LISTED_NOUNS = word_set("items item entries entry members member views view types type prices")
"""A list item is a noun, too."""

ACTIONS = word_set(
    "cancel activate deactivate reactivate approve reject enable disable reopen publish unpublish unarchive "
    "suspend unsuspend resend send submit confirm verify validate revoke renew finalize finalise regenerate "
    "rotate accept decline dismiss resolve assign unassign reassign attach detach subscribe unsubscribe execute "
    "invoke calculate recalculate compute generate convert transform evaluate analyze analyse rename reboot "
    "resume restart retry rerun undo unmark unpin unfollow unblock unmute unlock unlink unstar acknowledge "
    "escalate promote demote migrate provision deprovision terminate hibernate rebuild resize reorder redeliver "
    "reprocess recompute deregister unregister mark notify redeem ingest authenticate deliver apply enqueue "
    "render synchronize synchronise reindex"
)
"""Verbs of actions that no method says, whether they stand alone or before a noun."""
_ACTIONS_ALONE = word_set(
    "archive restore merge clone duplicate move pause start stop close open complete lock block mute pin ban kick "
    "trigger void rollback reserve shutdown capture refund finish abort run copy sync ship pay join leave reset "
    "refresh dispatch follow unfollow"
)
"""Verbs where they end the path of a resource and nothing can be read there; elsewhere they are nouns."""
_NEVER_READ = word_set(
    "activate deactivate reactivate approve cancel reject enable disable execute invoke generate calculate "
    "compute validate verify convert transform publish unpublish subscribe unsubscribe send resend submit confirm "
    "revoke suspend unsuspend regenerate assign unassign"
)
"""Verbs that stay verbs in what is only read: `GET /users/{id}/activate`."""
_NEVER_NOUNS = word_set(
    "activate deactivate execute invoke generate calculate compute validate verify unsubscribe unpublish regenerate"
)
"""Those of them that make no noun with the next word, as a send checklist is one."""
_MANY = frozenset({"bulk", "batch", "mass", "multi"})
_CHANGED = frozenset({"password", "email", "status", "role", "owner", "plan"})

IRREGULAR = {
    "person": "people", "child": "children", "man": "men", "woman": "women", "foot": "feet", "tooth": "teeth",
    "mouse": "mice", "criterion": "criteria", "index": "indices", "matrix": "matrices", "vertex": "vertices",
    "analysis": "analyses", "basis": "bases", "diagnosis": "diagnoses", "hypothesis": "hypotheses",
    "leaf": "leaves", "shelf": "shelves", "quiz": "quizzes", "hero": "heroes", "potato": "potatoes", "bus": "buses",
    "alias": "aliases", "address": "addresses", "class": "classes", "box": "boxes", "tax": "taxes",
    "process": "processes", "business": "businesses", "match": "matches", "branch": "branches", "batch": "batches",
    "search": "searches", "warehouse": "warehouses", "campus": "campuses", "virus": "viruses", "gas": "gases",
}  # fmt: skip
_SINGULAR = word_set(
    "account achievement ad admin agent album alert animal answer appointment app application applicant article "
    "artist asset assignment attachment attendee auction author award backup badge bank banner basket bid bike "
    "bill board bond book booking bookmark bot brand broker bucket budget bug building bundle button cabinet "
    "calendar camera campaign candidate car card carrier cart case cat category certificate channel chapter chat "
    "checklist city claim client clinic cluster coin collection comment company competition complaint component "
    "conference connection contact container contest contract contribution contributor conversation cookie coupon "
    "course courier credential customer dashboard database dataset deal dealer debt delivery department deposit "
    "device dispute district doctor document dog domain donation donor draft driver drone droplet election email "
    "employee employer endpoint enrollment entity entry episode equation error event exam exchange exercise "
    "expense experiment expert extension factory farm favorite favourite feature fee field file filter firewall "
    "flight floor folder follower form forum friend function game gateway genre gift goal grade group guest guide "
    "hashtag holiday hook hospital host hotel house idea image incident influencer ingredient inspection instance "
    "institution instructor instrument integration interview invitation invoice issue item job journey key "
    "keyword kitchen label lane language lead league lease ledger lesson letter level library license licence "
    "line link listing loan location machine manager manufacturer mailbox map market meal measurement medication "
    "meeting member membership menu merchant message milestone mission model module moment monitor movie museum "
    "node notification note novel nurse object offer office opportunity order organisation organization outlet "
    "owner package page parcel parking participant partner passenger patient payee payment payout permission pet "
    "phone photo pipeline place planet plant player playlist plugin podcast policy poll portfolio position post "
    "prescription presentation preset price printer prize problem product profession professor project promotion "
    "property prospect provider publisher purchase question queue race rating reaction reader receipt recipe "
    "recipient record referral refund region registration reminder rental repo repository reservation resident "
    "resource restaurant result review reviewer reward ride role room route rule runner sale sample scenario "
    "school score screen script season seat secret section seller sensor server service session shift shipment "
    "shop site skill slot snapshot song speaker sponsor sport sprint squad star station step stock stop store "
    "story strategy stream street student studio subject submission subscriber subscription subtask suite "
    "supplier survey swap symbol table tag target task teacher team template tenant term test testimonial theater "
    "theatre theme thread ticket tier timesheet todo token tool topic tour tournament track trade trail train "
    "trainer transaction transfer trip truck tutor unit user vacancy vaccine variable variant vehicle vendor "
    "venue version video visit visitor volunteer vote voucher wallet ward warehouse watchlist webhook website "
    "week widget window wish wishlist word worker workflow workout workspace zone chore habit movement operator "
    "plan reading payslip blog feed tweet"
) | (IRREGULAR.keys() - {"search", "process", "index", "basis", "batch", "match", "analysis", "tax", "matrix"})
"""Things that are counted, as APIs name them."""
_UNCOUNTABLE_TION = word_set(
    "information authentication authorization authorisation configuration documentation validation introspection "
    "pagination attention nutrition education registration moderation federation administration automation "
    "verification reputation location protection description"
)
_ATTRIBUTES = word_set(
    "name price email type status code date state id slug key tag username phone version token language currency "
    "country symbol category ref sku isbn hash region level position term word index"
)
"""Nouns by which things are looked up, where a parameter of the same name follows: `/users/email/{email}`."""


@lru_cache(maxsize=16384)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case, whatever its style."""
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=16384)
def style_of(name: str) -> str:
    """Return `kebab`, `snake`, `camel`, `pascal` or `mixed`; "" for a name of any style, or that is not a plain one."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or name.endswith(("-", "_")) or name.startswith("x-"):
        return ""
    if "-" in name or "_" in name:
        if name.isupper() or ("-" in name and "_" in name):
            return "" if name.isupper() else "mixed"
        if name != name.lower():
            return "mixed"
        return "kebab" if "-" in name else "snake"
    if name.islower() or (name.isupper() and len(name) > 1):
        return ""
    return "pascal" if name[0].isupper() else "camel"


def styled(name: str, style: str) -> str:
    """Return a name in another style; digits stay with the word before them."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?=[A-Z][a-z])\d*|[A-Z]?[a-z]+\d*|[A-Z]+\d*|\d+", name)]
    if style in ("kebab", "snake"):
        return ("-" if style == "kebab" else "_").join(words)
    capitals = [word[:1].upper() + word[1:] for word in words]
    return "".join(capitals if style == "pascal" else [*words[:1], *capitals[1:]])


def plural_of(word: str) -> str:
    """Return the plural of an English noun."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(s|x|z|ch|sh)$", word) else "s")


def is_singular(word: str, following: str) -> bool:
    """Return whether a word that has to be plural is surely singular; `following` is the parameter after it."""
    if word in _ATTRIBUTES and word in (words_of(following)[-1:] or ("",)):
        # The last word only: /orders/{order_id} ends with `id`, /country/{country} with what is looked up.
        return False
    return word in _SINGULAR or (word.endswith("tion") and word not in _UNCOUNTABLE_TION)


def looks_plural(word: str) -> bool:
    """Return whether a word may well be a plural: whether a thing is listed under it."""
    return word in IRREGULAR.values() or word in ("data", "media") or bool(re.search(r"[^su]s$", word))


def method_verb(segment: str, *, only_read: bool, after_plural: bool) -> str | None:
    """Return the verb of a segment that says what the method says already: `getUsers`, `/users/create`.

    `only_read` is true where nothing but GET is answered, `after_plural` where a collection stands before it.
    """
    words = words_of(segment)
    if not words or words[0] not in METHOD_OF:
        return None
    first = words[0]
    if len(words) == 1:
        if first == "list":
            return first if after_plural else None
        return None if first in _ONLY_LEADING or (only_read and first in _ALSO_NOUNS) else first
    if words[1].isdigit() or words[:2] in _ALWAYS_COMPOUND:
        return None
    if (
        style_of(segment) in ("kebab", "snake")
        and words[1] in _COMPOUND_NOUNS
        and first not in ("get", "create", "add")
    ):
        return None
    if first == "list":
        return first if looks_plural(words[-1]) and words[1] not in _LISTED_NOUNS else None
    return None if only_read and (first in _ONLY_LEADING or first in _ALSO_NOUNS) else first


def action_verb(segment: str, *, only_read: bool, ends_resource: bool) -> str | None:
    """Return the verb of a segment that names an action: `cancel`, `send-invitation`, `bulk-delete`.

    `ends_resource` is true where it is the last segment behind a parameter, and nothing can be read there.
    """
    words = words_of(segment)
    if not words:
        return None
    first = words[0]
    if len(words) > 1 and style_of(segment) in ("kebab", "snake") and words[1] in _COMPOUND_NOUNS:
        return None
    if only_read:
        noun = style_of(segment) in ("kebab", "snake") and first not in _NEVER_NOUNS
        return first if first in _NEVER_READ and not noun else None
    if first in ACTIONS or (first in ("change", "reset") and len(words) == 2 and words[1] in _CHANGED):
        return first
    if first in _MANY and len(words) == 2 and words[1] in METHOD_OF and words[1] != "list":
        return words[1]
    return first if len(words) == 1 and ends_resource and first in _ACTIONS_ALONE else None


def says_verb(segment: str) -> bool:
    """Return whether a segment is named by a verb, so that what it answers is no new resource."""
    return bool(
        method_verb(segment, only_read=False, after_plural=True)
        or action_verb(segment, only_read=False, ends_resource=True)
    )
