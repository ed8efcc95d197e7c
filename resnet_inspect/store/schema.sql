-- A run file: everything that one trace saw. One file is one run.
--
-- PRAGMA application_id is 0x52494E53 ("RINS"); PRAGMA user_version is the version of this schema.
-- While a run is written the file is in WAL mode, so readers can follow it; each step is one
-- transaction. A finished run is a single file without a write-ahead log.
-- SQLite has no NaN: where a number may be NaN, NULL stands for it.

-- What is known of the run as a whole: one row a fact, the value as JSON.
-- Keys: info (see store/info.py). Its status is running, complete, interrupted or failed; a run
-- whose status is running but whose writer is gone counts as interrupted.
CREATE TABLE run (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- The captured graph: graph.Graph as MessagePack (JSON has no infinities), compressed with zlib.
-- At most one row.
CREATE TABLE graph (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    body BLOB NOT NULL
);

-- Where sizes come from: graph.lineage.Lineage, stored like the graph. At most one row.
CREATE TABLE lineage (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    body BLOB NOT NULL
);

-- Steps in order, 0 the first. seconds: wall time of the step itself; at: Unix time of its end.
CREATE TABLE step (
    step    INTEGER PRIMARY KEY,
    seconds REAL NOT NULL,
    at      REAL NOT NULL
);

-- Scalars of each step: loss, cross_entropy, l2_loss, accuracy, learning_rate. NULL is NaN.
CREATE TABLE scalar (
    step  INTEGER NOT NULL REFERENCES step (step),
    name  TEXT NOT NULL,
    value REAL,
    PRIMARY KEY (step, name)
) WITHOUT ROWID;

-- Tensors that are summarized. kind: activation, gradient or weight; tensor: such as "Reshape:0".
CREATE TABLE tap (
    id     INTEGER PRIMARY KEY,
    layer  TEXT NOT NULL,
    kind   TEXT NOT NULL,
    tensor TEXT NOT NULL,
    UNIQUE (layer, kind, tensor)
);

-- What a tensor held at a step. count: all elements; nan, posinf, neginf: those that are not
-- finite; min, max, mean, std: of the finite ones, NULL where there are none; std of the
-- population. sketch: zlib of the packed histogram (see stats/sketch.py, Sketch.pack). This table
-- has row ids: rows of a table without them would spill to pages of their own.
CREATE TABLE summary (
    tap    INTEGER NOT NULL REFERENCES tap (id),
    step   INTEGER NOT NULL REFERENCES step (step),
    count  INTEGER NOT NULL,
    nan    INTEGER NOT NULL,
    posinf INTEGER NOT NULL,
    neginf INTEGER NOT NULL,
    zeros  INTEGER NOT NULL,
    min    REAL,
    max    REAL,
    mean   REAL,
    std    REAL,
    sketch BLOB NOT NULL,
    PRIMARY KEY (tap, step)
);
