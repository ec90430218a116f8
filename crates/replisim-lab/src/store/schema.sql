-- A store of campaigns. Ask it anything:
--
--   replisim campaign sql STORE "SELECT * FROM causes"
--
-- The views at the end answer what is asked most: causes, verdicts, coverage, speed, every_run.
--
-- Unsigned 64-bit numbers (seeds above all) stand in INTEGER columns bit by bit, so those from 2^63 on read as negative
-- ones; printf('%llu', seed) prints them as they are meant. In the views a seed is a number below 2^63, and such a text
-- from there on. Digests are blobs of 16 bytes, the most significant first; lower(hex(fingerprint)) prints one as the rest
-- of replisim does.

-- What was run. A store may hold several campaigns; one is known by the digest of everything in its manifest.
CREATE TABLE campaign (
    id       INTEGER PRIMARY KEY,          -- of this file only; merged stores number by digest
    digest   BLOB NOT NULL UNIQUE CHECK (length(digest) = 16),
    version  TEXT NOT NULL,                -- of replisim
    settings TEXT NOT NULL                 -- canonical text: how many runs, lot size, first seed, guided or not
) STRICT;

-- A scenario of a campaign.
CREATE TABLE subject (
    id       INTEGER PRIMARY KEY,          -- of this file only; the other tables mean it by "subject"
    campaign INTEGER NOT NULL REFERENCES campaign (id),
    number   INTEGER NOT NULL,             -- its position in the manifest, from 0
    name     TEXT NOT NULL,
    scenario TEXT NOT NULL,                -- its text, edits included
    UNIQUE (campaign, number)
) STRICT;

-- The checks of a subject. Character number position + 1 of run.verdicts is this check's.
CREATE TABLE subject_check (
    subject  INTEGER NOT NULL REFERENCES subject (id),
    position INTEGER NOT NULL,             -- from 0
    name     TEXT NOT NULL,
    PRIMARY KEY (subject, position)
) STRICT, WITHOUT ROWID;

-- One run. What is run at a place follows from the manifest and the lot's earlier places, so a row that is missing can
-- be had again, and two rows for one place must be equal. A campaign that begins anew, not resumed, drops its rows here
-- and in the tables that tell of runs; the table known keeps its own.
CREATE TABLE run (
    subject      INTEGER NOT NULL REFERENCES subject (id),
    lot          INTEGER NOT NULL,
    place        INTEGER NOT NULL,         -- within the lot, from 0
    origin       TEXT NOT NULL CHECK (origin IN ('fresh', 'mutant')),
    seed         INTEGER NOT NULL,
    plan         BLOB NOT NULL CHECK (length(plan) = 16),
    fingerprint  BLOB NOT NULL CHECK (length(fingerprint) = 16),
    events       INTEGER NOT NULL,
    simulated_ns INTEGER NOT NULL,
    verdicts     TEXT NOT NULL,            -- one character a check: . promised and kept, , holds unpromised,
                                           -- a violated as is allowed, x broken, ? undecided
    failed       INTEGER NOT NULL CHECK (failed IN (0, 1)),
    cells        BLOB NOT NULL,            -- what the search writes of it: the kinds of its faults that struck and that did
                                           -- not, how many operations there were, and the cells that were new then
    PRIMARY KEY (subject, lot, place)
) STRICT, WITHOUT ROWID;

-- How long a run took on the wall. Never part of a merged store, nor of a store's digest.
CREATE TABLE run_time (
    subject INTEGER NOT NULL,
    lot     INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    PRIMARY KEY (subject, lot, place)
) STRICT, WITHOUT ROWID;

-- A check that failed in a run, with the smallest case that is known to show it.
CREATE TABLE failure (
    subject    INTEGER NOT NULL,
    lot        INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    check_name TEXT NOT NULL,
    kind       TEXT NOT NULL,              -- the shape of the anomaly, as its witness tells it
    phase      TEXT NOT NULL,              -- of the run, in which it came about
    faults     INTEGER NOT NULL,           -- in the case
    operations INTEGER NOT NULL,           -- in the case
    case_text  TEXT NOT NULL,              -- what replisim replay takes; empty where smaller ones were found before
    PRIMARY KEY (subject, lot, place, check_name),
    FOREIGN KEY (subject, lot, place) REFERENCES run (subject, lot, place)
) STRICT, WITHOUT ROWID;

-- A run that did not come out the same when it was done again. Something in it draws on chance that no seed fixes; or, where
-- the first result was remembered from an earlier session of the campaign, the code has changed since.
CREATE TABLE divergence (
    subject    INTEGER NOT NULL,
    lot        INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    event      INTEGER NOT NULL,           -- the first that was not the same, from 1
    one        TEXT NOT NULL,              -- what the first run did then; empty if it had ended
    other      TEXT NOT NULL,              -- what the second did
    remembered INTEGER NOT NULL CHECK (remembered IN (0, 1)),
    case_text  TEXT NOT NULL,              -- what replisim replay takes
    PRIMARY KEY (subject, lot, place),
    FOREIGN KEY (subject, lot, place) REFERENCES run (subject, lot, place)
) STRICT, WITHOUT ROWID;

-- A coverage cell, in words.
CREATE TABLE cell (
    subject INTEGER NOT NULL REFERENCES subject (id),
    cell    BLOB NOT NULL,
    words   TEXT NOT NULL,
    PRIMARY KEY (subject, cell)
) STRICT, WITHOUT ROWID;

-- Which lot reached which cell, and where first. In how many of its runs is not known: what a campaign recalls of a run
-- done before is only what was new then.
CREATE TABLE reached (
    subject INTEGER NOT NULL,
    lot     INTEGER NOT NULL,
    cell    BLOB NOT NULL,
    place   INTEGER NOT NULL,
    PRIMARY KEY (subject, lot, cell),
    FOREIGN KEY (subject, cell) REFERENCES cell (subject, cell)
) STRICT, WITHOUT ROWID;

-- Failures with a case, which outlive their campaigns: the next one over a subject of this name that says the same runs them
-- first.
CREATE TABLE known (
    subject_name TEXT NOT NULL,
    scenario     BLOB NOT NULL CHECK (length(scenario) = 16), -- the digest of what the subject's text says
    seed         INTEGER NOT NULL,
    plan         BLOB NOT NULL CHECK (length(plan) = 16),
    check_name   TEXT NOT NULL,
    kind         TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('failing', 'fixed')),
    version      TEXT NOT NULL,            -- of the replisim that saw it last
    case_text    TEXT NOT NULL,
    PRIMARY KEY (subject_name, scenario, seed, plan, check_name, kind)
) STRICT, WITHOUT ROWID;

-- What fails, each cause once: how often, and the smallest case of it that is written down. Smallest first.
CREATE VIEW causes AS
WITH counted AS (
    SELECT subject, count(*) AS of_runs FROM run GROUP BY subject
), ranked AS (
    SELECT failure.*,
           count(*) OVER cause AS runs,
           row_number() OVER (
               cause ORDER BY case_text = '', faults, operations, instr(case_text, char(10) || '    anomaly: ') = 0,
                              octet_length(case_text), case_text, lot, place
           ) AS rank
    FROM failure
    WINDOW cause AS (PARTITION BY subject, check_name, kind, phase)
)
SELECT lower(hex(campaign.digest)) AS campaign, subject.number AS subject_number, subject.name AS subject,
       ranked.check_name, ranked.kind, ranked.phase, ranked.runs, counted.of_runs,
       1.0 * ranked.runs / counted.of_runs AS rate, ranked.faults, ranked.operations,
       ranked.lot, ranked.place, iif(run.seed < 0, printf('%llu', run.seed), run.seed) AS seed,
       lower(hex(run.plan)) AS plan, ranked.case_text
FROM ranked
JOIN counted USING (subject)
JOIN run USING (subject, lot, place)
JOIN subject ON subject.id = ranked.subject
JOIN campaign ON campaign.id = subject.campaign
WHERE ranked.rank = 1
ORDER BY ranked.faults, ranked.operations, octet_length(ranked.case_text), ranked.case_text,
         campaign.digest, subject.number, ranked.check_name, ranked.kind, ranked.phase;

-- How each check came out, over all runs of a subject. It holds where it was promised and kept, and where it was lucky.
CREATE VIEW verdicts AS
SELECT lower(hex(campaign.digest)) AS campaign, subject.number AS subject_number, subject.name AS subject,
       subject_check.position, subject_check.name AS check_name,
       sum(substr(run.verdicts, position + 1, 1) IN ('.', ',')) AS holds,
       sum(substr(run.verdicts, position + 1, 1) = '.') AS kept,
       sum(substr(run.verdicts, position + 1, 1) = ',') AS lucky,
       sum(substr(run.verdicts, position + 1, 1) = 'a') AS anomalies,
       sum(substr(run.verdicts, position + 1, 1) = 'x') AS broken,
       sum(substr(run.verdicts, position + 1, 1) = '?') AS undecided
FROM run
JOIN subject ON subject.id = run.subject
JOIN campaign ON campaign.id = subject.campaign
JOIN subject_check ON subject_check.subject = run.subject
GROUP BY run.subject, subject_check.position
ORDER BY campaign.digest, subject.number, subject_check.position;

-- Where the runs of a subject have been, the cells of the fewest lots first. The bare columns are those of the row with the
-- smallest (lot, place): SQLite takes them from where min() found its own.
CREATE VIEW coverage AS
SELECT lower(hex(campaign.digest)) AS campaign, subject.number AS subject_number, subject.name AS subject,
       cell.words, min(reached.lot << 32 | reached.place) >> 32 AS first_lot, reached.place AS first_place,
       count(*) AS lots, cell.cell
FROM reached
JOIN cell USING (subject, cell)
JOIN subject ON subject.id = reached.subject
JOIN campaign ON campaign.id = subject.campaign
GROUP BY reached.subject, reached.cell
ORDER BY count(*), campaign.digest, subject.number, cell.cell;

-- How much was run, and how fast where it was timed: by one worker, not by all.
CREATE VIEW speed AS
SELECT lower(hex(campaign.digest)) AS campaign, subject.number AS subject_number, subject.name AS subject,
       count(DISTINCT run.lot) AS lots, count(*) AS runs, sum(run.origin = 'mutant') AS mutants,
       sum(run.failed) AS failed, sum(run.events) AS events, total(run.simulated_ns) / 1e9 AS simulated_s,
       count(wall_ns) AS timed_runs, sum(wall_ns) / 1e9 AS wall_s,
       count(wall_ns) / (sum(wall_ns) / 1e9) AS runs_per_second,
       sum(iif(wall_ns IS NULL, 0, run.events)) / (sum(wall_ns) / 1e9) AS events_per_second
FROM run
LEFT JOIN run_time USING (subject, lot, place)
JOIN subject ON subject.id = run.subject
JOIN campaign ON campaign.id = subject.campaign
GROUP BY run.subject
ORDER BY campaign.digest, subject.number;

-- Every run, its subject by name and its numbers as people read them.
CREATE VIEW every_run AS
SELECT lower(hex(campaign.digest)) AS campaign, subject.name AS subject, run.lot, run.place, run.origin,
       iif(run.seed < 0, printf('%llu', run.seed), run.seed) AS seed,
       lower(hex(run.plan)) AS plan, lower(hex(run.fingerprint)) AS fingerprint,
       run.events, run.simulated_ns / 1e9 AS simulated_s, run.verdicts, run.failed
FROM run
JOIN subject ON subject.id = run.subject
JOIN campaign ON campaign.id = subject.campaign
ORDER BY campaign.digest, subject.number, run.lot, run.place;
