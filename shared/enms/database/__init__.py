"""PostgreSQL: connections, queries by table family, migrations. The only place with SQL and psycopg2."""
