"""The rules of REST: their names, how bad each is by itself, why it matters and what to do.

Medium stands only where the guideline is plainly broken and the rule is hardly ever wrong; figures in benchmarks/rest/.
"""

from __future__ import annotations

from collections.abc import Mapping

from gates.results import Severity
from gates.rules import Rule, by_id

_M, _L, _I = Severity.MEDIUM, Severity.LOW, Severity.INFO

PATHS = (
    Rule(
        "rest.noun-path", _M,
        "a path is named by a verb that the HTTP method says already",
        "`GET /getUsers` and `POST /users/create` say everything twice, and each client has to learn the words of "
        "each endpoint instead of the methods they all share.",
        "Name the resource by a noun: GET /users, POST /users. A word that is a noun here goes into `nouns`.",
    ),
    Rule(
        "rest.action-path", _L,
        "an action stands at the end of a path (`POST /orders/{id}/cancel`)",
        "What an action leaves behind cannot be read, listed or undone under a name of its own. Some teams accept "
        'that: `actions` is "allow", "warn" (this) or "forbid" (medium).',
        "Make a resource of what is made (POST /orders/{id}/cancellation), or PATCH the state.",
    ),
    Rule(
        "rest.plural-collection", _L,
        "a collection is named in the singular (`/user/{id}`)",
        "The guideline's own names are plural (`/api/users`, `/api/orders`); where both occur nobody can guess an "
        "address. Only English words that are surely countable are told of.",
        'Name collections in the plural: /users/{id}. `plural = "any"` leaves it to the project, `nouns` a single '
        "word.",
    ),
    Rule(
        "rest.path-case", _L,
        "a path segment is written in another style than the others",
        "Addresses are case-sensitive: a mixture of /order-items and /orderItems is guessed wrong half of the time.",
        "Write all segments in one style; `path_case` says which, and is that of most of them by itself.",
    ),
    Rule(
        "rest.depth", _L,
        "resources are nested more deeply than `maximum_depth`",
        "A caller needs every parent's identifier to reach a thing that has one of its own, and a moved thing loses "
        "its address.",
        "Begin a path with the last resource: /comments/{id} instead of "
        "/users/{id}/posts/{id}/threads/{id}/comments/{id}.",
    ),
    Rule(
        "rest.version-prefix", _M,
        "operations have no version in their path",
        "The guideline asks for it (`/api/v1/users`): without one the first breaking change breaks every client.",
        "Serve them below /api/v1, by the paths or by `servers`. `version_prefix` says the beginning that is wanted.",
    ),
    Rule(
        "rest.one-version", _L,
        "one document describes several major versions",
        "Which operations belong together cannot be told, and a version cannot be taken away as a whole.",
        "Give each major version a document of its own.",
    ),
    Rule(
        "rest.trailing-slash", _L,
        "a path ends with a slash where others do not, or the other way round",
        "The other form answers 404, or redirects, which turns a POST into a GET in many clients.",
        "Write all paths alike; `trailing_slash` says how.",
    ),
    Rule(
        "rest.file-extension", _L,
        "a path ends with a file extension (`/users.json`)",
        "The address changes with the format, although it is the same resource.",
        "Leave the extension out, and agree on the format by `Accept` and `Content-Type`.",
    ),
    Rule(
        "rest.empty-segment", _M,
        "a path has an empty segment (`/users//orders`)",
        "Servers, proxies and clients disagree whether it is there at all.",
        "Take one slash out.",
    ),
    Rule(
        "rest.ambiguous-path", _M,
        "two path templates stand for the same path (`/a/{x}` and `/a/{y}`)",
        "OpenAPI forbids it, and tools take one or the other.",
        "Give the parameter one name, and put the operations under one path.",
    ),
    Rule(
        "rest.path-parameter", _M,
        "the parameters of a path and those that are defined are not the same",
        "No client can fill in what has no definition, and none can send what has no place.",
        "Define each `{name}` of the path with `in: path`, and no other.",
    ),
)  # fmt: skip

NAMES = (
    Rule(
        "rest.parameter-case", _L,
        "a query or path parameter is written in another style than the others",
        "A query parameter with a misspelt name is ignored in silence.",
        "Write all parameters in one style; `parameter_case` says which.",
    ),
    Rule(
        "rest.property-case", _L,
        "a property of a body is written in another style than the others",
        "The guideline asks for a consistent JSON structure; a misspelt optional property is ignored in silence.",
        "Write all properties in one style; `property_case` says which.",
    ),
    Rule(
        "rest.operation-id", _L,
        "an operation has no operationId",
        "Generated clients name their functions by it, and invent names that change with the path when it is "
        "missing.",
        "Name it by what it does, such as listOrders.",
    ),
    Rule(
        "rest.operation-id-unique", _M,
        "an operationId is given twice",
        "OpenAPI forbids it; generated clients lose one of the two operations.",
        "Give each operation a name of its own.",
    ),
    Rule(
        "rest.operation-id-case", _I,
        "an operationId is written in another style than the others",
        "It becomes the name of a function in generated clients.",
        "Write all operationIds in one style; `operation_id_case` says which.",
    ),
    Rule(
        "rest.date-time", _L,
        "a point in time is a text without a format",
        "Each client guesses another time zone and order of day and month.",
        "Say `format: date-time`, and write RFC 3339.",
    ),
)  # fmt: skip

METHODS = (
    Rule(
        "rest.get-body", _M,
        "a GET or HEAD takes a body",
        "HTTP gives such a body no meaning: caches, proxies and clients drop it, and the answer is for another "
        "question.",
        "Put what is asked for into the query, or POST it to a search resource.",
    ),
    Rule(
        "rest.safe-get", _M,
        "a GET says that it changes something",
        "Crawlers, previews and retries send GET without being asked to.",
        "Use POST, PUT, PATCH or DELETE.",
    ),
    Rule(
        "rest.post-reads", _L,
        "a POST without a body only reads, by its name",
        "It cannot be cached, repeated or linked to.",
        "Use GET.",
    ),
    Rule(
        "rest.item-post", _L,
        "a single thing is changed by POST, and by neither PUT nor PATCH",
        "A POST may not be repeated when its answer got lost; PUT may.",
        "PATCH for some of it, PUT for all of it.",
    ),
    Rule(
        "rest.collection-put", _L,
        "PUT or PATCH on a collection where single things cannot be changed so",
        "Which one is meant stands in the body, so that access, logs and caches cannot tell.",
        "Put the identifier into the path: PUT /users/{id}.",
    ),
    Rule(
        "rest.collection-delete", _I,
        "a DELETE takes a whole collection, and nothing narrows it",
        "An identifier that is empty by mistake deletes everything.",
        "Delete single ones, or require a parameter that says which.",
    ),
    Rule(
        "rest.secret-in-query", _M,
        "a secret is sent in a query",
        "Addresses are kept in the logs of every server and proxy, in histories and in `Referer`.",
        "Send it in a header or in the body.",
    ),
)  # fmt: skip

STATUSES = (
    Rule(
        "rest.create-status", _L,
        "a POST on a collection answers only 200",
        "201 tells that something new is there, and where (`Location`); 200 does not.",
        "Answer 201; 202 where it is made later.",
    ),
    Rule(
        "rest.delete-status", _L,
        "a DELETE answers 200 without a body, or 201",
        "204 says that there is nothing to read; clients try to read the body of a 200.",
        "Answer 204.",
    ),
    Rule(
        "rest.no-content", _M,
        "a 204, 205 or 304 is documented with a body",
        "HTTP forbids it: what is sent is dropped, or taken for the next answer.",
        "Take the body out, or answer 200.",
    ),
    Rule(
        "rest.documented-4xx", _L,
        "an operation takes input and documents no 4xx",
        "A caller cannot know how wrong input is refused; generated clients have no type for it.",
        "Document 400 or 422, and 404 for what is not there.",
    ),
    Rule(
        "rest.documented-401", _L,
        "an operation behind a login documents neither 401 nor 403",
        "Clients cannot tell an expired login from a broken server.",
        "Document 401, and 403 where roles differ.",
    ),
    Rule(
        "rest.documented-404", _L,
        "an operation on a single thing documents other errors and no 404",
        "It is the most frequent error of all that callers have to handle.",
        "Document 404.",
    ),
)  # fmt: skip

BODIES = (
    Rule(
        "rest.error-envelope", _M,
        "errors come in different shapes",
        "The guideline asks for one standard error response: a client needs one way to read an error, not one for "
        "each endpoint.",
        "Give all errors one shape, in a component of its own; `error_envelope` says which properties it has.",
    ),
    Rule(
        "rest.list-envelope", _L,
        "some lists are arrays, others objects with an array in them",
        "The guideline asks for a consistent JSON structure. An array in the open can never carry a total or a "
        "cursor.",
        "Give all lists one shape; `list_envelope` says which properties it has.",
    ),
    Rule(
        "rest.media-type", _L,
        "data is taken or answered only as XML, HTML or a form",
        "The guideline asks for JSON across all endpoints.",
        "Take and answer `application/json`.",
    ),
    Rule(
        "rest.pagination", _L,
        "a list of a growing collection cannot be paged through",
        "It works until there are many; then it is slow, and paging cannot be added without breaking clients.",
        "Take a `limit` and a `cursor`, or a `page`; `pagination` says which names count.",
    ),
    Rule(
        "rest.bounds", None,
        "what is sent has no upper bound (maxItems, maxLength, maximum)",
        "A single request can fill the memory or overflow a column. Off by itself: few documents say so, and many "
        "servers bound the whole body instead.",
        "Say the largest that makes sense.",
    ),
)  # fmt: skip

RULES: Mapping[str, Rule] = by_id((*PATHS, *NAMES, *METHODS, *STATUSES, *BODIES))
"""By their names."""
