// SPDX-License-Identifier: MIT
// The database's layout, as steps: step N makes version N (PRAGMA user_version) of version N-1. A released
// step is never edited.
#pragma once

#include <array>

namespace jit {

inline constexpr std::array schema_steps{
    R"sql(
CREATE TABLE requests (
    id                TEXT PRIMARY KEY,
    state             TEXT NOT NULL,
    cause             TEXT,
    role              TEXT NOT NULL,
    scope             TEXT NOT NULL,     -- JSON
    stages            TEXT NOT NULL,     -- JSON
    person            TEXT NOT NULL,     -- the beneficiary
    account           TEXT NOT NULL,
    uid               INTEGER NOT NULL CHECK (uid BETWEEN 0 AND 4294967294),
    requester         TEXT NOT NULL,
    requester_account TEXT NOT NULL,
    requester_uid     INTEGER NOT NULL CHECK (requester_uid BETWEEN 0 AND 4294967294),
    login_person      TEXT NOT NULL,
    reason            TEXT NOT NULL,
    ticket            TEXT NOT NULL,
    duration          INTEGER NOT NULL CHECK (duration > 0),
    filed             INTEGER NOT NULL,
    answer_by         INTEGER NOT NULL,
    not_before        INTEGER,
    not_after         INTEGER,
    boot_id           TEXT,
    boot_deadline     INTEGER,
    ended             INTEGER,
    ended_by          TEXT NOT NULL,
    ended_reason      TEXT NOT NULL,
    extends           TEXT NOT NULL,
    chain             TEXT NOT NULL,
    -- A grant without an end can't be written down.
    CHECK (state != 'active' OR (not_before IS NOT NULL AND not_after IS NOT NULL AND boot_id IS NOT NULL
           AND boot_deadline IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_pending ON requests (answer_by) WHERE state = 'pending';
CREATE INDEX requests_active ON requests (not_after) WHERE state = 'active';
CREATE INDEX requests_active_boot ON requests (boot_id, boot_deadline) WHERE state = 'active';
CREATE INDEX requests_active_uid ON requests (uid) WHERE state = 'active';
CREATE INDEX requests_filed ON requests (filed);
CREATE INDEX requests_chain ON requests (chain);

CREATE TABLE answers (
    request  TEXT NOT NULL REFERENCES requests (id),
    person   TEXT NOT NULL,
    account  TEXT NOT NULL,
    uid      INTEGER NOT NULL,
    approves INTEGER NOT NULL,
    stages   TEXT NOT NULL,              -- JSON
    reason   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (request, person)        -- people are counted, not accounts
) STRICT, WITHOUT ROWID;

CREATE TABLE uses (
    id      TEXT PRIMARY KEY,
    grant_  TEXT NOT NULL REFERENCES requests (id),
    person  TEXT NOT NULL,
    account TEXT NOT NULL,
    uid     INTEGER NOT NULL CHECK (uid BETWEEN 0 AND 4294967294),
    run_as  TEXT NOT NULL,
    group_  TEXT NOT NULL,
    command BLOB,                        -- path and arguments, each ended by a NUL byte
    service TEXT,                        -- of a login; of an elevation all four are NULL
    gated   INTEGER,
    groups  TEXT,                        -- JSON
    cgroup  TEXT,
    cwd     TEXT NOT NULL,
    tty     TEXT NOT NULL,
    pid     INTEGER NOT NULL,
    session INTEGER,
    boot_id TEXT NOT NULL,               -- session and pid are of this boot
    started INTEGER NOT NULL,
    exited  INTEGER,
    status  INTEGER,
    ended   INTEGER,
    CHECK ((service IS NULL) = (gated IS NULL) AND (service IS NULL) = (groups IS NULL)
           AND (service IS NULL) = (cgroup IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX uses_live ON uses (uid) WHERE ended IS NULL;
CREATE INDEX uses_session ON uses (session, boot_id);
CREATE INDEX uses_grant ON uses (grant_);

CREATE TABLE events (
    seq  INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoints (
    seq       INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    hash      BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql",
    R"sql(
ALTER TABLE uses ADD COLUMN run_as_uid INTEGER CHECK (run_as_uid BETWEEN 0 AND 4294967294); -- of an elevation
)sql",
    R"sql(
CREATE TABLE locks (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    name          TEXT NOT NULL,
    uid           INTEGER CHECK (uid BETWEEN 0 AND 4294967294),
    reason        TEXT NOT NULL,
    person        TEXT NOT NULL,         -- who set it
    account       TEXT NOT NULL,
    by_uid        INTEGER NOT NULL CHECK (by_uid BETWEEN 0 AND 4294967294),
    since         INTEGER NOT NULL,
    until         INTEGER,
    boot_id       TEXT,
    boot_deadline INTEGER,
    lifted        INTEGER,
    CHECK ((until IS NULL) = (boot_id IS NULL) AND (until IS NULL) = (boot_deadline IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX locks_live ON locks (id) WHERE lifted IS NULL;
)sql",
    R"sql(
ALTER TABLE requests ADD COLUMN stock INTEGER;     -- in stocks: how the host was when it began; 0: isn't needed
ALTER TABLE requests ADD COLUMN searched INTEGER;  -- when it was looked for what was left behind
ALTER TABLE requests ADD COLUMN left_behind TEXT;  -- JSON: what was found
UPDATE requests SET searched = ended WHERE state = 'ended'; -- of what ended before this it can't be known
CREATE INDEX requests_without_stock ON requests (not_after) WHERE state = 'active' AND stock IS NULL;
CREATE INDEX requests_unsearched ON requests (ended) WHERE state = 'ended' AND searched IS NULL;
CREATE INDEX requests_stock ON requests (stock) WHERE stock > 0 AND searched IS NULL;
CREATE TABLE stocks (
    id    INTEGER PRIMARY KEY,
    items TEXT NOT NULL
) STRICT;
)sql",
    R"sql(
ALTER TABLE requests ADD COLUMN uses INTEGER CHECK (uses > 0);      -- so many commands it starts; NULL: any number
ALTER TABLE requests ADD COLUMN used INTEGER NOT NULL DEFAULT 0;    -- what has begun under it
UPDATE requests SET used = (SELECT count(*) FROM uses WHERE grant_ = requests.id);
)sql",
    R"sql(
ALTER TABLE uses ADD COLUMN chains TEXT;           -- JSON: of the grants that have carried it; NULL: not known
ALTER TABLE requests ADD COLUMN last_used INTEGER; -- of a chain's first: when something that one of the chain
                                                   -- carries began or was over last; NULL: nothing has begun
UPDATE requests SET last_used = (SELECT max(coalesce(exited, ended, started)) FROM uses WHERE grant_ IN
    (SELECT id FROM requests AS member WHERE member.chain = requests.id))
    WHERE id IN (SELECT chain FROM requests WHERE state = 'active');
)sql",
    R"sql(
ALTER TABLE requests ADD COLUMN wish TEXT;  -- JSON: the account that it is to make
-- Accounts that grants make. A name keeps its uid for ever, and no other gets it.
CREATE TABLE accounts (
    name   TEXT PRIMARY KEY,
    uid    INTEGER NOT NULL UNIQUE CHECK (uid BETWEEN 1000 AND 2147483647),
    grant_ TEXT,  -- by which it was made, until all of it is gone again
    home   TEXT   -- what becomes of its home then
) STRICT, WITHOUT ROWID;
)sql",
    R"sql(
ALTER TABLE requests ADD COLUMN review_due INTEGER; -- when what somebody is to look at was found: left_behind
ALTER TABLE requests ADD COLUMN reviewed INTEGER;   -- when somebody had looked at it
ALTER TABLE requests ADD COLUMN reviewed_by TEXT;   -- the person
ALTER TABLE requests ADD COLUMN review_reason TEXT;
CREATE INDEX requests_to_review ON requests (review_due) WHERE review_due IS NOT NULL AND reviewed IS NULL;
)sql",
};

} // namespace jit
