//! Several stores made one, which is the same to the byte whatever the number, the order and the repetition of its parts.
//!
//! The parts are read lot by lot in the order of the keys, united by the laws of [`super::union`], and written in that
//! order into a fresh file in a single transaction. Nothing of the parts' own history shows in it: not their ids, not
//! the order of their pages, no time. Memory holds one lot at a time, and what failures there are.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use replisim_kernel::Digest;
use rusqlite::{Connection, Transaction};

use super::file::{self, at};
use super::insert::Inserter;
use super::{
    CellRow, Conflict, DivergenceRow, FailureRow, KnownRow, Manifest, Place, Placing, RunRow, Store, StoreError,
};

/// Writes a new store that holds what any of `inputs` holds, and returns its digest. The file appears whole or not at
/// all.
///
/// # Errors
/// If an input cannot be read, two of them hold different results for one place, the output is there already, or somebody
/// else is writing it.
pub fn merge(inputs: &[PathBuf], output: &Path) -> Result<Digest, StoreError> {
    let placing = Placing::begin_anew(output)?;
    let stores = inputs.iter().map(|path| Store::open(path)).collect::<Result<Vec<_>, _>>();
    match stores.and_then(|stores| write(&stores, placing.part())) {
        Ok(digest) => placing.finish().map(|()| digest),
        Err(error) => {
            // The first error says more than one of the cleaning up would.
            let _ = placing.give_up();
            Err(error)
        }
    }
}

fn write(stores: &[Store], path: &Path) -> Result<Digest, StoreError> {
    // What is read of a store belongs together, also while a campaign writes to it.
    let _snapshots = stores.iter().map(Store::snapshot).collect::<Result<Vec<_>, _>>()?;
    let mut connection = Connection::open(path).map_err(at(path))?;
    set_pragmas(&connection).and_then(|()| file::create_schema(&mut connection)).map_err(at(path))?;
    let transaction = connection.transaction().map_err(at(path))?;
    Merge { stores, path }.write(&transaction)?;
    transaction.commit().map_err(at(path))?;
    drop(connection);
    Store::open(path)?.digest()
}

/// Everything about the new file that SQLite would else choose by its defaults. If it does not become whole it is
/// removed, so it needs no journal.
fn set_pragmas(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "auto_vacuum", "none")?;
    connection.pragma_update(None, "encoding", "UTF-8")?;
    connection.pragma_update(None, "journal_mode", "off")?;
    connection.pragma_update(None, "synchronous", "full")
}

/// Stores on their way into one.
struct Merge<'m> {
    stores: &'m [Store],
    path: &'m Path,
}

/// One subject in the stores that hold it: whose, and under which id.
struct Sources<'m> {
    name: &'m str,
    number: u32,
    stores: Vec<(&'m Store, i64)>,
}

impl Merge<'_> {
    fn write(&self, output: &Transaction) -> Result<(), StoreError> {
        let mut inserter = Inserter::new(output).map_err(at(self.path))?;
        for manifest in self.manifests()? {
            let ids = file::write_manifest(output, &manifest).map_err(at(self.path))?;
            let sources = self.sources(&manifest)?;
            for (sources, id) in sources.iter().zip(ids) {
                self.write_lots(sources, &mut inserter, id)?;
                for failure in failures(sources)? {
                    inserter.failure(id, failure).map_err(at(self.path))?;
                }
                for divergence in divergences(sources)? {
                    inserter.divergence(id, divergence).map_err(at(self.path))?;
                }
            }
        }
        self.known()?.into_iter().try_for_each(|known| inserter.known(known)).map_err(at(self.path))
    }

    /// Every campaign, in the order of their digests.
    fn manifests(&self) -> Result<Vec<Manifest>, StoreError> {
        let mut found = BTreeMap::new();
        for store in self.stores {
            found.extend(store.campaigns()?.into_iter().map(|manifest| (manifest.digest(), manifest)));
        }
        Ok(found.into_values().collect())
    }

    /// Who holds which subject of a campaign.
    fn sources<'m>(&'m self, manifest: &'m Manifest) -> Result<Vec<Sources<'m>>, StoreError> {
        let subjects = (0..).zip(&manifest.subjects);
        let mut all: Vec<Sources> =
            subjects.map(|(number, subject)| Sources { name: &subject.name, number, stores: Vec::new() }).collect();
        for store in self.stores {
            let ids = match store.subject_ids(manifest.digest()) {
                Err(StoreError::NoCampaign { .. }) => continue,
                ids => ids?,
            };
            all.iter_mut().zip(ids).for_each(|(sources, id)| sources.stores.push((store, id)));
        }
        Ok(all)
    }

    fn write_lots(&self, sources: &Sources, inserter: &mut Inserter, id: i64) -> Result<(), StoreError> {
        let mut holders: BTreeMap<u32, Vec<(&Store, i64)>> = BTreeMap::new();
        for &(store, source) in &sources.stores {
            for lot in store.lots(source)? {
                holders.entry(lot).or_default().push((store, source));
            }
        }
        for (lot, holders) in holders {
            let lot = Lot { sources, lot, holders };
            for run in lot.runs()? {
                inserter.run(id, &run).map_err(at(self.path))?;
            }
            for cell in lot.cells()? {
                inserter.cell(id, &cell).map_err(at(self.path))?;
            }
        }
        Ok(())
    }

    fn known(&self) -> Result<Vec<KnownRow>, StoreError> {
        let mut found = BTreeMap::new();
        for store in self.stores {
            for row in store.known()? {
                let key = (row.subject.clone(), row.scenario, row.seed, row.plan, row.check.clone(), row.kind.clone());
                unite(&mut found, key, row, KnownRow::union);
            }
        }
        Ok(found.into_values().collect())
    }
}

/// One lot in the stores that hold any of it.
struct Lot<'m> {
    sources: &'m Sources<'m>,
    lot: u32,
    holders: Vec<(&'m Store, i64)>,
}

impl Lot<'_> {
    /// Its runs, in the order of their places.
    fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        let mut found: BTreeMap<Place, (RunRow, &Store)> = BTreeMap::new();
        for &(store, id) in &self.holders {
            for run in store.lot_of(id, self.sources.number, self.lot)? {
                match found.entry(run.at) {
                    Entry::Vacant(vacant) => drop(vacant.insert((run, store))),
                    Entry::Occupied(there) => {
                        let (first, holder) = there.get();
                        let claims = ((holder.path().display(), first), (store.path().display(), &run));
                        Conflict::unless_same(self.sources.name, claims.0, claims.1)?;
                    }
                }
            }
        }
        Ok(found.into_values().map(|(run, _)| run).collect())
    }

    /// Its cells, in the order of their bytes.
    fn cells(&self) -> Result<Vec<CellRow>, StoreError> {
        let mut found = BTreeMap::new();
        for &(store, id) in &self.holders {
            for row in store.cells(id, self.sources.number, self.lot)? {
                unite(&mut found, row.cell.clone(), row, CellRow::union);
            }
        }
        Ok(found.into_values().collect())
    }
}

/// A subject's failures, in the order of their places and checks.
fn failures(sources: &Sources) -> Result<Vec<FailureRow>, StoreError> {
    let mut found = BTreeMap::new();
    for (store, id) in &sources.stores {
        for row in store.failures_of(*id, sources.number)? {
            unite(&mut found, (row.at, row.check.clone()), row, FailureRow::union);
        }
    }
    Ok(found.into_values().collect())
}

/// A subject's divergences, in the order of their places.
fn divergences(sources: &Sources) -> Result<Vec<DivergenceRow>, StoreError> {
    let mut found = BTreeMap::new();
    for (store, id) in &sources.stores {
        for row in store.divergences_of(*id, sources.number)? {
            unite(&mut found, row.at, row, Ord::min);
        }
    }
    Ok(found.into_values().collect())
}

/// Puts a row with what was found for its key before.
fn unite<K: Ord, R>(found: &mut BTreeMap<K, R>, key: K, row: R, union: fn(R, R) -> R) {
    let row = match found.remove(&key) {
        Some(there) => union(there, row),
        None => row,
    };
    found.insert(key, row);
}
