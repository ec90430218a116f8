//! The file of a store: where it can be read and written, by whom, and what is left of it after a sudden end.

use std::fs;

use rusqlite::Connection;

use super::sample::{self, keep, manifest, record};
use crate::scratch::Scratch;
use crate::store::*;

#[test]
fn a_finished_store_is_a_single_file() {
    let scratch = Scratch::new("single");
    let writer = Writer::begin(&scratch.path("a.store"), &manifest("first"), Begin::Resume).unwrap();
    writer.put(record(0)).unwrap();
    writer.finish().unwrap();
    let files: Vec<_> = fs::read_dir(scratch.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["a.store"]);
}

#[test]
fn what_is_no_store_is_refused() {
    let scratch = Scratch::new("foreign");
    let open = |name: &str| Store::open(&scratch.path(name)).err().map(|error| error.code());
    assert_eq!(open("nothing"), Some("C001"));
    fs::write(scratch.path("text"), "not a database, and longer than the header of one ".repeat(20)).unwrap();
    assert_eq!(open("text"), Some("C002"));
    fs::write(scratch.path("empty"), "").unwrap();
    assert_eq!(open("empty"), Some("C016"));
    assert_eq!(fs::read(scratch.path("empty")).unwrap(), b"");
    Connection::open(scratch.path("other")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert_eq!(open("other"), Some("C002"));
    assert!(matches!(sample::create(&scratch.path("other"), &manifest("x")), Err(StoreError::Foreign { .. })));

    assert_eq!(open(""), Some("C002"), "a folder is no store");
    assert_eq!(file::create(&scratch.path("no/folder")).err().map(|error| error.code()), Some("C011"));
}

#[test]
fn what_an_error_says_names_the_file_once() {
    let scratch = Scratch::new("once");
    fs::create_dir(scratch.path("a.store")).unwrap();
    for path in [scratch.path("no/folder.store"), scratch.path("a.store/b/c.store")] {
        let error = file::create(&path).err().unwrap();
        let told = error.to_string();
        assert_eq!((error.code(), told.matches(&path.display().to_string()).count()), ("C011", 1), "{told}");
        assert!(told.ends_with(": unable to open database file"), "{told}");
    }
}

/// A sudden end may leave a journal that is to be rolled back, of the first tables or of a switch to a log and back again.
#[test]
fn what_a_sudden_end_left_is_put_right_by_whoever_reads() {
    let scratch = Scratch::new("hot");
    let (path, copy) = (scratch.path("a.store"), scratch.path("b.store"));
    keep(&path, 10);
    let digest = Store::open(&path).unwrap().digest().unwrap();
    let writing = Connection::open(&path).unwrap();
    // With so little room the change is written to the file before it is committed.
    writing.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; DELETE FROM failure").unwrap();
    writing.execute_batch("UPDATE subject SET scenario = hex(zeroblob(100000))").unwrap();
    fs::copy(&path, &copy).unwrap();
    fs::copy(scratch.path("a.store-journal"), scratch.path("b.store-journal")).unwrap();
    drop(writing);
    assert!(fs::read(&copy).unwrap() != fs::read(&path).unwrap(), "some of the change is in the file");
    assert_eq!(Store::open(&copy).unwrap().digest().unwrap(), digest);
    assert!(!scratch.path("b.store-journal").exists());
}

/// A link to nowhere stands for a folder that may not be written to: nobody can make the index of a log there.
#[test]
#[cfg(unix)]
fn a_store_is_read_where_nothing_can_be_written() {
    let scratch = Scratch::new("fixed");
    let path = scratch.path("100%?#.store");
    keep(&path, 10);
    let digest = Store::open(&path).unwrap().digest().unwrap();
    Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "wal").unwrap();
    std::os::unix::fs::symlink("no/where", scratch.path("100%?#.store-shm")).unwrap();
    assert_eq!(Store::open(&path).unwrap().digest().unwrap(), digest);
    fs::write(scratch.path("100%?#.store-wal"), "of runs").unwrap();
    let refused = Store::open(&path).err().unwrap();
    assert_eq!(refused.code(), "C017", "{refused}");
}

#[test]
fn reading_leaves_nothing_beside_an_unfinished_store() {
    let scratch = Scratch::new("beside");
    let path = scratch.path("a.store");
    keep(&path, 10);
    Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "wal").unwrap();
    Store::open(&path).unwrap().digest().unwrap();
    let files: Vec<_> = fs::read_dir(scratch.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["a.store"]);
}

/// SQLite plays a log that stands beside a database into it, whatever database it was written for.
#[test]
fn a_store_takes_its_place_beside_no_log_of_another() {
    let scratch = Scratch::new("place");
    let (part, output) = (scratch.path("a.store.part"), scratch.path("a.store"));
    // An earlier store of that name whose process ended suddenly, and of which only the log is left.
    keep(&output, 10);
    let earlier = Connection::open(&output).unwrap();
    earlier.pragma_update(None, "journal_mode", "wal").unwrap();
    earlier.execute_batch("UPDATE run SET events = 0").unwrap();
    fs::copy(scratch.path("a.store-wal"), scratch.path("log")).unwrap();
    drop(earlier);
    fs::remove_file(&output).unwrap();
    fs::rename(scratch.path("log"), scratch.path("a.store-wal")).unwrap();

    let placing = Placing::begin(&output).unwrap();
    assert_eq!(placing.part(), part);
    assert_eq!(Placing::begin(&output).err().map(|error| error.code()), Some("C014"), "one at a time writes the part");
    keep(&part, 10);
    let digest = Store::open(&part).unwrap().digest().unwrap();
    placing.finish().unwrap();
    assert_eq!(Store::open(&output).unwrap().digest().unwrap(), digest);
    let files: Vec<_> = fs::read_dir(scratch.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["a.store"]);
    assert_eq!(Placing::begin(&output).err().map(|error| error.code()), Some("C009"));
}

#[test]
fn a_store_with_a_log_stays_where_it_is() {
    let scratch = Scratch::new("log");
    let (part, output) = (scratch.path("a.store.part"), scratch.path("a.store"));
    let writer = Writer::begin(&part, &manifest("first"), Begin::Resume).unwrap();
    let reader = Connection::open(&part).unwrap();
    let reading = reader.unchecked_transaction().unwrap();
    reading.query_row("SELECT count(*) FROM run", [], |_| Ok(())).unwrap();
    (0..300).for_each(|i| writer.put(record(i)).unwrap());
    writer.finish().unwrap();
    let place = || Placing::begin(&output).and_then(Placing::finish);
    assert_eq!(place().err().map(|error| error.code()), Some("C015"));
    assert!(part.exists() && !output.exists());

    drop(reading);
    drop(reader);
    Writer::begin(&part, &manifest("first"), Begin::Resume).unwrap().finish().unwrap();
    place().unwrap();
    assert_eq!(Store::open(&output).unwrap().lot(manifest("first").digest(), 0, 0).unwrap().len(), 64);
}

#[test]
fn a_store_of_another_schema_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new("schema");
    let path = scratch.path("a.store");
    sample::create(&path, &manifest("first")).unwrap();
    for (number, code) in [(SCHEMA_VERSION + 1, "C003"), (SCHEMA_VERSION - 1, "C013"), (0, "C013")] {
        Connection::open(&path).unwrap().pragma_update(None, "user_version", number).unwrap();
        let before = fs::read(&path).unwrap();
        let opened = Store::open(&path).err().unwrap();
        let told = format!("a.store has schema {number}; this replisim reads schema {SCHEMA_VERSION}");
        assert!(opened.to_string().ends_with(&told), "{opened}");
        let written = Writer::begin(&path, &manifest("first"), Begin::Anew).err().unwrap();
        let merged = merge(std::slice::from_ref(&path), &scratch.path("merged")).unwrap_err();
        assert_eq!([opened.code(), written.code(), merged.code()], [code; 3]);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn one_at_a_time_writes_to_a_store() {
    let scratch = Scratch::new("busy");
    let path = scratch.path("a.store");
    let first = Writer::begin(&path, &manifest("first"), Begin::Resume).unwrap();
    first.put(record(0)).unwrap();
    for begin in [Begin::Anew, Begin::Resume] {
        let refused = Writer::begin(&path, &manifest("second"), begin).err().unwrap();
        assert!(matches!(refused, StoreError::Busy { .. }), "{refused}");
    }
    assert_eq!(first.finish().unwrap(), 1);
    let second = Writer::begin(&path, &manifest("second"), Begin::Anew).unwrap();
    assert_eq!(second.finish().unwrap(), 0);
    assert_eq!(Store::open(&path).unwrap().campaigns().unwrap().len(), 2);
}

#[test]
#[cfg(unix)]
fn a_link_to_a_store_is_the_same_store() {
    let scratch = Scratch::new("link");
    let (path, link) = (scratch.path("a.store"), scratch.path("link.store"));
    let first = Writer::begin(&path, &manifest("first"), Begin::Resume).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let refused = Writer::begin(&link, &manifest("second"), Begin::Anew).err().unwrap();
    assert!(matches!(refused, StoreError::Busy { .. }), "{refused}");
    first.finish().unwrap();
}

/// Whatever happens to the bytes of a store, reading it ends in an answer or an error.
#[test]
fn no_file_makes_the_reader_panic() {
    let scratch = Scratch::new("bytes");
    let path = scratch.path("a.store");
    let manifest = manifest("first");
    let writer = Writer::begin(&path, &manifest, Begin::Resume).unwrap();
    (0..300).for_each(|i| writer.put(record(i)).unwrap());
    writer.finish().unwrap();
    let whole = fs::read(&path).unwrap();
    let mut refused = 0;
    for round in 0..300 {
        let mut bytes = whole.clone();
        for k in 0..8 {
            let word = sample::mixed(round * 8 + k);
            let place = word as usize % if round % 3 == 0 { 4096 } else { bytes.len() };
            bytes[place] = (word >> 56) as u8;
        }
        bytes.truncate(if round % 5 == 0 { bytes.len() * 2 / 3 } else { bytes.len() });
        fs::write(&path, bytes).unwrap();
        let read = || -> Result<(), StoreError> {
            let store = Store::open(&path)?;
            store.campaigns()?;
            store.digest()?;
            store.summary(manifest.digest()).map(|_| ())
        };
        refused += u32::from(read().is_err());
    }
    assert!(refused > 50, "most such files cannot be read: {refused}");
}
