"""Single changes of the realistic document: what each does, whether it breaks a client, where, and why.

Written from the OpenAPI 3.0.3 and 3.1 specifications and JSON Schema, not from the code that is tested. The measure is
a client that was made for the old document: it sends what the old document allowed and reads what it promised. So a
request may only come to allow more, and an answer may only come to promise more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from documents import answer, nodes, operation, parameter, renamed, reordered, schema, sent

Json = Any
Change = Callable[[Json], None]


@dataclass(frozen=True)
class Mutation:
    """One change; `operations` are those of the old document that it concerns, none for all of them."""

    name: str
    breaking: bool
    operations: tuple[str, ...]
    why: str
    apply: Change


MUTATIONS: list[Mutation] = []


def breaking(*operations: str, why: str) -> Callable[[Change], Change]:
    """Register a change that breaks clients of these operations."""

    def register(apply: Change) -> Change:
        MUTATIONS.append(Mutation(apply.__name__, True, operations, why, apply))
        return apply

    return register


def harmless(why: str) -> Callable[[Change], Change]:
    """Register a change that no client of the old document can notice, or only to its benefit."""

    def register(apply: Change) -> Change:
        MUTATIONS.append(Mutation(apply.__name__, False, (), why, apply))
        return apply

    return register


# --- Breaking: operations and paths


@breaking("GET /v1/customers/{customer_id}/preferences", why="the operation is called and not there")
def operation_removed(content: Json) -> None:
    del content["paths"]["/v1/customers/{customer_id}/preferences"]["get"]


@breaking("GET /v1/reports/sales", why="the path is called and not there")
def path_removed(content: Json) -> None:
    del content["paths"]["/v1/reports/sales"]


@breaking(
    "GET /v1/customers", "POST /v1/customers", why="a path is matched literally, so another spelling is another path"
)
def path_spelled_otherwise(content: Json) -> None:
    content["paths"]["/v1/clients"] = content["paths"].pop("/v1/customers")


@breaking("GET /v1/categories", why="paths are case sensitive")
def path_in_another_case(content: Json) -> None:
    content["paths"]["/v1/Categories"] = content["paths"].pop("/v1/categories")


@breaking("PATCH /v1/orders/{order_id}", why="the same path with another method is another operation")
def method_changed(content: Json) -> None:
    item = content["paths"]["/v1/orders/{order_id}"]
    item["put"] = item.pop("patch")


@breaking(why="the URL of the server stands before every path")
def base_path_of_the_server_changed(content: Json) -> None:
    for server in content["servers"]:
        server["url"] += "/shop"


# --- Breaking: parameters


@breaking("GET /v1/products", why="clients do not send it")
def required_query_parameter_added(content: Json) -> None:
    operation(content, "GET /v1/products")["parameters"].append(
        {"name": "market", "in": "query", "required": True, "schema": {"type": "string"}}
    )


@breaking(
    "GET /v1/orders/{order_id}", "PATCH /v1/orders/{order_id}", "DELETE /v1/orders/{order_id}",
    why="a parameter of the path item holds for all operations below it",
)  # fmt: skip
def required_header_added_to_the_path(content: Json) -> None:
    content["paths"]["/v1/orders/{order_id}"]["parameters"].append(
        {"name": "X-Tenant", "in": "header", "required": True, "schema": {"type": "string"}}
    )


@breaking("GET /v1/reports/sales", why="clients may leave it out")
def optional_parameter_became_required(content: Json) -> None:
    parameter(content, "from", "GET /v1/reports/sales")["required"] = True


@breaking("GET /v1/orders", why="what was asked for by it is not heeded any more")
def query_parameter_removed(content: Json) -> None:
    listed = operation(content, "GET /v1/orders")["parameters"]
    listed.remove(parameter(content, "sort", "GET /v1/orders"))


@breaking("GET /v1/reports/sales", why="name and place together are the identity of a parameter")
def parameter_moved_from_query_to_header(content: Json) -> None:
    parameter(content, "weeks", "GET /v1/reports/sales")["in"] = "header"


@breaking("GET /v1/orders", why="names of query parameters are case sensitive")
def query_parameter_in_another_case(content: Json) -> None:
    parameter(content, "placed_after", "GET /v1/orders")["name"] = "Placed_After"


@breaking("PUT /v1/customers/{customer_id}/preferences", "GET /v1/customers/{customer_id}/preferences",
          why="a number is no boolean")  # fmt: skip
def parameter_retyped(content: Json) -> None:
    parameter(content, "customer_id", "/v1/customers/{customer_id}/preferences")["schema"] = {"type": "boolean"}


@breaking("GET /v1/reports/sales", why="a value that was allowed is refused")
def enum_value_of_a_parameter_removed(content: Json) -> None:
    parameter(content, "X-Currency", "GET /v1/reports/sales")["schema"]["enum"].remove("CHF")


@breaking("GET /v1/orders", "GET /v1/products", "GET /v1/customers", why="a page of 200 was allowed")
def maximum_of_a_shared_parameter_lowered(content: Json) -> None:
    content["components"]["parameters"]["PageSize"]["schema"]["maximum"] = 100


@breaking("GET /v1/reports/sales", why="one week was allowed")
def minimum_of_a_parameter_raised(content: Json) -> None:
    parameter(content, "weeks", "GET /v1/reports/sales")["schema"]["minimum"] = 2


@breaking("GET /v1/products/{sku}", "PUT /v1/products/{sku}", "DELETE /v1/products/{sku}",
          why="lower bounds of length are demands on what is sent")  # fmt: skip
def minimum_length_of_a_path_parameter_added(content: Json) -> None:
    parameter(content, "sku", "/v1/products/{sku}")["schema"]["minLength"] = 6


@breaking("GET /v1/products/{sku}", "PUT /v1/products/{sku}", "DELETE /v1/products/{sku}",
          why="a SKU with a dash was allowed")  # fmt: skip
def pattern_of_a_parameter_tightened(content: Json) -> None:
    parameter(content, "sku", "/v1/products/{sku}")["schema"]["pattern"] = "^[A-Z0-9]+$"


@breaking("GET /v1/orders", why="the default of a query array is one pair for each value; now it is one pair for all")
def explode_of_a_parameter_changed(content: Json) -> None:
    parameter(content, "status", "GET /v1/orders")["explode"] = False


@breaking("GET /v1/products", why="filter[min_price]=1 is another text than min_price=1")
def style_of_a_parameter_changed(content: Json) -> None:
    parameter(content, "filter", "GET /v1/products")["style"] = "form"


@breaking("GET /v1/products", why="a parameter with content is a JSON text, not a list with commas")
def parameter_became_json(content: Json) -> None:
    tags = parameter(content, "tags", "GET /v1/products")
    del tags["style"], tags["explode"]
    tags["content"] = {"application/json": {"schema": tags.pop("schema")}}


@breaking("GET /v1/orders", why="four states were allowed")
def maximum_number_of_values_lowered(content: Json) -> None:
    parameter(content, "status", "GET /v1/orders")["schema"]["maxItems"] = 1


@breaking("GET /v1/orders/{order_id}", why="a parameter of the operation overrides that of its path, for it alone")
def parameter_overridden_more_tightly(content: Json) -> None:
    operation(content, "GET /v1/orders/{order_id}")["parameters"] = [
        {"name": "order_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 36}}
    ]


@breaking("GET /v1/orders", why="a date is no date with a time: servers and clients parse another text")
def format_of_a_parameter_changed(content: Json) -> None:
    parameter(content, "placed_after", "GET /v1/orders")["schema"]["format"] = "date-time"


# --- Breaking: request bodies


@breaking(
    "POST /v1/orders/{order_id}/cancellation", why="the default of required is false, so clients may send nothing"
)
def optional_body_became_required(content: Json) -> None:
    operation(content, "POST /v1/orders/{order_id}/cancellation")["requestBody"]["required"] = True


@breaking("GET /v1/health", why="clients send no body")
def required_body_added(content: Json) -> None:
    operation(content, "GET /v1/health")["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }


@breaking("PUT /v1/products/{sku}", why="clients that send XML get a 415")
def request_media_type_removed(content: Json) -> None:
    del operation(content, "PUT /v1/products/{sku}")["requestBody"]["content"]["application/xml"]


@breaking("POST /v1/login", why="clients send a form")
def request_media_type_changed(content: Json) -> None:
    body = operation(content, "POST /v1/login")["requestBody"]
    body["content"] = {"application/json": body["content"]["application/x-www-form-urlencoded"]}


@breaking("POST /v1/orders", why="clients do not send it")
def required_request_property_added(content: Json) -> None:
    order = schema(content, "NewOrder")
    order["properties"]["channel"] = {"type": "string"}
    order["required"].append("channel")


@breaking("POST /v1/orders", "PATCH /v1/orders/{order_id}", "POST /v1/customers",
          why="in answers it is a promise more, but the same address is sent in requests")  # fmt: skip
def shared_property_became_required(content: Json) -> None:
    schema(content, "Address")["required"].append("postcode")


@breaking("POST /v1/products", "PUT /v1/products/{sku}", why="what one part of allOf demands is demanded of the whole")
def property_required_by_another_part_of_all_of(content: Json) -> None:
    schema(content, "ProductInput")["allOf"].append({"required": ["description"]})


@breaking("POST /v1/customers", why="writeOnly properties are part of the request, so that it is demanded there")
def write_only_property_became_required(content: Json) -> None:
    schema(content, "Customer")["required"].append("password")


@breaking("POST /v1/orders", why="1.5 was allowed")
def request_number_became_integer(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["weight"]["type"] = "integer"


@breaking("POST /v1/orders", why="a text is no boolean")
def request_property_retyped(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["express"] = {"type": "string"}


@breaking("PATCH /v1/orders/{order_id}", why="a text is no list")
def request_items_retyped(content: Json) -> None:
    schema(content, "OrderChange")["properties"]["labels"]["items"] = {"type": "integer"}


@breaking("POST /v1/orders", why="a value that was allowed is refused")
def request_enum_value_removed(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["shipping"]["enum"].remove("pickup")


@breaking("POST /v1/orders", why="any text was allowed")
def request_enum_added(content: Json) -> None:
    line = schema(content, "NewOrderLine")
    line["properties"]["engraving"]["enum"] = ["none", "initials"]


@breaking("POST /v1/orders", why="additionalProperties is false there, so what is not named is refused")
def property_of_a_closed_request_removed(content: Json) -> None:
    del schema(content, "NewOrderLine")["properties"]["engraving"]


@breaking("POST /v1/login", why="what was not named was allowed")
def request_closed_for_more_properties(content: Json) -> None:
    sent(content, "POST /v1/login", "application/x-www-form-urlencoded")["additionalProperties"] = False


@breaking("PUT /v1/customers/{customer_id}/preferences", why="texts were sent as values")
def additional_properties_of_a_request_retyped(content: Json) -> None:
    sent(content, "PUT /v1/customers/{customer_id}/preferences")["additionalProperties"] = {"type": "integer"}


@breaking("PUT /v1/customers/{customer_id}/preferences", why="fifty were allowed")
def maximum_number_of_properties_lowered(content: Json) -> None:
    sent(content, "PUT /v1/customers/{customer_id}/preferences")["maxProperties"] = 10


@breaking("PATCH /v1/orders/{order_id}", why="an empty object was allowed")
def minimum_number_of_properties_added(content: Json) -> None:
    schema(content, "OrderChange")["minProperties"] = 1


@breaking("PATCH /v1/orders/{order_id}", why="null was allowed, and is how a note is taken away")
def request_property_became_not_nullable(content: Json) -> None:
    del schema(content, "OrderChange")["properties"]["note"]["nullable"]


@breaking("PATCH /v1/orders/{order_id}", why="a note of 600 characters was allowed")
def maximum_length_in_a_request_lowered(content: Json) -> None:
    schema(content, "OrderChange")["properties"]["note"]["maxLength"] = 500


@breaking("POST /v1/orders", why="a hundred lines were allowed")
def maximum_number_of_items_in_a_request_lowered(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["lines"]["maxItems"] = 20


@breaking("PATCH /v1/orders/{order_id}", why="an empty list was allowed")
def minimum_number_of_items_in_a_request_added(content: Json) -> None:
    schema(content, "OrderChange")["properties"]["labels"]["minItems"] = 1


@breaking("PATCH /v1/orders/{order_id}", why="the same label twice was allowed")
def unique_items_demanded_in_a_request(content: Json) -> None:
    schema(content, "OrderChange")["properties"]["labels"]["uniqueItems"] = True


@breaking("POST /v1/orders", why="any URI was allowed, and any text where format is only a hint")
def pattern_added_in_a_request(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["notify_url"]["pattern"] = "^https://"


@breaking("POST /v1/orders", why="a weight of 0 was allowed")
def minimum_in_a_request_became_exclusive(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["weight"]["exclusiveMinimum"] = True


@breaking("POST /v1/orders", why="7 was allowed")
def multiple_demanded_in_a_request(content: Json) -> None:
    schema(content, "NewOrderLine")["properties"]["quantity"]["multipleOf"] = 5


@breaking("POST /v1/orders", why="a number above 2^31 was allowed")
def format_in_a_request_narrowed(content: Json) -> None:
    schema(content, "NewOrderLine")["properties"]["quantity"]["format"] = "int32"


@breaking("POST /v1/orders", why="what `not` describes was allowed")
def values_forbidden_in_a_request(content: Json) -> None:
    schema(content, "Address")["properties"]["city"]["not"] = {"enum": ["Atlantis"]}


@breaking("POST /v1/orders/{order_id}/payments", why="whoever paid by voucher cannot any more")
def alternative_of_a_request_removed(content: Json) -> None:
    payment = schema(content, "Payment")
    payment["oneOf"].pop()
    del payment["discriminator"]["mapping"]["voucher"]


@breaking("POST /v1/orders/{order_id}/payments", why="clients send `transfer`, which names nothing now")
def discriminator_value_renamed(content: Json) -> None:
    mapping = schema(content, "Payment")["discriminator"]["mapping"]
    mapping["bank"] = mapping.pop("transfer")


@breaking("POST /v1/orders/{order_id}/payments", why="the kind is told by another property than clients tell it by")
def discriminator_property_changed(content: Json) -> None:
    schema(content, "Payment")["discriminator"]["propertyName"] = "method"


@breaking("POST /v1/orders/{order_id}/attachments", why="clients send a form without it")
def part_of_a_form_became_required(content: Json) -> None:
    sent(content, "POST /v1/orders/{order_id}/attachments", "multipart/form-data")["required"].append("note")


@breaking("POST /v1/orders/{order_id}/attachments", why="a JPEG was allowed as this part")
def content_type_of_a_part_narrowed(content: Json) -> None:
    body = operation(content, "POST /v1/orders/{order_id}/attachments")["requestBody"]
    body["content"]["multipart/form-data"]["encoding"]["file"]["contentType"] = "image/png"


# --- Breaking: answers


@breaking("POST /v1/orders", why="clients take 201 for success; 200 is not documented to mean the same")
def success_status_changed(content: Json) -> None:
    responses = operation(content, "POST /v1/orders")["responses"]
    responses["200"] = responses.pop("201")


@breaking("DELETE /v1/orders/{order_id}", why="it is not done yet, and clients take 204 for done")
def success_status_became_accepted(content: Json) -> None:
    responses = operation(content, "DELETE /v1/orders/{order_id}")["responses"]
    responses["202"] = responses.pop("204")


@breaking("GET /v1/customers", why="clients that ask for application/json get a 406, or another text")
def media_type_of_an_answer_changed(content: Json) -> None:
    response = operation(content, "GET /v1/customers")["responses"]["200"]
    response["content"] = {"application/hal+json": response["content"]["application/json"]}


@breaking("GET /v1/reports/sales", why="whoever asked for CSV does not get it")
def media_type_of_an_answer_removed(content: Json) -> None:
    del operation(content, "GET /v1/reports/sales")["responses"]["200"]["content"]["text/csv"]


@breaking("PATCH /v1/orders/{order_id}", why="the changed order was read from it")
def body_of_an_answer_removed(content: Json) -> None:
    del operation(content, "PATCH /v1/orders/{order_id}")["responses"]["200"]["content"]


@breaking("GET /v1/orders", "POST /v1/orders", "GET /v1/orders/{order_id}", "PATCH /v1/orders/{order_id}",
          why="what is read is not there")  # fmt: skip
def property_of_an_answer_removed(content: Json) -> None:
    order = schema(content, "Order")
    del order["properties"]["total"]
    order["required"].remove("total")


@breaking("GET /v1/orders/{order_id}", why="an optional property is read where it is there")
def optional_property_of_an_answer_removed(content: Json) -> None:
    del schema(content, "Order")["properties"]["discount"]


@breaking("GET /v1/orders/{order_id}", why="clients do not look whether it is there")
def required_property_of_an_answer_became_optional(content: Json) -> None:
    schema(content, "Order")["required"].remove("created")


@breaking("GET /v1/orders", "GET /v1/products", "GET /v1/customers",
          why="what one part of allOf promised, nobody promises now")  # fmt: skip
def property_of_a_part_of_all_of_became_optional(content: Json) -> None:
    schema(content, "PageOf")["required"].remove("total")


@breaking("GET /v1/orders/{order_id}", why="clients do not expect null")
def property_of_an_answer_became_nullable(content: Json) -> None:
    schema(content, "Order")["properties"]["carrier"]["nullable"] = True


@breaking("GET /v1/orders", "GET /v1/orders/{order_id}",
          why="a state that clients do not know; in the parameter it only allows more")  # fmt: skip
def enum_value_added_to_an_answer(content: Json) -> None:
    schema(content, "OrderStatus")["enum"].append("returned")


@breaking("GET /v1/products/{sku}", why="the values are not limited to those that clients know any more")
def enum_of_an_answer_opened(content: Json) -> None:
    del schema(content, "Product")["allOf"][1]["properties"]["condition"]["enum"]


@breaking("GET /v1/orders/{order_id}", why="clients keep it as an integer")
def integer_of_an_answer_became_number(content: Json) -> None:
    schema(content, "Order")["properties"]["rating"]["type"] = "number"


@breaking("GET /v1/orders/{order_id}", why="clients keep it in 32 bits")
def format_of_an_answer_widened(content: Json) -> None:
    schema(content, "Order")["properties"]["number"]["format"] = "int64"


@breaking("GET /v1/orders/{order_id}", why="the time is parsed, and is not there")
def format_of_an_answer_changed(content: Json) -> None:
    schema(content, "Order")["properties"]["created"]["format"] = "date"


@breaking("POST /v1/login", why="a number is no text")
def property_of_an_answer_retyped(content: Json) -> None:
    answer(content, "POST /v1/login", "200")["properties"]["expires_in"]["type"] = "string"


@breaking("GET /v1/categories", why="a list is no object with a list in it")
def answer_wrapped_in_an_object(content: Json) -> None:
    media = operation(content, "GET /v1/categories")["responses"]["2XX"]["content"]["application/json"]
    media["schema"] = {"type": "object", "properties": {"items": media["schema"]}}


@breaking("GET /v1/categories", why="it is read at every depth of the tree")
def items_deep_in_a_recursive_schema_retyped(content: Json) -> None:
    products = schema(content, "Category")["properties"]["products"]
    products["items"]["properties"]["sizes"]["items"]["type"] = "string"


@breaking("GET /v1/categories", why="the tree ends at its root")
def recursive_property_removed(content: Json) -> None:
    category = schema(content, "Category")
    del category["properties"]["children"]
    category["required"].remove("children")


@breaking("GET /v1/orders/{order_id}/payments", why="a kind of receipt that clients cannot read")
def alternative_of_an_answer_added(content: Json) -> None:
    content["components"]["schemas"]["VoucherReceipt"] = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string"}, "left": {"type": "integer"}},
    }
    receipt = schema(content, "PaymentReceipt")
    receipt["oneOf"].append({"$ref": "#/components/schemas/VoucherReceipt"})
    receipt["discriminator"]["mapping"]["voucher"] = "#/components/schemas/VoucherReceipt"


@breaking("POST /v1/orders", why="clients follow it")
def header_of_an_answer_removed(content: Json) -> None:
    del operation(content, "POST /v1/orders")["responses"]["201"]["headers"]


@breaking("GET /v1/orders/{order_id}", why="clients send it back in If-Match")
def header_of_an_answer_became_optional(content: Json) -> None:
    operation(content, "GET /v1/orders/{order_id}")["responses"]["200"]["headers"]["ETag"]["required"] = False


@breaking("GET /v1/orders", why="clients count with it")
def header_of_an_answer_retyped(content: Json) -> None:
    content["components"]["headers"]["RateLimit"]["schema"] = {"type": "string"}


@breaking("GET /v1/customers", why="a writeOnly property is not part of an answer")
def property_became_write_only(content: Json) -> None:
    schema(content, "Customer")["properties"]["phone"]["writeOnly"] = True


@breaking("GET /v1/health", why="default is what is answered where no status is named")
def only_default_answer_changed(content: Json) -> None:
    answer(content, "GET /v1/health", "default")["properties"]["uptime"] = {"type": "string"}


@breaking("GET /v1/orders/{order_id}/invoice", why="clients have room for twelve characters")
def maximum_length_in_an_answer_raised(content: Json) -> None:
    answer(content, "GET /v1/orders/{order_id}/invoice", "200")["properties"]["number"]["maxLength"] = 40


@breaking("GET /v1/orders/{order_id}", why="clients have five stars")
def maximum_in_an_answer_removed(content: Json) -> None:
    del schema(content, "Order")["properties"]["rating"]["maximum"]


@breaking("GET /v1/reports/sales", why="less than nothing was not expected")
def minimum_in_an_answer_lowered(content: Json) -> None:
    answer(content, "GET /v1/reports/sales", "200")["items"]["properties"]["orders"]["minimum"] = -10


@breaking("POST /v1/orders/{order_id}/attachments", why="clients parse what they were promised")
def pattern_of_an_answer_removed(content: Json) -> None:
    del answer(content, "POST /v1/orders/{order_id}/attachments", "201")["properties"]["checksum"]["pattern"]


@breaking("GET /v1/customers/{customer_id}/preferences", why="values of any type where texts were promised")
def additional_properties_of_an_answer_opened(content: Json) -> None:
    answer(content, "GET /v1/customers/{customer_id}/preferences", "200")["additionalProperties"] = True


@breaking("GET /v1/orders", "GET /v1/orders/{order_id}", "POST /v1/login", "GET /v1/reports/sales",
          why="clients tell failures apart by it")  # fmt: skip
def property_of_all_failures_removed(content: Json) -> None:
    problem = schema(content, "Problem")
    del problem["properties"]["code"]
    problem["required"].remove("code")


# --- Breaking: security


@breaking("PUT /v1/products/{sku}", why="tokens of clients do not have it")
def scope_demanded(content: Json) -> None:
    operation(content, "PUT /v1/products/{sku}")["security"][0]["oauth"].append("reports:read")


@breaking("GET /v1/products/{sku}", why="clients send no credentials to what was public")
def public_operation_became_protected(content: Json) -> None:
    del operation(content, "GET /v1/products/{sku}")["security"]


@breaking("GET /v1/reports/sales", why="whoever has a key only is shut out")
def security_alternative_removed(content: Json) -> None:
    operation(content, "GET /v1/reports/sales")["security"].pop(0)


@breaking("POST /v1/products", why="all schemes of one requirement are demanded together")
def second_scheme_demanded(content: Json) -> None:
    operation(content, "POST /v1/products")["security"][0]["key"] = []


@breaking(
    "GET /v1/orders", "DELETE /v1/orders/{order_id}", why="what holds where an operation says nothing has changed"
)
def security_of_all_operations_changed(content: Json) -> None:
    content["security"] = [{"key": []}]


@breaking("GET /v1/reports/sales", why="the key is sent in the header of the old name")
def header_of_a_key_renamed(content: Json) -> None:
    content["components"]["securitySchemes"]["key"]["name"] = "X-Access-Key"


@breaking("GET /v1/orders", "POST /v1/orders", why="clients send a bearer token")
def security_scheme_changed(content: Json) -> None:
    content["components"]["securitySchemes"]["bearer"] = {"type": "http", "scheme": "basic"}


@breaking(
    "GET /v1/reports/sales", why="no client notices, but that nobody reads it without credentials was a promise, too"
)
def protected_operation_became_public(content: Json) -> None:
    operation(content, "GET /v1/reports/sales")["security"] = []


# --- Breaking: callbacks


@breaking("POST /v1/orders", why="whoever waits for it is not called any more")
def callback_removed(content: Json) -> None:
    del operation(content, "POST /v1/orders")["callbacks"]


@breaking("POST /v1/orders", why="in a callback the client receives the request, so it must not be widened")
def payload_of_a_callback_widened(content: Json) -> None:
    schema(content, "StatusEvent")["properties"]["status"]["enum"].append("lost")


@breaking("POST /v1/orders", why="the client reads it from the request that it receives")
def property_of_a_callback_became_optional(content: Json) -> None:
    schema(content, "StatusEvent")["required"].remove("at")


# --- Harmless: names, words, order


@harmless("a reference stands for what it refers to; the name of the component is nobody's contract")
def schema_renamed(content: Json) -> None:
    renamed(content, "schemas", "Money", "Amount")


@harmless("the mapping of a discriminator is adapted, so that its values mean the same schemas")
def schema_of_an_alternative_renamed(content: Json) -> None:
    renamed(content, "schemas", "TransferPayment", "BankTransfer")


@harmless("a recursive reference stands for what it refers to, too")
def recursive_schema_renamed(content: Json) -> None:
    renamed(content, "schemas", "Category", "Shelf")


@harmless("name and place are the identity of a parameter, not its name among the components")
def parameter_component_renamed(content: Json) -> None:
    renamed(content, "parameters", "PageSize", "Limit")


@harmless("as for schemas")
def response_component_renamed(content: Json) -> None:
    renamed(content, "responses", "NotFound", "Missing")


@harmless("the name of a security scheme is only used inside the document")
def security_scheme_renamed(content: Json) -> None:
    schemes = content["components"]["securitySchemes"]
    schemes["token"] = schemes.pop("bearer")
    content["security"] = [{"token": []}]


@harmless("a template is matched by its place; the name of what stands there is not sent")
def path_parameter_renamed(content: Json) -> None:
    content["paths"] = {path.replace("{sku}", "{product}"): item for path, item in content["paths"].items()}
    parameter(content, "sku", "/v1/products/{product}")["name"] = "product"


@harmless("the list of parameters is a set")
def parameters_in_another_order(content: Json) -> None:
    operation(content, "GET /v1/orders")["parameters"].reverse()


@harmless("an object has no order")
def keys_in_another_order(content: Json) -> None:
    for key in list(content):
        content[key] = reordered(content.pop(key))


@harmless("what is required is a set")
def required_in_another_order(content: Json) -> None:
    schema(content, "Order")["required"].reverse()


@harmless("an enum is a set")
def enum_in_another_order(content: Json) -> None:
    schema(content, "OrderStatus")["enum"].reverse()


@harmless("all parts hold, in whatever order")
def all_of_in_another_order(content: Json) -> None:
    schema(content, "Product")["allOf"].reverse()


@harmless("one of them holds, in whatever order")
def one_of_in_another_order(content: Json) -> None:
    schema(content, "Payment")["oneOf"].reverse()


@harmless("words for people")
def descriptions_changed(content: Json) -> None:
    content["info"]["description"] = "Another text."
    operation(content, "GET /v1/orders")["description"] = "Lists them."
    schema(content, "Money")["properties"]["amount"]["description"] = "Cents."
    operation(content, "DELETE /v1/orders/{order_id}")["responses"]["204"]["description"] = "Deleted."


@harmless("words for people")
def summaries_and_titles_changed(content: Json) -> None:
    operation(content, "POST /v1/orders")["summary"] = "Order something"
    schema(content, "Order")["title"] = "An order"
    content["info"]["title"] = "Shop"


@harmless("an example promises nothing")
def examples_changed(content: Json) -> None:
    media = operation(content, "GET /v1/orders/{order_id}")["responses"]["200"]["content"]["application/json"]
    media["example"] = {"id": "1c0e8d7e-5f1f-4e3b-8f3b-3f1f2e7b9f00", "status": "paid"}
    schema(content, "Money")["example"] = {"amount": 100, "currency": "EUR"}


@harmless("tags only group operations")
def tags_changed(content: Json) -> None:
    operation(content, "GET /v1/categories")["tags"] = ["shelves"]
    content["tags"].append({"name": "shelves"})


@harmless("words for people")
def external_documentation_added(content: Json) -> None:
    content["externalDocs"] = {"url": "https://docs.shop.example"}


@harmless("an extension means something to the tool that knows it only")
def extension_added(content: Json) -> None:
    operation(content, "GET /v1/orders")["x-internal-team"] = "orders"


@harmless("the version of the document moves with every change")
def version_of_the_document_raised(content: Json) -> None:
    content["info"]["version"] = "1.5.0"


@harmless("names of headers are case insensitive (RFC 9110)")
def header_of_an_answer_in_another_case(content: Json) -> None:
    headers = operation(content, "GET /v1/orders/{order_id}")["responses"]["200"]["headers"]
    headers["etag"] = headers.pop("ETag")


@harmless("names of headers are case insensitive (RFC 9110)")
def header_parameter_in_another_case(content: Json) -> None:
    parameter(content, "If-Match", "PATCH /v1/orders/{order_id}")["name"] = "if-match"


# --- Harmless: the same said in another way


@harmless("a reference stands for what it refers to")
def reference_to_a_schema_inlined(content: Json) -> None:
    schema(content, "Order")["properties"]["total"] = schema(content, "Money")


@harmless("a reference stands for what it refers to")
def reference_to_a_parameter_inlined(content: Json) -> None:
    listed = operation(content, "GET /v1/products")["parameters"]
    listed[1] = content["components"]["parameters"]["PageSize"]


@harmless("a reference stands for what it refers to")
def reference_to_a_body_inlined(content: Json) -> None:
    operation(content, "POST /v1/orders")["requestBody"] = content["components"]["requestBodies"].pop("NewOrder")


@harmless("a reference stands for what it refers to")
def inline_schema_made_a_component(content: Json) -> None:
    media = operation(content, "POST /v1/login")["responses"]["200"]["content"]["application/json"]
    content["components"]["schemas"]["Token"] = media["schema"]
    media["schema"] = {"$ref": "#/components/schemas/Token"}


@harmless("a tree is the same tree when its first level is written out")
def recursive_schema_unrolled_once(content: Json) -> None:
    category = schema(content, "Category")
    category["properties"]["children"]["items"] = {
        key: value if key != "properties" else dict(value) for key, value in category.items()
    }
    category["properties"]["children"]["items"]["properties"]["children"] = {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Category"},
    }


@harmless("allOf with one part is that part")
def reference_wrapped_in_all_of(content: Json) -> None:
    schema(content, "Order")["properties"]["total"] = {"allOf": [{"$ref": "#/components/schemas/Money"}]}


@harmless("what all parts say together can be said by one")
def all_of_flattened(content: Json) -> None:
    base, more = schema(content, "ProductBase"), schema(content, "ProductInput")["allOf"][1]
    content["components"]["schemas"]["ProductInput"] = {
        "type": "object",
        "required": [*base["required"], *more["required"]],
        "properties": {**base["properties"], **more["properties"]},
    }


@harmless("a parameter of the path item holds for all its operations")
def parameter_of_the_path_moved_into_its_operations(content: Json) -> None:
    item = content["paths"]["/v1/products/{sku}"]
    shared = item.pop("parameters")
    for method in ("get", "put", "delete"):
        item[method]["parameters"] = shared


@harmless("this is what holds where an operation says nothing")
def security_of_all_operations_spelled_out(content: Json) -> None:
    operation(content, "GET /v1/orders")["security"] = [{"bearer": []}]


@harmless("these are the defaults")
def defaults_spelled_out(content: Json) -> None:
    parameter(content, "status", "GET /v1/orders").update(style="form", explode=True, required=False)
    parameter(content, "If-Match", "PATCH /v1/orders/{order_id}").update(style="simple", explode=False)
    schema(content, "Order").update(additionalProperties=True, nullable=False)
    schema(content, "NewOrder")["properties"]["coupon"].update(minLength=0, nullable=False)
    schema(content, "OrderChange")["properties"]["labels"].update(minItems=0, uniqueItems=False)
    operation(content, "POST /v1/orders/{order_id}/cancellation")["requestBody"]["required"] = False
    operation(content, "GET /v1/orders")["deprecated"] = False
    form = operation(content, "POST /v1/login")["requestBody"]["content"]["application/x-www-form-urlencoded"]
    form["encoding"] = {"user": {"style": "form", "explode": True, "allowReserved": False}}


@harmless("a mapping may name the component or refer to it")
def discriminator_maps_to_names(content: Json) -> None:
    mapping = schema(content, "Payment")["discriminator"]["mapping"]
    for value, reference in mapping.items():
        mapping[value] = reference.rsplit("/", 1)[1]


@harmless("in 3.1 null is one of the types, and exclusive bounds are numbers; the values are the same")
def rewritten_as_openapi_3_1(content: Json) -> None:
    content["openapi"] = "3.1.0"
    for node in nodes(content["components"]["schemas"]):
        if node.get("nullable") is True:
            del node["nullable"]
            node["type"] = [node["type"], "null"]


@harmless("nothing refers to it")
def unused_component_added(content: Json) -> None:
    content["components"]["schemas"]["Warehouse"] = {"type": "object", "required": ["x"]}


@harmless("no operation uses it any more after its only reference was inlined")
def component_inlined_and_removed(content: Json) -> None:
    answer_schema = operation(content, "GET /v1/products")["responses"]["200"]["content"]["application/json"]
    answer_schema["schema"] = content["components"]["schemas"].pop("ProductPage")


# --- Harmless: requests may come to allow more


@harmless("clients that do not know it do not send it")
def optional_parameter_added(content: Json) -> None:
    operation(content, "GET /v1/orders")["parameters"].append(
        {"name": "customer", "in": "query", "schema": {"type": "integer"}}
    )


@harmless("clients that do not know it do not send it")
def optional_header_added_to_the_path(content: Json) -> None:
    content["paths"]["/v1/orders/{order_id}"]["parameters"].append(
        {"name": "Accept-Language", "in": "header", "schema": {"type": "string"}}
    )


@harmless("whoever sends it still may")
def required_parameter_became_optional(content: Json) -> None:
    parameter(content, "weeks", "GET /v1/reports/sales")["required"] = False


@harmless("a request may allow more")
def bounds_of_parameters_loosened(content: Json) -> None:
    parameter(content, "weeks", "GET /v1/reports/sales")["schema"].update(minimum=0, maximum=520)


@harmless("a request may allow more")
def bounds_of_a_shared_parameter_removed(content: Json) -> None:
    del content["components"]["parameters"]["PageSize"]["schema"]["maximum"]


@harmless("a request may allow more")
def enum_value_of_a_parameter_added(content: Json) -> None:
    parameter(content, "X-Currency", "GET /v1/reports/sales")["schema"]["enum"].append("GBP")


@harmless("every integer is a number")
def integer_of_a_parameter_became_number(content: Json) -> None:
    parameter(content, "weeks", "GET /v1/reports/sales")["schema"]["type"] = "number"


@harmless("clients that do not know it do not send it")
def optional_request_property_added(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["gift_note"] = {"type": "string", "maxLength": 10}


@harmless("whoever sends it still may")
def required_request_property_became_optional(content: Json) -> None:
    schema(content, "NewOrder")["required"].remove("delivery")


@harmless("a request may allow more")
def bounds_in_a_request_loosened(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["lines"].update(minItems=0, maxItems=500)
    schema(content, "NewOrderLine")["properties"]["quantity"]["maximum"] = 5000


@harmless("a request may allow more")
def pattern_in_a_request_removed(content: Json) -> None:
    del schema(content, "NewOrder")["properties"]["coupon"]["pattern"]


@harmless("a request may allow more")
def request_enum_value_added(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["shipping"]["enum"].append("drone")


@harmless("a request may allow more")
def request_property_became_nullable(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["coupon"]["nullable"] = True


@harmless("every integer is a number")
def request_integer_became_number(content: Json) -> None:
    schema(content, "NewOrder")["properties"]["weight_limit"]["type"] = "number"


@harmless("every 32 bit integer is a 64 bit integer, and any integer without a format")
def format_in_a_request_removed(content: Json) -> None:
    del schema(content, "NewOrderLine")["properties"]["quantity"]["format"]


@harmless("a request may allow more")
def request_opened_for_more_properties(content: Json) -> None:
    del schema(content, "NewOrderLine")["additionalProperties"]


@harmless("whoever sends one of the others still may")
def alternative_of_a_request_added(content: Json) -> None:
    content["components"]["schemas"]["CashPayment"] = {
        "type": "object",
        "required": ["kind", "till"],
        "properties": {"kind": {"type": "string"}, "till": {"type": "string"}},
    }
    payment = schema(content, "Payment")
    payment["oneOf"].append({"$ref": "#/components/schemas/CashPayment"})
    payment["discriminator"]["mapping"]["cash"] = "#/components/schemas/CashPayment"


@harmless("whoever sends the other still may")
def request_media_type_added(content: Json) -> None:
    media = operation(content, "POST /v1/login")["requestBody"]["content"]
    media["application/json"] = media["application/x-www-form-urlencoded"]


@harmless("whoever sends a body still may")
def required_body_became_optional(content: Json) -> None:
    operation(content, "PATCH /v1/orders/{order_id}")["requestBody"]["required"] = False


@harmless("required readOnly properties are demanded of answers only, and this schema is only sent")
def required_read_only_property_added_to_a_request(content: Json) -> None:
    order = schema(content, "NewOrder")
    order["properties"]["reference"] = {"type": "string", "readOnly": True}
    order["required"].append("reference")


@harmless("readOnly properties are not sent")
def read_only_property_of_a_request_retyped(content: Json) -> None:
    schema(content, "OrderChange")["properties"]["updated_at"] = {"type": "integer", "readOnly": True}


# --- Harmless: answers may come to promise more


@harmless("clients do not read what they do not know")
def property_of_an_answer_added(content: Json) -> None:
    schema(content, "Order")["properties"]["warehouse"] = {"type": "string"}


@harmless("a promise more")
def required_property_of_an_answer_added(content: Json) -> None:
    order = schema(content, "Order")
    order["properties"]["currency"] = {"type": "string"}
    order["required"].append("currency")


@harmless("a promise more")
def property_of_an_answer_became_required(content: Json) -> None:
    schema(content, "Order")["required"].append("delivery")


@harmless("an answer may promise more")
def enum_value_of_an_answer_removed(content: Json) -> None:
    answer(content, "GET /v1/reports/sales", "200")["items"]["properties"]["trend"]["enum"].remove("level")


@harmless("an answer may promise more")
def bounds_in_an_answer_tightened(content: Json) -> None:
    schema(content, "Order")["properties"]["rating"].update(minimum=2, maximum=4)
    schema(content, "Order")["properties"]["carrier"]["maxLength"] = 20


@harmless("an answer may promise more")
def pattern_in_an_answer_added(content: Json) -> None:
    schema(content, "Order")["properties"]["carrier"]["pattern"] = "^[a-z]+$"


@harmless("an answer may promise more")
def format_in_an_answer_added(content: Json) -> None:
    schema(content, "TransferReceipt")["properties"]["reference"]["format"] = "uuid"


@harmless("every integer is a number")
def number_of_an_answer_became_integer(content: Json) -> None:
    schema(content, "Order")["properties"]["discount"]["type"] = "integer"


@harmless("null was expected, and does not come")
def property_of_an_answer_became_not_nullable(content: Json) -> None:
    del schema(content, "Order")["properties"]["note"]["nullable"]


@harmless("what is not named does not come")
def answer_closed_for_more_properties(content: Json) -> None:
    schema(content, "OrderLine")["additionalProperties"] = False


@harmless("that kind does not come any more")
def alternative_of_an_answer_removed(content: Json) -> None:
    receipt = schema(content, "PaymentReceipt")
    receipt["oneOf"].pop()
    del receipt["discriminator"]["mapping"]["transfer"]


@harmless("whoever asks for JSON still gets it")
def media_type_of_an_answer_added(content: Json) -> None:
    media = operation(content, "GET /v1/customers")["responses"]["200"]["content"]
    media["text/csv"] = {"schema": {"type": "string"}}


@harmless("clients do not read what they do not know")
def header_of_an_answer_added(content: Json) -> None:
    operation(content, "GET /v1/orders/{order_id}")["responses"]["200"]["headers"]["Last-Modified"] = {
        "schema": {"type": "string"}
    }


@harmless("a promise more")
def header_of_an_answer_became_required(content: Json) -> None:
    content["components"]["headers"]["RateLimit"]["required"] = True


@harmless("any client has to bear failures")
def failure_documented(content: Json) -> None:
    operation(content, "GET /v1/orders")["responses"]["429"] = {"description": "Too many requests."}


@harmless("a link is a hint")
def link_added(content: Json) -> None:
    operation(content, "GET /v1/orders/{order_id}")["responses"]["200"]["links"] = {
        "Payments": {"operationId": "listPayments", "parameters": {"order_id": "$request.path.order_id"}}
    }


@harmless("in a callback the client receives the request, so it may promise more")
def payload_of_a_callback_narrowed(content: Json) -> None:
    event = schema(content, "StatusEvent")
    event["required"].append("comment")
    event["properties"]["order_id"]["maxLength"] = 36


# --- Harmless: operations, security, servers


@harmless("nobody calls it yet")
def operation_added(content: Json) -> None:
    content["paths"]["/v1/customers"]["delete"] = {"responses": {"204": {"description": "All gone."}}}


@harmless("nobody calls it yet")
def path_added(content: Json) -> None:
    content["paths"]["/v1/warehouses"] = {
        "get": {
            "parameters": [{"name": "country", "in": "query", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "All."}},
        }
    }


@harmless("a deprecated operation is still there")
def operation_deprecated(content: Json) -> None:
    operation(content, "GET /v1/categories")["deprecated"] = True


@harmless("one of the alternatives is enough")
def security_alternative_added(content: Json) -> None:
    operation(content, "POST /v1/products")["security"].append({"key": []})


@harmless("tokens with more scopes than are demanded are fine")
def scope_not_demanded_any_more(content: Json) -> None:
    operation(content, "PUT /v1/products/{sku}")["security"] = [{"oauth": []}]


@harmless("clients choose their server")
def server_added(content: Json) -> None:
    content["servers"].append({"url": "https://eu.shop.example"})
