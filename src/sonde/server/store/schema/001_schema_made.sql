-- What brought this store to which schema: migrate.py runs the statements only where the newest row is not of its own, or
-- something it names is gone.
CREATE TABLE IF NOT EXISTS schema_made (
    made_at DateTime64(6, 'UTC') DEFAULT now64(6),
    made_of String COMMENT 'digest of the statements, and the release of the engine',
    names Array(String) COMMENT 'tables, views and functions that were there then'
)
ENGINE = MergeTree
ORDER BY made_at;
