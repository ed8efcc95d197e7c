-- A run file contains everything that was recorded of one run.
--
-- PRAGMA application_id is 0x52494E53 ("RINS"); PRAGMA user_version is the version of this schema.
-- While a run is written the file is in WAL mode, so readers can follow it; each step is one
-- transaction. A finished run is a single file without a write-ahead log.
-- SQLite has no NaN: NULL is NaN.

-- The run as a whole: one row per fact, the value as JSON.
-- Keys: info (see store/info.py) and, after the first NaN or infinity, origin (stats.Origin). The
-- status in info is running, complete, interrupted or failed. A run with the status running whose
-- writer has ended counts as interrupted.
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

-- The origins of sizes: graph.lineage.Lineage, stored like the graph. At most one row.
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
-- or a variable's name; output: whether the tensor is the output of the layer; elements: the number
-- of elements of the tensor, of which a sample may be summarized; NULL if unknown.
CREATE TABLE tap (
    id       INTEGER PRIMARY KEY,
    layer    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    tensor   TEXT NOT NULL,
    output   INTEGER NOT NULL DEFAULT 1,
    elements INTEGER,
    UNIQUE (layer, kind, tensor)
);

-- The summary of a tensor at a step. count: summarized elements; nan, posinf, neginf: elements that
-- are not finite; min, max, mean, std: of the finite elements, NULL without any; std of the
-- population. sketch: zlib of the packed histogram (see stats/sketch.py, Sketch.pack). This table
-- has row ids: without them, its long rows would need overflow pages.
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

-- The number of elements of the whole tensor that were not finite at a step; no row for none.
CREATE TABLE not_finite (
    tap    INTEGER NOT NULL REFERENCES tap (id),
    step   INTEGER NOT NULL REFERENCES step (step),
    nan    INTEGER NOT NULL,
    posinf INTEGER NOT NULL,
    neginf INTEGER NOT NULL,
    PRIMARY KEY (tap, step)
) WITHOUT ROWID;

-- The activity of each channel of a ReLU's output (values above 0): zlib of ChannelActivity.pack (see
-- stats/channels.py).
CREATE TABLE channels (
    tap  INTEGER NOT NULL REFERENCES tap (id),
    step INTEGER NOT NULL REFERENCES step (step),
    body BLOB NOT NULL,
    PRIMARY KEY (tap, step)
);

-- The updates of variables by a step, in the order of `variables` in the graph: MessagePack of
-- {variable: [norm, change]}, the 2-norms of the value before the step and of its change.
CREATE TABLE updates (
    step INTEGER PRIMARY KEY REFERENCES step (step),
    body BLOB NOT NULL
);

-- The inputs and labels of a recorded step: MessagePack of {part: stats.BatchPart}, such as x and y.
CREATE TABLE batch (
    step INTEGER PRIMARY KEY REFERENCES step (step),
    body BLOB NOT NULL
);

-- Statistics of a batch normalization: zlib of little-endian float32, for each channel the mean and
-- the variance of the batch, the moving mean and the moving variance.
CREATE TABLE normalization (
    layer TEXT NOT NULL,
    step  INTEGER NOT NULL REFERENCES step (step),
    body  BLOB NOT NULL,
    PRIMARY KEY (layer, step)
);
