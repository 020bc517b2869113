"""Which database a project uses, and how it reaches it: by its dependencies, its containers and its source."""

from __future__ import annotations

from dataclasses import dataclass

from gates.init.facts import Facts

# Name, words of dependencies, words of containers and addresses, words of source.
_DATABASES = (
    (
        "PostgreSQL", r"psycopg[\w\[\],-]*|asyncpg|pg8000|pg(?:-promise|-pool)?|postgres(?:ql)?|github\.com/lib/pq"
        r"|github\.com/jackc/pgx[\w/]*|gorm\.io/driver/postgres|org\.postgresql|tokio-postgres",
        r"postgres(?:ql)?(?=(?:\+\w+)?://)|image:\s*[\"']?\S*?(postgres|postgis)|\"(postgresql)\"|jdbc:(postgresql)",
        r"django\.db\.backends\.(postgresql)|(?<=[\"'])(postgresql)(?=(?:\+\w+)?://)|\bOpen\(\"(postgres|pgx)\"",
    ),
    (
        "MySQL", r"mysqlclient|pymysql|aiomysql|asyncmy|mysql2?|mysql-connector[\w-]*|mariadb[\w-]*"
        r"|github\.com/go-sql-driver/mysql|gorm\.io/driver/mysql|com\.mysql",
        r"(?:mysql|mariadb)(?=(?:\+\w+)?://)|image:\s*[\"']?\S*?(mysql|mariadb)|\"(mysql)\"|jdbc:(mysql|mariadb)",
        r"django\.db\.backends\.(mysql)|(?<=[\"'])(mysql)(?=(?:\+\w+)?://)|\bOpen\(\"(mysql)\"",
    ),
    (
        "MongoDB", r"pymongo|motor|mongoengine|beanie|mongoose|mongodb|go\.mongodb\.org/mongo-driver[\w/]*"
        r"|spring-boot-starter-data-mongodb(?:-reactive)?",
        r"mongodb(?=(?:\+srv)?://)|image:\s*[\"']?\S*?(mongo)\b|\"(mongodb)\"", r"(?<=[\"'])(mongodb)(?=(?:\+srv)?://)",
    ),
    (
        "SQL Server", r"pyodbc|pymssql|mssql(?:-django)?|tedious|mssql-jdbc|github\.com/denisenkom/go-mssqldb",
        r"image:\s*\S*?(mssql)|jdbc:(sqlserver)", r"(?!)",
    ),
    ("Oracle", r"oracledb|cx_Oracle|ojdbc\d*", r"jdbc:(oracle)", r"django\.db\.backends\.(oracle)"),
    (
        "SQLite", r"aiosqlite|better-sqlite3|sqlite3?|github\.com/mattn/go-sqlite3|modernc\.org/sqlite|sqlite-jdbc"
        r"|gorm\.io/driver/sqlite", r"sqlite(?=(?:\+\w+)?:)|\"(sqlite)\"",
        r"django\.db\.backends\.(sqlite3)|^\s*(?:import|from) (sqlite3)\b|(?<=[\"'])(sqlite)(?=(?:\+\w+)?://)"
        r"|(node:sqlite)|\bOpen\(\"(sqlite3?)\"",
    ),
    ("H2", r"com\.h2database", r"jdbc:(h2)", r"(?!)"),
)  # fmt: skip
SERVERS = frozenset({"PostgreSQL", "MySQL", "MongoDB", "SQL Server", "Oracle"})
"""Those that are reached over connections, which a load gate can count."""

_MAPPERS = (
    r"sqlalchemy|sqlmodel|peewee|tortoise-orm|pony|flask-sqlalchemy|django|@?prisma(?:/client)?|sequelize|typeorm"
    r"|drizzle-orm|mikro-orm|objection|gorm\.io/gorm|github\.com/jinzhu/gorm|entgo\.io/ent|spring-boot-starter-data-jpa|hibernate[\w-]*"
)
_DOCUMENTS = r"mongoose|mongoengine|beanie|motor|pymongo|mongodb|go\.mongodb\.org/mongo-driver[\w/]*"
_ASYNC = r"asyncpg|aiosqlite|aiomysql|asyncmy|motor|beanie|tortoise-orm"


@dataclass(frozen=True, slots=True)
class Database:
    """What was found: the database and what spoke for it ("" for none), how it is reached, and the kind of code."""

    name: str
    evidence: str
    approach: str
    flavour: str
    """The kind of example: "" with a mapper (or what is usual), `plain`, `orm`, `mongodb`; `sync` for SQLAlchemy."""


def find_database(facts: Facts, language: str, usual: str) -> Database:
    """Return the database of a project; `usual` is how the framework reaches one where nothing says otherwise."""
    name, evidence = _named(facts)
    mapper = facts.depends_on(_MAPPERS)
    concurrent = facts.depends_on(_ASYNC) or facts.has_in_source(r"sqlalchemy\.ext\.(asyncio)")
    if name == "MongoDB" or (not name and facts.depends_on(_DOCUMENTS)):
        return Database(name, evidence, "async operations" if concurrent else "document queries", "mongodb")
    if not name and not mapper:
        return Database("", "", usual, "")
    approach = "async operations" if concurrent else "ORM queries" if mapper else "parameterized SQL"
    if language == "python":
        return Database(name, evidence, approach, "plain" if not mapper else "" if concurrent else "sync")
    return Database(name, evidence, approach, "orm" if mapper else "")


def _named(facts: Facts) -> tuple[str, str]:
    # A server that is named anywhere is the one that counts: SQLite lies in many dependencies and examples.
    for servers in (True, False):
        for look, position in ((facts.runs_beside, 2), (facts.depends_on, 1), (facts.has_in_source, 3)):
            for row in _DATABASES:
                if (row[0] in SERVERS) is servers and (evidence := look(row[position])) is not None:
                    return row[0], evidence
    return "", ""
