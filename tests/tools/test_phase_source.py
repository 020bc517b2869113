"""What source code says of events, variables, tables and dependencies, in the usual ways of the usual languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.tools.phase.files import Files, read_project
from gates.tools.phase.source.dependencies import Unreadable, dependencies_of, names_dependencies
from gates.tools.phase.source.environment import variables_of
from gates.tools.phase.source.events import CALLS, events_of, events_of_asyncapi
from gates.tools.phase.source.tables import statements_in, tables_after


def variables(name: str, text: str) -> list[str]:
    return list(dict.fromkeys(variable for variable, _ in variables_of(name, text)))


def events(name: str, text: str, *more: str) -> list[str]:
    return [event for event, _ in events_of(name, text, {*CALLS, *more})]


def tables(*files: tuple[str, str]) -> dict[str, dict[str, str]]:
    found = tables_after((path, statements_in(path, text)) for path, text in files)
    return {name: dict(table.columns) for name, table in found.items()}


# ---- environment variables


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("a.py", "import os\nos.environ['A_B']\nos.getenv('C', 'x')\nos.environ.get(\"D\")\n", ["A_B", "C", "D"]),
        ("a.py", "from os import environ, getenv\nenviron['A']\ngetenv('B')\n", ["A", "B"]),
        ("a.py", "NAME = 'FROM_CONSTANT'\nimport os\nos.getenv(NAME)\nos.getenv(unknown)\n", ["FROM_CONSTANT"]),
        ("a.py", "config('SECRET_KEY', default='x')\nenv.str('A_URL')\nconfig('lower')\nconfig(1)\n",
         ["SECRET_KEY", "A_URL"]),
        ("a.py", "# os.getenv('COMMENT')\nx = \"os.getenv('TEXT')\"\n", []),
        ("a.py", "def broken(:\n", []),
        ("a.py", "class S(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='app_')\n    db_url: str\n"
         "    _hidden: int = 1\n    name: ClassVar[str] = 'x'\n    key: str = Field(alias='OTHER_KEY')\n",
         ["APP_DB_URL", "OTHER_KEY"]),
        ("a.py", "class S(pydantic_settings.BaseSettings):\n    class Config:\n        env_prefix = 'X_'\n    a: int\n",
         ["X_A"]),
        ("a.ts", "process.env.PORT ?? process.env['DB_URL']; import.meta.env.VITE_X", ["PORT", "DB_URL", "VITE_X"]),
        ("a.go", 'os.Getenv("PORT"); os.LookupEnv("DB"); X string `env:"X_Y,required"`', ["PORT", "DB", "X_Y"]),
        ("A.java", '@Value("${APP_KEY:x}") String k; System.getenv("HOME_DIR");', ["HOME_DIR", "APP_KEY"]),
        ("a.rb", "ENV['A'] || ENV.fetch(\"B\", 1)", ["A", "B"]),
        ("a.rs", 'env::var("A"); std::env::var_os("B"); env!("C")', ["A", "B", "C"]),
        ("a.php", "getenv('A'); $_ENV['B']; env('C')", ["A", "C", "B"]),
        ("a.cs", 'Environment.GetEnvironmentVariable("A")', ["A"]),
        ("a.exs", 'System.get_env("A"); System.fetch_env!("B")', ["A", "B"]),
        ("application.yml", "url: ${DB_URL:jdbc}\nkey: ${lower.case}\n", ["DB_URL"]),
        ("docker-compose.yml", "image: x:${TAG:-1}\nenv: $PLAIN $$escaped\n", ["TAG", "PLAIN"]),
        ("compose.prod.yaml", "a: ${B}\n", ["B"]),
        (".env.example", "A=1\nexport B=\n# C=optional\n# a remark\n\nlower_case=2\n", ["A", "B", "C", "lower_case"]),
        (".env", "SECRET=1", []),
        ("a.md", "process.env.X os.getenv('Y')", []),
    ],
)  # fmt: skip
def test_variables_that_are_read(name: str, text: str, names: list[str]) -> None:
    assert sorted(variables(name, text)) == sorted(names)


# ---- events


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("a.py", "bus.publish('order.placed', {})\nself.bus().emit('cancelled')\n", ["order.placed", "cancelled"]),
        ("a.py", "TOPIC = 'orders.v1'\nproducer.send(TOPIC, value=1)\nproducer.send(topic='a.b')\n",
         ["orders.v1", "a.b"]),
        ("a.py", "socket.send('hello')\nclient.send('http://x.y')\nmail.send('a text with words')\n", []),
        ("a.py", "channel.basic_publish(exchange='x', routing_key='order.paid', body='')\n", ["order.paid"]),
        ("a.py", "print('order.placed')\n", []),
        ("a.ts", "bus.emit('order.placed', x); server.emit('error', e); io.emit(`user:joined`)",
         ["order.placed", "user:joined"]),
        ("a.go", 'nc.Publish("orders.new", data)', ["orders.new"]),
        ("A.java", 'template.send("orders-topic", x);', ["orders-topic"]),
        ("a.rb", "ActiveSupport::Notifications.publish('order.placed')", ["order.placed"]),
    ],
)  # fmt: skip
def test_events_that_are_published(name: str, text: str, names: list[str]) -> None:
    assert events(name, text) == names


def test_a_project_names_its_own_functions() -> None:
    assert events("a.py", "announce('order_placed')\n") == []
    assert events("a.py", "announce('order_placed')\n", "announce") == ["order_placed"]


def test_channels_of_asyncapi() -> None:
    two = {"asyncapi": "2.6.0", "channels": {"order/placed": {"publish": {}}}}
    three = {"asyncapi": "3.0.0", "channels": {"placed": {"address": "order.placed"}, "other": {}}}
    assert list(events_of_asyncapi(two)) == ["order/placed"]
    assert list(events_of_asyncapi(three)) == ["order.placed", "other"]
    assert list(events_of_asyncapi({"openapi": "3.1.0", "channels": {"x": {}}})) == []
    assert list(events_of_asyncapi(["nonsense"])) == []


# ---- tables


def test_sql_is_read_in_the_order_of_migrations() -> None:
    first = """
    -- the customer's orders
    CREATE TABLE IF NOT EXISTS "orders" (
        id INTEGER PRIMARY KEY, -- a key, with a comma
        customer VARCHAR(40) NOT NULL DEFAULT 'a, b (c)',
        total numeric(10, 2),
        FOREIGN KEY (customer) REFERENCES customers (id),
        CONSTRAINT positive CHECK (total > 0)
    );
    CREATE TEMP TABLE scratch (a int);
    create table public.old_things (a int);
    """
    second = (
        "ALTER TABLE orders ADD COLUMN note TEXT; ALTER TABLE orders ADD CONSTRAINT x UNIQUE (note);\n"
        "ALTER TABLE orders DROP COLUMN total; DROP TABLE IF EXISTS old_things;\n"
        "ALTER TABLE orders RENAME COLUMN customer TO buyer; CREATE TABLE `lines` (`id` bigint unsigned not null);"
        "ALTER TABLE lines RENAME TO order_lines;"
    )
    assert tables(("m/002.sql", second), ("m/001.sql", first), ("m/003.down.sql", "DROP TABLE orders;")) == {
        "orders": {"id": "INTEGER, key", "buyer": "VARCHAR(40), not null", "note": "TEXT"},
        "order_lines": {"id": "BIGINT UNSIGNED, not null"},
    }


def test_sql_in_source_code_is_read_too() -> None:
    text = 'db.execute("""CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)""")\n'
    assert tables(("app/db.py", text)) == {"notes": {"id": "TEXT, key", "text": "TEXT"}}
    assert tables(("app/db.ts", f"await {text}")) == tables(("app/db.py", text))
    assert tables(("app/text.py", "# please create table reservations by phone\n")) == {"reservations": {}}


def test_sqlalchemy_sqlmodel_and_tables() -> None:
    text = """
class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    total: Mapped[float] = mapped_column(Float, nullable=False)
    note: Mapped[str | None]
    renamed = Column("real_name", String(20))
    lines = relationship("Line")
    def total_of(self): ...

class Hero(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str

class Plain(BaseModel):
    nothing: str

lines = Table("lines", metadata, Column("id", Integer, primary_key=True), Column("order_id", ForeignKey("orders.id")))
"""
    found = tables(("app/models.py", text))
    assert found["orders"] == {
        "id": "Integer, key", "total": "Float, not null", "note": "str | None", "real_name": "String",
    }  # fmt: skip
    assert list(found["hero"]) == ["id", "name"]
    assert list(found["lines"]) == ["id", "order_id"]
    assert set(found) == {"orders", "hero", "lines"}


def test_alembic_goes_up_and_not_down() -> None:
    text = """
def upgrade():
    op.create_table("orders", sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id"))
    op.add_column("orders", sa.Column("note", sa.Text()))
    op.drop_column("orders", "id")

def downgrade():
    op.drop_table("orders")
"""
    assert tables(("alembic/versions/1.py", text)) == {"orders": {"note": "Text"}}


def test_django_models_and_migrations() -> None:
    models = """
class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    note = models.TextField(null=True)
    tags = models.ManyToManyField(Tag)

class Named(models.Model):
    code = models.CharField(max_length=3, primary_key=True, db_column="short")
    class Meta:
        db_table = "named_things"

class Base(models.Model):
    class Meta:
        abstract = True
"""
    migration = """
class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            name="Invoice", fields=[("id", models.AutoField(primary_key=True)), ("sum", models.IntegerField())]
        ),
        migrations.AddField(model_name="invoice", name="paid", field=models.BooleanField(null=True)),
        migrations.CreateModel(name="Gone", fields=[]),
        migrations.DeleteModel(name="Gone"),
    ]
"""
    found = tables(("shop/models.py", models), ("billing/migrations/0001_initial.py", migration))
    assert found == {
        "shop_order": {"id": "AutoField, key", "customer_id": "ForeignKey, not null", "note": "TextField"},
        "named_things": {"short": "CharField, key"},
        "billing_invoice": {"id": "AutoField, key", "sum": "IntegerField, not null", "paid": "BooleanField"},
    }


def test_prisma() -> None:
    text = """
model Order {
  id    Int     @id @default(autoincrement())
  note  String? @map("a_note") // a remark
  lines Line[]
  who   Customer @relation(fields: [whoId], references: [id])
  whoId Int
  @@map("orders")
}
model Customer {
  id Int @id
}
"""
    assert tables(("prisma/schema.prisma", text)) == {
        "orders": {"id": "Int, key", "a_note": "String", "whoId": "Int, not null"}, "Customer": {"id": "Int, key"},
    }  # fmt: skip


# ---- dependencies


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("requirements.txt", "fastapi==0.1\nPyYAML >= 6 ; python_version > '3'  # yes\n-r other.txt\n\n"
         "uvicorn[standard]\nx @ https://user:token@host/x.whl\n--hash=sha256:1\n",
         {"fastapi": "==0.1", "pyyaml": ">= 6", "uvicorn": "", "x": "from an address"}),
        ("dev-requirements.txt", "a==1 \\\n    --hash=sha256:ff\n", {"a": "==1"}),
        ("package.json", '{"dependencies": {"express": "^5"}, "devDependencies": {"x": "git+ssh://git@h/x"}}',
         {"express": "^5", "x": "from an address"}),
        ("go.mod", "module m\n\ngo 1.22\n\nrequire github.com/a/b v1.2.3\nrequire (\n\tgithub.com/c/d v0.1.0\n"
         "\texample.com/e v1.0.0 // indirect\n)\nreplace github.com/a/b => github.com/z/b v9.9.9\n",
         {"github.com/a/b": "v1.2.3", "github.com/c/d": "v0.1.0"}),
        ("pom.xml", '<project xmlns="urn:x"><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId>'
         "<version>1</version></dependency></dependencies></project>", {"g:a": "1"}),
        ("build.gradle", "implementation 'g:a:1.0'\ntestImplementation(\"g:b:2\")\napi project(':x')\n",
         {"g:a": "1.0", "g:b": "2"}),
        ("Gemfile", "gem 'rails', '~> 7'\ngem \"pg\"\n", {"rails": "~> 7", "pg": ""}),
        ("Cargo.toml", {"dependencies": {"serde": "1", "tokio": {"version": "1.2"}}}, {"serde": "1", "tokio": "1.2"}),
        ("pyproject.toml", {"project": {"dependencies": ["A_b>=1"], "optional-dependencies": {"x": ["c"]}},
                            "dependency-groups": {"dev": ["d~=2", {"include-group": "x"}]},
                            "tool": {"poetry": {"dependencies": {"python": "^3", "e": {"git": "https://h"}}}}},
         {"a-b": ">=1", "c": "", "d": "~=2", "e": "from an address"}),
        ("uv.lock", {"package": [{"name": "a", "version": "1"}, {"nonsense": 1}]}, {"a": "1"}),
    ],
)  # fmt: skip
def test_dependencies_with_their_versions(name: str, content: object, found: dict[str, str]) -> None:
    assert names_dependencies(name)
    assert dependencies_of(name, content) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content"),
    [("package.json", "{"), ("pom.xml", "<a>"), ("pom.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')],
)
def test_a_file_that_is_not_what_its_name_says(name: str, content: str) -> None:
    with pytest.raises(Unreadable, match=f"{name} could not be read"):
        dependencies_of(name, content)


@pytest.mark.parametrize("name", ["pyproject.toml", "package.json", "Cargo.toml", "uv.lock"])
@pytest.mark.parametrize("wrong", [{}, {"dependencies": 3, "project": [], "package": {}, "tool": {"poetry": 1}}])
def test_strange_contents_are_no_dependencies(name: str, wrong: dict[str, object]) -> None:
    import json

    assert dependencies_of(name, json.dumps(wrong) if name == "package.json" else wrong) == {}


# ---- the whole project


def test_a_project_is_read_without_its_tests_and_without_what_is_installed(tmp_path: Path) -> None:
    files = {
        "orders/app.py": "import os\nos.getenv('PORT')\nbus.publish('order.placed')\n",
        "orders/api/routes.py": "x = 1\n",
        "orders/api/more.py": "y = 2",
        "tests/test_app.py": "import os\nos.getenv('ONLY_TESTS')\ndb.execute('CREATE TABLE only_tests (a int)')\n",
        "orders/test_inside.py": "import os\nos.getenv('ONLY_TESTS')\n",
        "scripts/deploy.py": "import os\nos.getenv('ONLY_DEPLOY')\n",
        "migrations/1.sql": "CREATE TABLE orders (id INT);",
        ".venv/lib/x.py": "import os\nos.getenv('VENV')\n",
        "env2/pyvenv.cfg": "",
        "env2/x.sql": "CREATE TABLE venv (a int);",
        "node_modules/x/package.json": '{"dependencies": {"no": "1"}}',
        "requirements.txt": "fastapi\n",
        ".env.example": "SECRET_KEY=\n",
        "gates.toml": '[backend]\nenv = { ORDERS_DB = "{data}/x.db" }\n',
        "package.json": "{",
        "docs/asyncapi.yaml": "asyncapi: 3.0.0\n",
        "asyncapi.yaml": "asyncapi: 3.0.0\nchannels:\n  paid:\n    address: order.paid\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "orders" / "loop").symlink_to(tmp_path)
    (tmp_path / "orders" / "large.py").write_text("#" * 1_100_000)
    found = read_project(tmp_path, ("orders",), set(CALLS))
    assert found.environment == {"PORT": "orders/app.py:2", "SECRET_KEY": ".env.example:1", "ORDERS_DB": "gates.toml"}
    assert found.events == {"order.placed": "orders/app.py:3", "order.paid": "asyncapi.yaml"}
    assert list(found.tables) == ["orders"]
    assert found.dependencies == {"requirements.txt": {"fastapi": ""}}
    assert {name: (one.files, one.lines) for name, one in found.components.items()} == {
        "orders/api": (2, 2), "orders/app.py": (1, 3),
    }  # fmt: skip
    assert [note.partition(":")[0] for note in found.notes] == ["package.json"]


def test_components_of_the_layouts_of_build_tools(tmp_path: Path) -> None:
    for name in (
        "src/main/java/org/shop/App.java",
        "src/main/java/org/shop/api/Api.java",
        "src/main/resources/db/a.sql",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    assert list(read_project(tmp_path, ("src",), ()).components) == [
        "src/main/java/org/shop/App.java", "src/main/java/org/shop/api", "src/main/resources",
    ]  # fmt: skip
    (tmp_path / "single.py").write_text("x\n")
    assert list(read_project(tmp_path, ("single.py",), ()).components) == ["single.py"]


def test_migrations_of_django_rename_and_move() -> None:
    def migration(*operations: str) -> str:
        return f"class Migration(migrations.Migration):\n    operations = [{', '.join(operations)}]\n"

    first = migration(
        "migrations.CreateModel(name='User', fields=[('a', models.IntegerField())], options={'db_table': 'old_user'})",
        "migrations.CreateModel(name='Bill', fields=[('who', models.ForeignKey('User', models.CASCADE))])",
    )
    second = migration(
        "migrations.AlterModelTable(name='user', table=None)",
        "migrations.RenameModel(old_name='Bill', new_name='Invoice')",
        "migrations.RenameField(model_name='invoice', old_name='who', new_name='payer')",
    )  # fmt: skip
    model = "class User(Base):\n    pass\n\nclass Invoice(models.Model):\n    sum = models.IntegerField()\n"
    found = tables(("shop/migrations/1.py", first), ("shop/migrations/2.py", second), ("shop/models/all.py", model))
    assert {name: list(columns) for name, columns in found.items()} == {
        "shop_user": ["a"], "shop_invoice": ["payer_id", "id", "sum"],
    }  # fmt: skip


def test_files_are_looked_for_inside_the_project_only(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / "orders").mkdir(parents=True)
    (root / "orders" / "app.py").write_text("")
    (tmp_path / "secret.py").write_text("")
    files = Files(root)
    assert files.has("orders/app.py")
    assert files.has("orders/app.py:17")
    assert files.has("app.py"), "a name alone is found anywhere"
    assert files.has("orders/")
    assert not files.has("../secret.py")
    assert not files.has("/etc/hosts")
    assert not files.has("orders/other.py")
