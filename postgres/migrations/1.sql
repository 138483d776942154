-- The queues of this database. A mail is a row of `item`, which has a small body itself, and names a large one in `chunk`; the
-- commit of the item is the commit of the mail.

-- The migrations that were applied.
CREATE TABLE queue_store.migration (
    number integer PRIMARY KEY,
    applied timestamptz NOT NULL DEFAULT now()
);

-- The numbers of bodies.
CREATE SEQUENCE queue_store.body_number CACHE 32;

-- The checks of values are those of domains: PostgreSQL prepares these once for a session, and the checks of a table anew for
-- each statement that inserts or updates.

-- 0: ready, 1: held, 2: quarantined.
CREATE DOMAIN queue_store.item_state AS smallint CHECK (VALUE IN (0, 1, 2));

-- The format that the item has as a file: 0: text, 1: binary.
CREATE DOMAIN queue_store.item_format AS smallint CHECK (VALUE IN (0, 1));

CREATE TABLE queue_store.item (
    queue text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    state queue_store.item_state NOT NULL,
    format queue_store.item_format NOT NULL,
    -- The checksum of the whole item: another content has another one.
    revision bigint NOT NULL,
    -- The number of a body in chunks, or else a body of at most one chunk.
    body bigint,
    small_body bytea,
    -- Bytes of the body.
    body_size bigint NOT NULL,
    -- When the mail was accepted: seconds since 1970-01-01T00:00:00Z.
    created bigint NOT NULL,
    -- The binary item, in the wire format of protocol buffers with its checksums, up to the body and from its end on.
    head bytea NOT NULL,
    tail bytea NOT NULL,
    PRIMARY KEY (queue, id)
);

-- The large bodies: every chunk but the last of a body has 262144 bytes.
CREATE TABLE queue_store.chunk (
    body bigint NOT NULL,
    -- The place in the body, from 0.
    number integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (body, number)
);

-- Mail does not compress well, and a body that is not compressed is read in parts.
ALTER TABLE queue_store.chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE queue_store.item ALTER COLUMN small_body SET STORAGE EXTERNAL;

-- Bodies that are being written, which no item names yet.
CREATE TABLE queue_store.draft (
    body bigint PRIMARY KEY DEFAULT nextval('queue_store.body_number'),
    queue text COLLATE "C" NOT NULL,
    began timestamptz NOT NULL DEFAULT now()
);
