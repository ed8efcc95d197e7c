-- A run file: everything that one trace saw. One file is one run.
--
-- PRAGMA application_id is 0x52494E53 ("RINS"); PRAGMA user_version is the version of this schema.
-- While a run is written the file is in WAL mode, so readers can follow it; each step is one
-- transaction. A finished run is a single file without a write-ahead log.
-- SQLite has no NaN: where a number may be NaN, NULL stands for it.

-- What is known of the run as a whole: one row a fact, the value as JSON.
-- Keys: info (see store/info.py) and, once something was not finite, origin (stats.Origin). The
-- info's status is running, complete, interrupted or failed; a run
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

-- Tensors that are summarized. kind: activation, gradient or weight; tensor: such as "Reshape:0",
-- or a variable's name; output: whether it is what the layer hands on; elements: how many the whole
-- tensor has, of which summaries may be of a sample; NULL if unknown.
CREATE TABLE tap (
    id       INTEGER PRIMARY KEY,
    layer    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    tensor   TEXT NOT NULL,
    output   INTEGER NOT NULL DEFAULT 1,
    elements INTEGER,
    UNIQUE (layer, kind, tensor)
);

-- What a tensor held at a step. count: elements that were looked at; nan, posinf, neginf: those that are not
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

-- How many elements of a tap's whole tensor were not finite at a step; no row where none was.
CREATE TABLE not_finite (
    tap    INTEGER NOT NULL REFERENCES tap (id),
    step   INTEGER NOT NULL REFERENCES step (step),
    nan    INTEGER NOT NULL,
    posinf INTEGER NOT NULL,
    neginf INTEGER NOT NULL,
    PRIMARY KEY (tap, step)
) WITHOUT ROWID;

-- How often each channel of a ReLU's output was above 0: zlib of ChannelActivity.pack (see
-- stats/channels.py).
CREATE TABLE channels (
    tap  INTEGER NOT NULL REFERENCES tap (id),
    step INTEGER NOT NULL REFERENCES step (step),
    body BLOB NOT NULL,
    PRIMARY KEY (tap, step)
);

-- What a step did to variables, in their order of `variables` in the graph: MessagePack of
-- {variable: [norm, change]}, the 2-norms of its value before the step and of its change.
CREATE TABLE updates (
    step INTEGER PRIMARY KEY REFERENCES step (step),
    body BLOB NOT NULL
);

-- What was fed at a recorded step: MessagePack of {part: stats.BatchPart}, such as x and y.
CREATE TABLE batch (
    step INTEGER PRIMARY KEY REFERENCES step (step),
    body BLOB NOT NULL
);

-- What batch normalization saw beside its moving averages: zlib of float32, little-endian, the
-- batch's means, its variances, the moving means, the moving variances, of each channel.
CREATE TABLE normalization (
    layer TEXT NOT NULL,
    step  INTEGER NOT NULL REFERENCES step (step),
    body  BLOB NOT NULL,
    PRIMARY KEY (layer, step)
);
