-- Written by `python -m docs.build`. For a corpus elsewhere: winnow sightings --sql > views.sql

CREATE OR REPLACE VIEW documents AS
FROM read_parquet('.demo/corpus/documents/*/*/*.parquet', hive_partitioning = true);

CREATE OR REPLACE VIEW verdicts AS
FROM read_parquet('.demo/corpus/verdicts/*/*.parquet', hive_partitioning = true);

CREATE OR REPLACE VIEW appearances AS
SELECT coalesce(witness_id, document_id) AS published_id, *
FROM verdicts
WHERE reason <> 'taken_down';

CREATE OR REPLACE VIEW sightings AS
SELECT published_id AS document_id,
       count(*) - 1 AS duplicate_count,
       min(dump_date) AS first_seen,
       max(dump_date) AS last_seen,
       count(DISTINCT dump_date) AS nights,
       list_sort(list(DISTINCT source)) AS sources
FROM appearances
GROUP BY published_id;

CREATE OR REPLACE VIEW documents_seen AS
SELECT documents.*, duplicate_count, first_seen, last_seen, nights, sources
FROM documents JOIN sightings USING (document_id);

CREATE OR REPLACE VIEW copies AS
SELECT dropped.*, origin.source AS witness_source, origin.dump_file AS witness_file
FROM verdicts AS dropped JOIN verdicts AS origin ON origin.document_id = dropped.witness_id
WHERE NOT dropped.kept;

CREATE OR REPLACE VIEW quarantine AS
FROM read_parquet('.demo/corpus/quarantine/*/*.parquet', hive_partitioning = true);

CREATE OR REPLACE VIEW runs AS
FROM read_parquet('.demo/corpus/runs/*/*.parquet', hive_partitioning = true);
